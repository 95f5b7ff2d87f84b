"""The one partitioning of the graph: by ticker, added as currencies are registered."""

import dagster as dg

from crypto_assets.spark.batch import LAYERS

REMOVED = "removed"

ticker_partitions = dg.DynamicPartitionsDefinition(name="ticker")


def has_partition(instance: dg.DagsterInstance, ticker: str) -> bool:
    return instance.has_dynamic_partition(str(ticker_partitions.name), ticker)


def drop_partition(instance: dg.DagsterInstance, ticker: str) -> None:
    """Takes the ticker out of the partitions, and notes in each layer that its tables are gone.

    Dagster keeps what it recorded of a partition; the note tells a later status that it is past.
    """
    for layer in LAYERS:
        gone = dg.AssetObservation(layer, partition=ticker, metadata={REMOVED: True})
        instance.report_runless_asset_event(gone)
    instance.delete_dynamic_partition(str(ticker_partitions.name), ticker)
