"""Running an order of any data set: the one thing an engine calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto_assets.spark import job
from crypto_assets.spark.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from crypto_assets.spark.batch import LayerResult, Order


def run(session: SparkSession, order: Order) -> Iterator[LayerResult]:
    """Computes what the order wants and yields each layer's verdicts when it is audited."""
    if not isinstance(order, Batch):
        raise TypeError(f"nothing computes a {type(order).__name__}")
    return job.run(session, order)
