"""What a run of a data set adds to the metrics, in its own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import dagster as dg

from crypto_assets.defs.verdicts import RETRIES
from crypto_assets.resources.metrics.metrics import Metrics
from crypto_assets.spark.data_set import DataSet


@contextmanager
def measured(
    context: dg.AssetExecutionContext, metrics: Metrics, data_set: DataSet
) -> Iterator[None]:
    """Measures the run that this block is; one that repeats itself is one run.

    One whose process is killed began and never ends.
    """
    attempt = context.retry_number
    if not attempt:
        metrics.run_started(data_set)
    outcome: Literal["succeeded", "failed", ""] = "failed"
    try:
        yield
        outcome = "succeeded"
    except dg.RetryRequested:
        outcome = "" if attempt < RETRIES else "failed"
        raise
    finally:
        if outcome:
            metrics.run_ended(data_set, outcome)
        metrics.send()
