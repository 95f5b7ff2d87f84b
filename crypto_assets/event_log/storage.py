"""An event log on SQLite that stores a batch of events of assets and checks in one transaction.

Dagster 1.13.27's `SqliteEventLogStorage` stores the events of a batch one by one: for each it
makes three or four engines and commits twice. Here a batch costs one commit for the run's file and
one for the index; what is stored, where and in which order is the same. Dagster hands over batches
if `DAGSTER_EVENT_BATCH_SIZE` is set. In `dagster.yaml`:

    event_log_storage:
      module: <this module>
      class: BatchingSqliteEventLogStorage
      config: {}

An engine is kept for each file, without connections: Dagster makes a new one each time, which
compiles every statement anew. Nor are Dagster's migrations loaded to look at a file that has been
marked with one.

Relied on: the parent's `_connect`, `_initdb`, `_initialized_dbs`, `_event_insert_timestamp`,
`_store_asset_event`, `_store_asset_event_tags` and `_store_asset_check_evaluation_planned`, its
lock, and that it keeps each event in the run's file and a copy of each asset event in the index.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._config.config_schema import UserConfigSchema
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from .check_rows import Stored, is_kept, is_storable, store_checks
from .rows import is_asset_event, row_of

_ID = SqlEventLogStorageTable.c.id
_ENGINES = 16  # files whose engines are kept: a web server looks at thousands of runs


class BatchingSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's event log on SQLite, with batches of asset events in one transaction a file.

    `base_dir` is the folder of its files; without it, where the instance's log is by default.
    """

    def __init__(
        self, base_dir: str | None = None, inst_data: ConfigurableClassData | None = None
    ) -> None:
        self._inst_data = inst_data
        self._has_files = base_dir is not None
        self._engine = lru_cache(_ENGINES)(self._new_engine)
        self._tables: set[str] = set()  # of the index
        if base_dir is not None:
            super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {"base_dir": dg.Field(dg.StringSource, is_required=False)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> BatchingSqliteEventLogStorage:
        return cls(inst_data=inst_data, **config_value)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Opens the instance's files where no folder is configured: only here it is known."""
        if not self._has_files:
            folder = Path(instance.root_directory, "history", "runs")
            super().__init__(str(folder), self._inst_data)
            self._has_files = True
        super().register_instance(instance)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Stores events of one run, all or none of them.

        A kill between the two commits leaves what a stock run can leave: events of the run that the
        index does not know. Events of other kinds among them are stored one by one, as by Dagster.
        """
        run_ids = {event.run_id for event in events}
        if len(run_ids) > 1 or not all(is_asset_event(e) or is_storable(e) for e in events):
            super().store_event_batch(events)
            return
        rows = [
            {**row_of(event), "timestamp": self._event_insert_timestamp(event)} for event in events
        ]
        (run_id,) = run_ids
        if run_id not in self._initialized_dbs:
            with self.run_connection(run_id):  # makes the file of a new run
                pass
        with self._db_lock, self._open(run_id) as run, self._open(INDEX_SHARD_NAME) as index:
            of_run, of_index = _insert(run, rows), _insert(index, rows)
            self._store_what_happened(index, events, rows, of_index)
            run.commit()
            try:
                index.commit()
            except Exception:  # Dagster stores the events again, one by one
                run.execute(SqlEventLogStorageTable.delete().where(_ID.in_(of_run)))
                run.commit()
                raise

    def _store_what_happened(
        self,
        index: Connection,
        events: Sequence[EventLogEntry],
        rows: Sequence[Mapping[str, Any]],
        ids: Sequence[int],
    ) -> None:
        """Adds to the index's other tables what these events, stored there, say."""
        stored = [
            Stored(event, event_id, row["event"])
            for event, event_id, row in zip(events, ids, rows, strict=True)
        ]
        of_assets = [each for each in stored if is_asset_event(each.event)]
        if of_assets:
            self._store_asset_event_tags(
                index, [each.event for each in of_assets], [each.id for each in of_assets]
            )
            for each in _last_of_each(of_assets):
                self._store_asset_event(index, each.event, each.id)
        of_checks = [each for each in stored if not is_asset_event(each.event)]
        if of_checks:
            store_checks(index, of_checks)

    def has_table(self, table_name: str) -> bool:
        """As Dagster's, which asks a new engine each time; a table that is there stays there."""
        if table_name not in self._tables:
            with self._open(INDEX_SHARD_NAME) as index:
                if not index.dialect.has_table(index, table_name):
                    return False
            self._tables.add(table_name)
        return True

    def _store_asset_check_evaluation_planned(
        self, event: EventLogEntry, event_id: int | None
    ) -> None:
        if is_kept(event):
            super()._store_asset_check_evaluation_planned(event, event_id)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if shard not in self._initialized_dbs:
                self._initdb(self._engine(shard))
                self._initialized_dbs.add(shard)
            with self._engine(shard).begin() as connection:
                yield connection

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """Makes a run's file as a copy of an empty one, which takes a tenth of building it."""
        path = Path(str(engine.url.database))
        if not for_index_shard and not path.exists():
            with suppress(OSError):  # another process was first, or there are no links here
                self._copy_empty(path)
                return
        if not _is_marked(engine):
            super()._initdb(engine, for_index_shard)

    def _copy_empty(self, path: Path) -> None:
        """Links a copy of the empty file to the path, whole or not at all."""
        empty = Path(self._base_dir, f"empty-{dg.__version__}")
        with TemporaryDirectory(prefix=".", dir=self._base_dir) as folder:
            copy = Path(folder, path.name)
            if not empty.exists():
                super()._initdb(db.create_engine(f"sqlite:///{copy}", poolclass=NullPool))
                copy.replace(empty)
            with copy.open("wb") as stream:
                stream.write(empty.read_bytes())
                stream.flush()
                os.fsync(stream.fileno())
            path.hardlink_to(copy)

    @contextmanager
    def _open(self, shard: str) -> Iterator[Connection]:
        """A connection to one of the files; what is not committed is rolled back."""
        with self._engine(shard).connect() as connection:
            yield connection

    def _new_engine(self, shard: str) -> Engine:
        return db.create_engine(
            self.conn_string_for_shard(shard),
            poolclass=NullPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
        )


def _is_marked(engine: Engine) -> bool:
    """Whether the file says at which of Dagster's migrations it is, so that it was made whole."""
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, "alembic_version"):
            return False
        return connection.execute(db.text("SELECT 1 FROM alembic_version")).first() is not None


def _insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> range:
    """Inserts the rows and returns their ids, which follow each other: SQLite has one writer."""
    connection.execute(SqlEventLogStorageTable.insert(), rows)
    last = connection.execute(db.select(db.func.max(_ID))).scalar_one()
    return range(last - len(rows) + 1, last + 1)


def _last_of_each(stored: Sequence[Stored]) -> Iterator[Stored]:
    """The last event of each type and asset: what the asset's own row is made of."""
    last = {
        (each.event.dagster_event_type, each.event.get_dagster_event().asset_key): each
        for each in stored
    }
    yield from sorted(last.values(), key=lambda each: each.id)
