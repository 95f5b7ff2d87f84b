"""The jobs: what a run launched from the command, the UI or the sensor does."""

from __future__ import annotations

import dagster as dg

from crypto_assets.spark.data_set import DataSet


def refresh_job(data_set: DataSet, layers: dg.AssetsDefinition) -> dg.UnresolvedAssetJobDefinition:
    """The job that refreshes partitions of a data set."""
    return dg.define_asset_job(
        job_name(data_set),
        selection=dg.AssetSelection.assets(layers),
        description=f"Brings {data_set.noun} from their uploads to their last layer.",
    )


def job_name(data_set: DataSet) -> str:
    return f"refresh_{data_set.noun}"
