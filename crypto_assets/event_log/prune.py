"""Deletes old runs and events, so that a Dagster instance does not grow without end.

Dagster's public `delete_run` leaves a run's SQLite file at full size, and its asset checks behind.
Relied on: the tables of `SqlEventLogStorage` and `SqlRunStorage`, and that `SqliteEventLogStorage`
keeps a run's events in a file of their own and copies of its asset events in the index. Snapshots
of jobs stay: there is one for each version of the code, not one for each run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import sqlalchemy as db
from dagster._core.events import ASSET_EVENTS
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.storage.runs.sqlite import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy.engine import Connection

_RUNLESS = ""  # the run id of events that were reported outside of any run
_WORTH_A_REWRITE = 0.1  # the share of a file's pages that must be free
_EVENTS = SqlEventLogStorageTable.c
_CHECKS = AssetCheckExecutionsTable.c


def runs_to_delete(instance: dg.DagsterInstance, before: datetime) -> list[str]:
    """The ids of the runs that ended before this time and that nothing needs, the oldest first.

    A run is needed if one of its events is the newest of its type for an asset or a partition of
    one, if it made the newest evaluation of an asset check, or if it has the newest event of all:
    SQLite would give its id away again, and sensors remember ids.
    """
    events, runs = instance.event_log_storage, instance.run_storage
    if not (isinstance(events, SqlEventLogStorage) and isinstance(runs, SqlRunStorage)):
        return []
    ended = (
        db.select(RunsTable.c.run_id)
        .where(RunsTable.c.status.in_([status.value for status in FINISHED_STATUSES]))
        .where(RunsTable.c.update_timestamp < _stored(before))
        .order_by(RunsTable.c.id)
    )
    with runs.connect() as connection:
        found = [str(run_id) for (run_id,) in connection.execute(ended)]
    with events.index_connection() as connection:
        needed = {run_id for query in _needed() for (run_id,) in connection.execute(query)}
    return [run_id for run_id in found if run_id not in needed]


def delete_runs(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> None:
    """Deletes these runs with all that Dagster keeps of them; those that are gone already, too.

    A run's own row goes last: after a kill half-way, `runs_to_delete` names the run again. Only on
    SQLite everything goes; elsewhere what Dagster's public `delete_run` takes.
    """
    events = instance.event_log_storage
    for run_id in run_ids:
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        if not isinstance(events, SqliteEventLogStorage):
            instance.delete_run(run_id)
            continue
        with events.index_connection() as connection:
            of_run = db.select(_EVENTS.id).where(_EVENTS.run_id == run_id)
            _delete_events(connection, of_run)
            connection.execute(AssetCheckExecutionsTable.delete().where(_CHECKS.run_id == run_id))
        events.free_concurrency_slots_for_run(run_id)
        for suffix in ("", "-wal", "-shm"):
            Path(f"{events.path_for_shard(run_id)}{suffix}").unlink(missing_ok=True)
        instance.run_storage.delete_run(run_id)


def delete_reported_events(instance: dg.DagsterInstance, before: datetime) -> None:
    """Deletes asset events that were reported outside of runs before this time.

    The newest of each type for an asset or a partition of one stays.
    """
    events = instance.event_log_storage
    if not isinstance(events, SqlEventLogStorage):
        return
    old = (
        db.select(_EVENTS.id)
        .where(_EVENTS.run_id == _RUNLESS)
        .where(_EVENTS.dagster_event_type.in_([kind.value for kind in ASSET_EVENTS]))
        .where(_EVENTS.timestamp < _stored(before))
        .where(_EVENTS.id.not_in(_newest_events()))
        .where(_EVENTS.id < db.select(db.func.max(_EVENTS.id)).scalar_subquery())
    )
    with events.index_connection() as connection:
        _delete_events(connection, old)
    if isinstance(events, SqliteEventLogStorage) and _reported(events).exists():
        with events.run_connection(_RUNLESS) as connection:
            _delete_events(connection, old)


def vacuum(instance: dg.DagsterInstance) -> bool:
    """Gives the free pages of Dagster's SQLite files back to the file system.

    Returns whether it did: not on other databases, and not while a run is unfinished, which would
    have to wait. Raises `sqlite3.OperationalError` if a file is locked for long.
    """
    ended = {status.value for status in FINISHED_STATUSES}
    unfinished = [status for status in dg.DagsterRunStatus if status.value not in ended]
    if instance.get_runs_count(dg.RunsFilter(statuses=unfinished)):
        return False
    files = list(_files(instance))
    for path in files:
        with closing(sqlite3.connect(path, timeout=SQLITE_BUSY_TIMEOUT_SECONDS)) as connection:
            free, pages = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("freelist_count", "page_count")
            )
            if free > _WORTH_A_REWRITE * pages:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return bool(files)


def _needed() -> Iterator[db.Select]:
    """Queries of the index for the ids of runs that must stay."""
    newest_checks = db.select(db.func.max(_CHECKS.id)).group_by(
        _CHECKS.asset_key, _CHECKS.check_name, _CHECKS.partition
    )
    newest_of_all = db.select(db.func.max(_EVENTS.id))
    yield db.select(_EVENTS.run_id).where(_EVENTS.id.in_(_newest_events())).distinct()
    yield db.select(_EVENTS.run_id).where(_EVENTS.id.in_(newest_of_all))
    yield db.select(_CHECKS.run_id).where(_CHECKS.id.in_(newest_checks)).distinct()


def _newest_events() -> db.Select:
    """The ids of the newest asset events of each type, by asset and partition."""
    return (
        db.select(db.func.max(_EVENTS.id))
        .where(_EVENTS.asset_key.is_not(None))
        .where(_EVENTS.dagster_event_type.in_([kind.value for kind in ASSET_EVENTS]))
        .group_by(_EVENTS.asset_key, _EVENTS.dagster_event_type, _EVENTS.partition)
    )


def _delete_events(connection: Connection, ids: db.Select) -> None:
    """Deletes the events with these ids, and their tags."""
    tags = AssetEventTagsTable
    connection.execute(tags.delete().where(tags.c.event_id.in_(ids)))
    connection.execute(SqlEventLogStorageTable.delete().where(_EVENTS.id.in_(ids)))


def _files(instance: dg.DagsterInstance) -> Iterator[str]:
    """The SQLite files of the instance that shrink when runs are deleted."""
    events, runs = instance.event_log_storage, instance.run_storage
    if isinstance(events, SqliteEventLogStorage):
        yield events.path_for_shard(INDEX_SHARD_NAME)
        if _reported(events).exists():
            yield str(_reported(events))
    if isinstance(runs, SqliteRunStorage):
        with runs.connect() as connection:
            yield str(connection.execute(db.text("PRAGMA database_list")).one().file)


def _reported(events: SqliteEventLogStorage) -> Path:
    """The file of the events that were reported outside of runs."""
    return Path(events.path_for_shard(_RUNLESS))


def _stored(time: datetime) -> datetime:
    """A time as Dagster stores it: UTC without saying so."""
    return time.astimezone(UTC).replace(tzinfo=None)
