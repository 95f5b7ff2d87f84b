"""Running a job spec of any data set on a Spark session: the one thing an engine calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, cast

from crypto_assets.spark import each
from crypto_assets.spark.job_spec import JobSpec, LayerResult, Partition, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark import SparkContext
    from pyspark.sql import SparkSession

# Computes one layer of partitions and judges each. A job module has one for each layer in `STEPS`,
# or computes partition by partition (see `each`).
Step = Callable[["SparkSession", JobSpec, list[Partition]], Iterable[Verdict]]


def run(spark: SparkContext | SparkSession, spec: JobSpec) -> Iterator[LayerResult]:
    """Computes the layers in order and yields each layer's verdicts when it is audited.

    A partition that fails its audit goes no further. A job that computes partition by partition
    needs no session where the driver is in this process.
    """
    if spec.each:
        yield from each.on_spark(getattr(spark, "sparkContext", spark), spec)
        return
    session = cast("SparkSession", spark)
    steps: dict[str, Step] = import_module(spec.job).STEPS
    partitions = list(spec.partitions)
    for layer in spec.layers:
        if not partitions:
            return
        started = time.monotonic()
        verdicts = tuple(steps[layer](session, spec, partitions))
        result = LayerResult(layer, time.monotonic() - started, verdicts, spec.staging)
        yield result
        passed = set(result.passed)
        partitions = [partition for partition in partitions if partition.name in passed]
