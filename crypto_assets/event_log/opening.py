"""Dagster's stores of runs and schedules on SQLite, opened without its migrations.

Dagster 1.13.27 loads all its migrations for each of the two files, each time it opens them, to see
whether a file is marked with one. Here the mark alone is looked for; a file without one is left to
Dagster. An engine is kept for each, as in `storage`. `dagster.yaml` names these classes, with
`config: {}`, as `run_storage` and `schedule_storage`.

Relied on: both classes' `from_local`, `connect` and constructor, and where their files are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import dagster as dg
import sqlalchemy as db
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from .storage import is_marked


class _Unmigrated:
    """Opens the file of a stock class, where an instance has it by default."""

    _stock: ClassVar[type[Any]]
    _place: ClassVar[tuple[str, str]]  # its folder in the instance's, and its name

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        return cls(inst_data, **config_value)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Opens the file: only here it is known where."""
        within, name = self._place
        folder = str(Path(instance.root_directory, within))
        uri = create_db_conn_string(folder, name)
        self._engine = db.create_engine(uri, poolclass=NullPool)
        if not is_marked(self._engine):
            self._stock.from_local(folder)
        self._stock.__init__(self, uri, self._inst_data)
        self._stock.register_instance(self, instance)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection


class QuickSqliteRunStorage(_Unmigrated, SqliteRunStorage):
    """Dagster's runs on SQLite."""

    _stock = SqliteRunStorage
    _place = ("history", "runs")


class QuickSqliteScheduleStorage(_Unmigrated, SqliteScheduleStorage):
    """Dagster's schedules on SQLite."""

    _stock = SqliteScheduleStorage
    _place = ("schedules", "schedules")
