"""What asset checks came to: the rows of the index by which Dagster answers for a partition.

Relied on: the table of `SqlEventLogStorage` and which of its rows that class adds or changes for an
event. Here all events of a batch take a few statements in the transaction of the caller, and what
is planned for partitions is no row (see `is_kept`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection

_KEY = ("asset_key", "check_name", "run_id", "partition")  # a unique index has them
_EVALUATED = (
    "execution_status",
    "evaluation_event",
    "evaluation_event_timestamp",
    "evaluation_event_storage_id",
    "materialization_event_storage_id",
)
_INSERT = sqlite.insert(AssetCheckExecutionsTable)
_UPSERT = _INSERT.on_conflict_do_update(
    index_elements=_KEY, set_={name: _INSERT.excluded[name] for name in _EVALUATED}
)


class Stored(NamedTuple):
    """An event as it is in the index: under this id, with this text."""

    event: EventLogEntry
    id: int
    text: str


def is_storable(event: EventLogEntry) -> bool:
    """Whether it is a check's event that `store_checks` takes.

    Several plans of a check without partitions look alike; which one an evaluation is of, Dagster
    is asked.
    """
    data = _data(event)
    if isinstance(data, AssetCheckEvaluation):
        return data.partition is not None
    return isinstance(data, AssetCheckEvaluationPlanned)


def _data(event: EventLogEntry) -> object:
    return event.dagster_event.event_specific_data if event.dagster_event else None


def is_kept(plan: EventLogEntry) -> bool:
    """Whether the plan of a check is a row until the check is evaluated: not if it has partitions.

    Dagster adds a row for each partition, whose text names all of them: 10,000 take gigabytes. Of
    what a run then does not reach they say that the check broke.
    """
    data = cast("AssetCheckEvaluationPlanned", plan.get_dagster_event().event_specific_data)
    return data.partitions_subset is None


def store_checks(connection: Connection, events: Iterable[Stored]) -> None:
    """Adds what these events say of checks; of a partition the last one of its run counts."""
    planned: list[dict[str, Any]] = []
    evaluated: list[dict[str, Any]] = []
    for each in events:
        if isinstance(_data(each.event), AssetCheckEvaluation):
            evaluated.append(_evaluated(each))
        elif is_kept(each.event):
            planned.append(_planned(each))
    if planned:
        connection.execute(_INSERT, planned)
    if evaluated:
        connection.execute(_UPSERT, evaluated)


def _planned(stored: Stored) -> dict[str, Any]:
    data = cast("AssetCheckEvaluationPlanned", stored.event.get_dagster_event().event_specific_data)
    status = AssetCheckExecutionRecordStatus.PLANNED.value
    return {
        **_row(stored, data, None),
        "execution_status": status,
        "evaluation_event": stored.text,
    }


def _evaluated(stored: Stored) -> dict[str, Any]:
    data = cast("AssetCheckEvaluation", stored.event.get_dagster_event().event_specific_data)
    status = AssetCheckExecutionRecordStatus
    target = data.target_materialization_data
    return {
        **_row(stored, data, data.partition),
        "execution_status": (status.SUCCEEDED if data.passed else status.FAILED).value,
        "evaluation_event": stored.text,
        "materialization_event_storage_id": target.storage_id if target else None,
    }


def _row(
    stored: Stored,
    data: AssetCheckEvaluation | AssetCheckEvaluationPlanned,
    partition: str | None,
) -> dict[str, Any]:
    time = datetime.fromtimestamp(stored.event.timestamp, UTC).replace(tzinfo=None)
    return {
        "asset_key": data.asset_key.to_string(),
        "check_name": data.check_name,
        "partition": partition,
        "run_id": stored.event.run_id,
        "evaluation_event_timestamp": time,
        "evaluation_event_storage_id": stored.id,
    }
