"""What state each currency and snapshot is in, layer by layer, with its problems.

All of it is from Dagster's records.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import dagster as dg

from crypto_assets.defs.partitions import REMOVED, snapshot_partitions, ticker_partitions
from crypto_assets.defs.verdicts import PROBLEM, SUPERSEDED, VERSION
from crypto_assets.resources.accounts.digest import HAPPENED
from crypto_assets.resources.accounts.snapshots import Snapshots, StoredSnapshot
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.market_data.overrides import broken, read_overrides
from crypto_assets.resources.market_data.registry import Entry, Registry
from crypto_assets.resources.storage.files import printable
from crypto_assets.spark.job_spec import ACCOUNT_KINDS, ACCOUNT_LAYERS, KINDS, LAYERS, Layer

State = Literal["published", "stale", "failed", "running", "superseded", "none"]


@dataclass(frozen=True)
class LayerStatus:
    """One layer of a currency or snapshot; `metadata` is that of its last materialization."""

    state: State
    at: str | None = None
    problem: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CurrencyStatus:
    """One currency: its uploads and the state of each layer."""

    entry: Entry
    layers: dict[Layer, LayerStatus]

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
        """A document of plain values, the shape of `status --json`."""
        span = self.layers["gold"].metadata
        return {
            "ticker": self.entry.ticker,
            "files": {kind: asdict(getattr(self.entry, kind)) for kind in KINDS},
            "layers": {
                name: {"state": s.state, "at": s.at, "rows": _rows(s), "problem": s.problem}
                for name, s in self.layers.items()
            },
            "rows": span.get("rows"),
            "first_date": span.get("first_date"),
            "last_date": span.get("last_date"),
            "problems": self.problems,
        }


def snapshot_status(
    snapshot: StoredSnapshot, layers: Mapping[Layer, LayerStatus]
) -> dict[str, Any]:
    """One snapshot of customer accounts, the shape of `status --json`."""
    changes = layers["customer_account_store"].metadata
    return {
        "snapshot": snapshot.name,
        "files": {kind: asdict(getattr(snapshot, kind)) for kind in ACCOUNT_KINDS},
        "layers": {
            name: {"state": s.state, "at": s.at, "problem": s.problem} for name, s in layers.items()
        },
        "rows": layers["customer_accounts"].metadata.get("rows"),
        "changes": {name: changes.get(name) for name in HAPPENED},
        "problems": [f"{name}: {s.problem}" for name, s in layers.items() if s.problem],
    }


def upload_statuses(inbox: Inbox, registry: Registry, snapshots: Snapshots) -> dict[str, list[Any]]:
    """What became of uploads that are no registered currency's, the shape of `status --json`.

    `waiting`: one file of a currency has come; `waiting_accounts`: one of a snapshot; `quarantine`:
    kept with the reason; `new`: nobody has looked yet, which `crypto-assets ui` does.
    """
    ledger = Ledger(inbox.objects)
    overrides, _ = read_overrides(inbox)
    return {
        "waiting": [
            {"ticker": ticker, "has": kind, "file": printable(upload.key)}
            for ticker, (kind, upload) in registry.waiting().items()
        ],
        "waiting_accounts": [
            {"has": kind, "file": printable(upload.key)} for kind, upload in snapshots.waiting()
        ],
        "quarantine": [
            {"file": printable(upload.key), "reason": printable(upload.reason)}
            for upload in (*broken(overrides), *ledger.quarantined())
        ],
        "new": [printable(arrival.key) for arrival in ledger.undecided(inbox.arrivals())],
    }


def in_state(
    instance: dg.DagsterInstance, entries: Mapping[str, Entry], states: Collection[str]
) -> list[str]:
    """The tickers in one of these states: `failed`, `stale` or `published`."""
    return [
        status.entry.ticker
        for status in currency_statuses(instance, entries)
        if status.state in states
    ]


def currency_statuses(
    instance: dg.DagsterInstance, entries: Mapping[str, Entry]
) -> list[CurrencyStatus]:
    """The status of each registered currency, in the order given."""
    layers = {
        layer: _layer_statuses(
            instance, layer, ticker_partitions, {t: e.version(layer) for t, e in entries.items()}
        )
        for layer in LAYERS
    }
    return [
        CurrencyStatus(entry, {layer: layers[layer][ticker] for layer in LAYERS})
        for ticker, entry in entries.items()
    ]


def snapshot_statuses(
    instance: dg.DagsterInstance, snapshots: Sequence[StoredSnapshot]
) -> list[dict[str, Any]]:
    """The status of each snapshot, in the order given."""
    layers = {
        layer: _layer_statuses(
            instance, layer, snapshot_partitions, {s.name: s.version(layer) for s in snapshots}
        )
        for layer in ACCOUNT_LAYERS
    }
    return [
        snapshot_status(snapshot, {layer: layers[layer][snapshot.name] for layer in ACCOUNT_LAYERS})
        for snapshot in snapshots
    ]


def _layer_statuses(
    instance: dg.DagsterInstance,
    layer: Layer,
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
