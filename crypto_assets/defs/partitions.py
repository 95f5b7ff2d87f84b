"""The one partitioning of the graph: by ticker, added as currencies are registered."""

import dagster as dg

ticker_partitions = dg.DynamicPartitionsDefinition(name="ticker")
