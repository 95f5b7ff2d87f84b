"""What state each partition of a data set is in, layer by layer, with its problems.

All of it is from Dagster's records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import dagster as dg

from crypto_assets.defs.partitions import REMOVED, partitions_named
from crypto_assets.defs.verdicts import PROBLEM, SUPERSEDED, VERSION
from crypto_assets.resources.data_set.registry import Entry, Registry
from crypto_assets.resources.inbox.inbox import OVERRIDES, Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.market_data.overrides import read_overrides
from crypto_assets.resources.storage.files import printable

State = Literal["published", "stale", "failed", "running", "superseded", "none"]


@dataclass(frozen=True)
class LayerStatus:
    """One layer of a currency or snapshot; `metadata` is that of its last materialization."""

    state: State
    at: str | None = None
    problem: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Status:
    """One partition: its uploads and the state of each layer."""

    entry: Entry
    layers: dict[str, LayerStatus]

    @property
    def problems(self) -> list[str]:
        return [f"{name}: {s.problem}" for name, s in self.layers.items() if s.problem]

    @property
    def state(self) -> State:
        """`failed` if a layer is, else `stale` if a layer is stale or missing, else `published`."""
        states = {layer.state for layer in self.layers.values()}
        return next((s for s in ("running", "failed") if s in states), None) or (
            "stale" if states & {"stale", "none"} else "published"
        )

    def as_json(self) -> dict[str, Any]:
        """What the documents of `status --json` have in common."""
        return {
            "files": {kind: asdict(upload) for kind, upload in self.entry.files.items()},
            "layers": {
                name: {"state": s.state, "at": s.at, "rows": _rows(s), "problem": s.problem}
                for name, s in self.layers.items()
            },
            "problems": self.problems,
        }


def statuses(
    instance: dg.DagsterInstance, registry: Registry, partitions: Iterable[str]
) -> list[Status]:
    """The status of each of these registered partitions, in the order given."""
    data_set, entries = registry.data_set, registry.get_all(partitions)
    layers = {
        layer: _layer_statuses(
            instance,
            layer,
            partitions_named(data_set.partition),
            {name: registry.version(entry, layer) for name, entry in entries.items()},
        )
        for layer in data_set.layers
    }
    return [
        Status(entry, {layer: found[name] for layer, found in layers.items()})
        for name, entry in entries.items()
    ]


def upload_statuses(inbox: Inbox) -> dict[str, list[Any]]:
    """What became of uploads that are of no partition, for `status --json`.

    `quarantine`: kept with the reason; `new`: nobody has looked yet, which `crypto-assets ui` does.
    """
    ledger = Ledger(inbox.objects)
    overrides, _ = read_overrides(inbox)
    quarantined = [(upload.key, upload.reason) for upload in ledger.quarantined()]
    broken = [(OVERRIDES, problem) for problem in overrides.problems]
    return {
        "quarantine": [
            {"file": printable(key), "reason": printable(reason)}
            for key, reason in (*broken, *quarantined)
        ],
        "new": [printable(arrival.key) for arrival in ledger.undecided(inbox.arrivals())],
    }


def _layer_statuses(
    instance: dg.DagsterInstance,
    layer: str,
    partitions: dg.DynamicPartitionsDefinition,
    versions: Mapping[str, str],
) -> dict[str, LayerStatus]:
    """The status of the layer by partition; `versions` are those that should stand there."""
    key, names = dg.AssetKey(layer), list(versions)
    made = _latest(instance, key, dg.DagsterEventType.ASSET_MATERIALIZATION, names)
    seen = _latest(instance, key, dg.DagsterEventType.ASSET_OBSERVATION, names)
    states = instance.get_status_by_partition(key, names, partitions) or {}
    statuses = {}
    for name, version in versions.items():
        running = str(states.get(name)).endswith("IN_PROGRESS")
        statuses[name] = _status(made.get(name), seen.get(name), version, running)
    return statuses


def _latest(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    kind: dg.DagsterEventType,
    tickers: Sequence[str],
) -> dict[str, dg.EventLogRecord]:
    """The newest event of this kind for each ticker that has one."""
    ids = list(instance.get_latest_storage_id_by_partition(key, kind, set(tickers)).values())
    if not ids:
        return {}
    fetch = (
        instance.fetch_materializations
        if kind == dg.DagsterEventType.ASSET_MATERIALIZATION
        else instance.fetch_observations
    )
    records = fetch(dg.AssetRecordsFilter(key, storage_ids=ids), limit=len(ids)).records
    return {str(record.partition_key): record for record in records}


def _status(
    made: dg.EventLogRecord | None, seen: dg.EventLogRecord | None, version: str, running: bool
) -> LayerStatus:
    metadata, tags = _materialization(made)
    state: State = "none"
    problem = None
    if made:
        state = "published" if tags.get("dagster/data_version") == version else "stale"
    if seen and (made is None or seen.storage_id > made.storage_id):
        observed = seen.event_log_entry.asset_observation
        if observed and REMOVED in observed.metadata:
            return LayerStatus("running" if running else "none")
        if observed and SUPERSEDED in observed.metadata:
            return LayerStatus("running" if running else "superseded", metadata=metadata)
        if observed and observed.metadata[VERSION].value != version:
            state = "stale"  # what failed has been replaced since
        elif observed:
            state, problem = "failed", str(observed.metadata[PROBLEM].value)
    if running:
        state = "running"
    latest = max((r.timestamp for r in (made, seen) if r), default=None)
    at = datetime.fromtimestamp(latest, UTC).isoformat(timespec="seconds") if latest else None
    return LayerStatus(state, at, problem, metadata)


def _materialization(
    record: dg.EventLogRecord | None,
) -> tuple[dict[str, Any], Mapping[str, str]]:
    if record is None or (made := record.event_log_entry.asset_materialization) is None:
        return {}, {}
    return {name: value.value for name, value in made.metadata.items()}, made.tags or {}


def _rows(status: LayerStatus) -> int | None:
    """The layer's rows; bronze and silver count each of their two tables."""
    counts = [status.metadata.get(n) for n in ("rows", "history/rows", "history/file_lines")]
    return next((count for count in counts if count is not None), None)
