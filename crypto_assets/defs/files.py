"""`history_file` and `trend_file`: what people upload, seen by Dagster but not made by it.

Their materializations are reported when a file arrives, with the content's hash as data version.
"""

from __future__ import annotations

import dagster as dg

from crypto_assets.defs.partitions import ticker_partitions
from crypto_assets.resources.registry import Entry
from crypto_assets.spark.batch import KINDS, Kind

_DESCRIPTIONS: dict[Kind, str] = {
    "history": "The daily price history of a currency, as its owner uploaded it.",
    "trend": "The Google-Trends series of a currency, as its owner uploaded it.",
}


def file_key(kind: Kind) -> dg.AssetKey:
    return dg.AssetKey(f"{kind}_file")


file_specs = [
    dg.AssetSpec(
        file_key(kind),
        description=_DESCRIPTIONS[kind],
        partitions_def=ticker_partitions,
        group_name="uploads",
        kinds={"csv"},
    )
    for kind in KINDS
]


def report_upload(instance: dg.DagsterInstance, entry: Entry) -> None:
    """Adds the ticker's partition and reports both its files as materialized."""
    instance.add_dynamic_partitions(str(ticker_partitions.name), [entry.ticker])
    for kind in KINDS:
        upload = getattr(entry, kind)
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                file_key(kind),
                partition=entry.ticker,
                metadata={
                    "file": upload.name,
                    "size_bytes": upload.size,
                    "uploaded_at": upload.uploaded_at,
                },
                tags={"dagster/data_version": upload.etag},
            )
        )
