"""The partitionings of the graph: by ticker and by snapshot, added as these are registered."""

import dagster as dg

from crypto_assets.resources.instance import UNFINISHED
from crypto_assets.spark.job_spec import LAYERS

REMOVED = "removed"
RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")

ticker_partitions = dg.DynamicPartitionsDefinition(name="ticker")
snapshot_partitions = dg.DynamicPartitionsDefinition(name="snapshot")


def has_partition(instance: dg.DagsterInstance, ticker: str) -> bool:
    return instance.has_dynamic_partition(str(ticker_partitions.name), ticker)


def drop_partition(instance: dg.DagsterInstance, ticker: str) -> set[str]:
    """Takes the ticker out of the partitions, and notes in each layer that its tables are gone.

    Dagster keeps what it recorded of a partition; the note tells a later status that it is past.
    Returns the other tickers of waiting runs that begin or end with it: those runs will fail.
    """
    name = str(ticker_partitions.name)
    order = instance.get_dynamic_partitions(name)
    stranded: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED, *UNFINISHED])):
        first, last = (run.tags.get(tag) for tag in RANGE_TAGS)
        if ticker in (first, last) and first in order and last in order:
            stranded.update(order[order.index(first) : order.index(last) + 1])
    for layer in LAYERS:
        gone = dg.AssetObservation(layer, partition=ticker, metadata={REMOVED: True})
        instance.report_runless_asset_event(gone)
    instance.delete_dynamic_partition(name, ticker)
    return stranded - {ticker}
