"""What people upload, such as `history_file` and `trend_file`: seen by Dagster, not made by it.

Their materializations are reported when a file arrives, with the content's hash as data version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from crypto_assets.defs.partitions import partitions_named
from crypto_assets.event_log.batches import report_asset_events
from crypto_assets.resources.data_set.outcomes import Outcomes
from crypto_assets.resources.data_set.registry import Registry
from crypto_assets.resources.inbox.ledger import Quarantined
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.printable import printable

SHOWN_QUARANTINED = 200
_VERSION = "dagster/data_version"
_QUARANTINE_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("file"),
        dg.TableColumn("bytes", "int"),
        dg.TableColumn("reason"),
    ]
)


def file_key(kind: str) -> dg.AssetKey:
    return dg.AssetKey(f"{kind}_file")


def file_specs(data_set: DataSet) -> Iterator[dg.AssetSpec]:
    """The specs of the files of a data set."""
    for kind, holds in data_set.files.items():
        yield dg.AssetSpec(
            file_key(kind),
            description=holds,
            partitions_def=partitions_named(data_set.partition),
            group_name="uploads",
            kinds={"csv"},
        )


quarantine_spec = dg.AssetSpec(
    "quarantine",
    description="Uploads that are kept but used for nothing, each with the reason.",
    group_name="uploads",
    kinds={"csv"},
)


def report_registered(instance: dg.DagsterInstance, registry: Registry, outcomes: Outcomes) -> None:
    """Adds the partitions that were registered without Dagster since this was last done.

    Their files are reported as materialized.
    """
    tokens = outcomes.unreported(registry.data_set.name)
    if not tokens:
        return
    entries = registry.get_all(tokens)
    instance.add_dynamic_partitions(registry.data_set.partition, list(entries))
    events = [
        file_event(name, kind, upload, {})
        for name, entry in entries.items()
        for kind, upload in entry.files.items()
    ]
    report_asset_events(instance, unreported(instance, events))
    outcomes.reported(tokens.values())


def file_event(
    partition: str, kind: str, upload: StoredUpload, facts: Mapping[str, Any]
) -> dg.AssetMaterialization:
    """The materialization of one uploaded file; `facts` are what the reader made of it."""
    known = {name: _text(value) for name, value in facts.items() if value not in (None, [])}
    return dg.AssetMaterialization(
        file_key(kind),
        partition=partition,
        metadata={
            "file": upload.name,
            "key": printable(upload.key),
            "size_bytes": upload.size,
            "uploaded_at": upload.uploaded_at,
            **known,
        },
        tags={_VERSION: upload.etag},
    )


def unreported(
    instance: dg.DagsterInstance, events: Sequence[dg.AssetMaterialization]
) -> list[dg.AssetMaterialization]:
    """Those whose content is not what was last reported as this file of their partition."""
    made, log = dg.DagsterEventType.ASSET_MATERIALIZATION, instance.event_log_storage
    last = {
        key: log.get_latest_tags_by_partition(
            key, made, [_VERSION], [str(e.partition) for e in events if e.asset_key == key]
        )
        for key in {event.asset_key for event in events}
    }
    return [e for e in events if last[e.asset_key].get(str(e.partition)) != e.tags]


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
