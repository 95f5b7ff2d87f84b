"""`history_file`, `trend_file`, `customers_file`, `accounts_file`: what people upload.

Seen by Dagster but not made by it.

Their materializations are reported when a file arrives, with the content's hash as data version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from crypto_assets.defs.partitions import snapshot_partitions, ticker_partitions
from crypto_assets.resources.accounts.snapshots import StoredSnapshot
from crypto_assets.resources.inbox.ledger import Quarantined
from crypto_assets.resources.market_data.registry import Entry, StoredUpload
from crypto_assets.resources.storage.files import printable
from crypto_assets.spark.job_spec import ACCOUNT_KINDS, KINDS, AccountKind, Kind

_DESCRIPTIONS: dict[Kind | AccountKind, str] = {
    "history": "The daily price history of a currency, as its owner uploaded it.",
    "trend": "The Google-Trends series of a currency, as its owner uploaded it.",
    "customers": "All customers of the bank at one time, as it dropped them.",
    "accounts": "All accounts of the bank at one time, as it dropped them.",
}
SHOWN_QUARANTINED = 200
_QUARANTINE_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("file"),
        dg.TableColumn("bytes", "int"),
        dg.TableColumn("reason"),
    ]
)


def file_key(kind: Kind | AccountKind) -> dg.AssetKey:
    return dg.AssetKey(f"{kind}_file")


file_specs = [
    dg.AssetSpec(
        file_key(kind),
        description=description,
        partitions_def=ticker_partitions if kind in KINDS else snapshot_partitions,
        group_name="uploads",
        kinds={"csv"},
    )
    for kind, description in _DESCRIPTIONS.items()
]


quarantine_spec = dg.AssetSpec(
    "quarantine",
    description="Uploads that are kept but used for nothing, each with the reason.",
    group_name="uploads",
    kinds={"csv"},
)


def report_upload(instance: dg.DagsterInstance, entry: Entry) -> None:
    """Adds the ticker's partition and reports both its files as materialized."""
    instance.add_dynamic_partitions(str(ticker_partitions.name), [entry.ticker])
    for kind in KINDS:
        report_file(instance, entry.ticker, kind, getattr(entry, kind), {})


def report_snapshot(instance: dg.DagsterInstance, snapshot: StoredSnapshot) -> None:
    """Adds the snapshot's partition and reports both its files as materialized."""
    instance.add_dynamic_partitions(str(snapshot_partitions.name), [snapshot.name])
    for kind in ACCOUNT_KINDS:
        report_file(instance, snapshot.name, kind, getattr(snapshot, kind), {})


def report_file(
    instance: dg.DagsterInstance,
    partition: str,
    kind: Kind | AccountKind,
    upload: StoredUpload,
    facts: Mapping[str, Any],
) -> None:
    """Reports one uploaded file as materialized; `facts` are what the reader made of it."""
    told = {name: _text(value) for name, value in facts.items() if value not in (None, [])}
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            file_key(kind),
            partition=partition,
            metadata={
                "file": upload.name,
                "key": printable(upload.key),
                "size_bytes": upload.size,
                "uploaded_at": upload.uploaded_at,
                **told,
            },
            tags={"dagster/data_version": upload.etag},
        )
    )


def is_reported(
    instance: dg.DagsterInstance, ticker: str, kind: Kind, upload: StoredUpload
) -> bool:
    """Whether this content is what was last reported as this file."""
    last = dg.AssetRecordsFilter(file_key(kind), asset_partitions=[ticker])
    records = instance.fetch_materializations(last, limit=1).records
    made = records[0].asset_materialization if records else None
    return bool(made and (made.tags or {}).get("dagster/data_version") == upload.etag)


def report_quarantine(instance: dg.DagsterInstance, quarantined: Sequence[Quarantined]) -> None:
    """Reports which uploads are in quarantine now."""
    rows = [
        dg.TableRecord({"file": printable(q.key), "bytes": q.size, "reason": printable(q.reason)})
        for q in quarantined[:SHOWN_QUARANTINED]
    ]
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            "quarantine",
            metadata={
                "uploads": len(quarantined),
                "list": dg.MetadataValue.table(records=rows, schema=_QUARANTINE_SCHEMA),
            },
        )
    )


def _text(value: object) -> str | int | float:
    if isinstance(value, (int, float)):
        return value
    return printable("; ".join(map(str, value)) if isinstance(value, list) else str(value))
