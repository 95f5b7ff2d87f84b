"""Takes a home over whose outcomes are in Dagster's events alone, as earlier versions kept them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from crypto_assets.defs.verdicts import PROBLEM, SUPERSEDED, VERSION
from crypto_assets.resources.data_set.outcomes import Layer, Outcomes
from crypto_assets.resources.data_set.registry import Registry
from crypto_assets.resources.storage.clock import utc_text

_REMOVED = "removed"  # the metadata by which earlier versions recorded that


def take_over(instance: dg.DagsterInstance, registry: Registry, outcomes: Outcomes) -> None:
    """Copies the last outcomes of a data set from Dagster's events, once in the life of a home."""
    data_set = registry.data_set
    if outcomes.is_taken_over(data_set.name):
        return
    names = registry.names()
    found = {layer: _layers(instance, layer, names) for layer in data_set.layers}
    outcomes.take_over(data_set.name, found)


def _layers(instance: dg.DagsterInstance, layer: str, names: Sequence[str]) -> dict[str, Layer]:
    """What Dagster knows of a layer, by partition."""
    key = dg.AssetKey(layer)
    made = _latest(instance, key, dg.DagsterEventType.ASSET_MATERIALIZATION, names)
    seen = _latest(instance, key, dg.DagsterEventType.ASSET_OBSERVATION, names)
    found = {name: _layer(made.get(name), seen.get(name)) for name in made.keys() | seen.keys()}
    return {name: layer for name, layer in found.items() if layer}


def _latest(
    instance: dg.DagsterInstance, key: dg.AssetKey, kind: dg.DagsterEventType, names: Sequence[str]
) -> dict[str, dg.EventLogRecord]:
    """The newest event of this kind for each partition that has one."""
    ids = list(instance.get_latest_storage_id_by_partition(key, kind, set(names)).values())
    if not ids:
        return {}
    fetch = (
        instance.fetch_materializations
        if kind == dg.DagsterEventType.ASSET_MATERIALIZATION
        else instance.fetch_observations
    )
    records = fetch(dg.AssetRecordsFilter(key, storage_ids=ids), limit=len(ids)).records
    return {str(record.partition_key): record for record in records}


def _layer(made: dg.EventLogRecord | None, seen: dg.EventLogRecord | None) -> Layer | None:
    if seen and made and seen.storage_id < made.storage_id:
        seen = None
    observed = seen.event_log_entry.asset_observation if seen else None
    facts = _values(observed.metadata) if observed else {}
    if _REMOVED in facts:
        return None
    materialized = made.event_log_entry.asset_materialization if made else None
    return Layer(
        (materialized.tags or {}).get("dagster/data_version") if materialized else None,
        _at(made),
        _values(materialized.metadata) if materialized else {},
        facts.get(VERSION),
        _at(seen),
        facts.get(PROBLEM),
        facts.get(SUPERSEDED),
        passing=False,
    )


def _values(metadata: Mapping[str, dg.MetadataValue]) -> dict[str, Any]:
    return {name: value.value for name, value in metadata.items()}


def _at(record: dg.EventLogRecord | None) -> str | None:
    if record is None:
        return None
    return utc_text(datetime.fromtimestamp(record.timestamp, UTC))
