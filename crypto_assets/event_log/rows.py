"""Asset events as rows of the event log: what Dagster's `serialize_value` writes, in half the time.

An event of an asset is some fifty small objects. Dagster works out for each of them anew how it is
written, and does it twice for metadata; here it is worked out once for each class. What is not a
named tuple or a record, Dagster packs itself. Relied on: the table of its serializers, the
attributes of `NamedTupleSerializer`, and how `MetadataFieldSerializer` writes an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache, lru_cache
from typing import Any, NamedTuple

import dagster as dg
from dagster._core.definitions.dependency import NodeHandle
from dagster._core.definitions.metadata import MetadataFieldSerializer
from dagster._core.events import ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.plan.handle import StepHandle
from dagster_shared.check.record import is_record
from dagster_shared.record import _REMAPPING_FIELD
from dagster_shared.serdes.serdes import (
    _WHITELIST_MAP,
    EMPTY_VALUES_TO_SKIP,
    NamedTupleSerializer,
    ObjectSerializer,
    pack_value,
)
from dagster_shared.seven import json

Pack = Callable[[Any], Any]
_OF_ASSETS = frozenset(kind.value for kind in ASSET_EVENTS)
_SCALARS = frozenset([str, int, float, bool, type(None)])
_REPEATING = frozenset([dg.AssetKey, NodeHandle, StepHandle])  # are the same in many events
_HOOKS = ("before_pack", "pack_items")  # a class that has one of its own is packed by Dagster


def serialized(value: object) -> str:
    """The object as JSON, as `serialize_value` writes it."""
    return str(json.dumps(_packed(value)))


def is_asset_event(event: EventLogEntry) -> bool:
    """Whether it is an event of an asset, not of a check of one."""
    happened = event.dagster_event
    return happened is not None and happened.event_type_value in _OF_ASSETS


def row_of(event: EventLogEntry) -> dict[str, Any]:
    """The columns of an event but its time, as `SqlEventLogStorage` fills them.

    The columns of the asset and the partition are null of an event that is no asset's.
    """
    happened = event.get_dagster_event()
    key = partition = None
    if is_asset_event(event):  # to ask others takes as long as to write them
        key, partition = happened.asset_key, happened.partition
    return {
        "run_id": event.run_id,
        "event": serialized(event),
        "dagster_event_type": happened.event_type_value,
        "step_key": happened.step_key,
        "asset_key": key.to_string() if key else None,
        "partition": partition or None,
    }


def _packed(value: Any) -> Any:
    kind: Any = type(value)
    if kind in _SCALARS:
        return value
    if kind is list:
        return [_packed(each) for each in value]
    if kind is dict:
        return {name: _packed(each) for name, each in value.items()}
    if kind in _REPEATING or isinstance(value, Enum):
        return _packed_once(value)
    return _packer(kind)(value)


@lru_cache(typed=True)  # words of two lists may be equal
def _packed_once(value: Any) -> Any:
    kind: Any = type(value)
    return _packer(kind)(value)


@cache
def _packer(kind: Any) -> Pack:
    """What packs the objects of this class."""
    serializer = _WHITELIST_MAP.object_serializers.get(kind.__name__)
    if not isinstance(serializer, NamedTupleSerializer) or any(
        getattr(type(serializer), hook) is not getattr(ObjectSerializer, hook) for hook in _HOOKS
    ):
        return pack_value
    fields = [_Field.of(name, serializer) for name in _names(kind)]
    fixed = {"__class__": serializer.get_storage_name(), **serializer.old_fields}
    values_of = kind.__hidden_iter__ if is_record(kind) else tuple.__iter__

    def pack(value: Any) -> dict[str, Any]:
        packed = fixed.copy()
        for field, content in zip(fields, values_of(value), strict=True):
            stored = field.pack(content)
            if not (field.skipped and stored in field.skipped):
                packed[field.stored] = stored
        return packed

    return pack


class _Field(NamedTuple):
    """The name that a field is stored under, what packs it, and what it is left out for."""

    stored: str
    pack: Pack
    skipped: Sequence[Any]

    @classmethod
    def of(cls, name: str, serializer: Any) -> _Field:
        """The field of this name of the objects that the serializer is for."""
        skipped: Sequence[Any] = (None,) if name in serializer.skip_when_none_fields else ()
        if name in serializer.skip_when_empty_fields:
            skipped = EMPTY_VALUES_TO_SKIP
        own = serializer.field_serializers.get(name)
        stored = serializer.storage_field_names.get(name, name)
        return cls(stored, _field_packer(own) if own else _packed, skipped)


def _names(kind: Any) -> list[str]:
    """The fields of a class, as its constructor names them."""
    renamed = getattr(kind, _REMAPPING_FIELD) if is_record(kind) else {}
    return [renamed.get(name, name) for name in kind._fields]


def _field_packer(serializer: Any) -> Pack:
    """What packs a field that has a serializer of its own."""
    if type(serializer) is MetadataFieldSerializer:
        return _metadata

    def pack(value: Any) -> Any:
        return serializer.pack(value, whitelist_map=_WHITELIST_MAP, descent_path="")

    return pack


def _metadata(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "__class__": "EventMetadataEntry",
            "label": label,
            "entry_data": _packed(value),
            "description": None,
        }
        for label, value in values.items()
    ]
