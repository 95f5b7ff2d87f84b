"""Running an order of any data set: the one thing an engine calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto_assets.spark.accounts import job as accounts_job
from crypto_assets.spark.job_spec import Batch, Snapshot
from crypto_assets.spark.market_data import job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from crypto_assets.spark.job_spec import LayerResult, Order


def run(session: SparkSession, order: Order) -> Iterator[LayerResult]:
    """Computes what the order wants and yields each layer's verdicts when it is audited."""
    if isinstance(order, Batch):
        return job.run(session, order)
    if isinstance(order, Snapshot):
        return accounts_job.run(session, order)
    raise TypeError(f"nothing computes a {type(order).__name__}")
