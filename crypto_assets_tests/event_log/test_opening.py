"""The stores of runs and schedules: those of Dagster, opened without its migrations."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import dagster as dg
import pytest
from alembic.script import ScriptDirectory

from crypto_assets_tests.helpers.recorded_runs import BATCHING, STOCK, open_log

QUICK = f"""{BATCHING}
run_storage:
  module: crypto_assets.event_log.opening
  class: QuickSqliteRunStorage
  config: {{}}
schedule_storage:
  module: crypto_assets.event_log.opening
  class: QuickSqliteScheduleStorage
  config: {{}}
"""
FILES = ("history/runs.db", "schedules/schedules.db")


def schema(home: Path) -> list[list[tuple[str, ...]]]:
    """The tables and indexes of both files, and the migrations they are at."""
    found = []
    for name in FILES:
        with closing(sqlite3.connect(home / name)) as connection:
            found.append(
                connection.execute(
                    "SELECT type, name, sql FROM sqlite_master ORDER BY 2"
                ).fetchall()
                + connection.execute("SELECT version_num FROM alembic_version").fetchall()
            )
    return found


@dg.job
def nothing() -> None:
    """A job without a step."""


def make_run(instance: dg.DagsterInstance) -> str:
    return instance.create_run_for_job(nothing).run_id


@pytest.fixture
def no_migrations(monkeypatch):
    def load(_config):
        raise AssertionError("the migrations are loaded")

    monkeypatch.setattr(ScriptDirectory, "from_config", staticmethod(load))


def test_a_new_home_has_the_files_that_dagster_makes(tmp_path):
    with open_log(tmp_path / "quick", QUICK), open_log(tmp_path / "stock", STOCK):
        pass
    assert schema(tmp_path / "quick") == schema(tmp_path / "stock")


def test_a_home_is_opened_without_loading_migrations(tmp_path, request):
    with open_log(tmp_path, STOCK) as stock:
        first = make_run(stock)
    request.getfixturevalue("no_migrations")
    with open_log(tmp_path, QUICK) as quick:
        second = make_run(quick)
        assert {run.run_id for run in quick.get_runs()} == {first, second}
        assert quick.all_instigator_state() == []


def test_dagsters_own_stores_read_what_was_written(tmp_path):
    with open_log(tmp_path, QUICK) as quick:
        run_id = make_run(quick)
    with open_log(tmp_path, STOCK) as stock:
        assert [run.run_id for run in stock.get_runs()] == [run_id]


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_a_mark_is_left_to_dagster_which_marks_it(tmp_path, name):
    with open_log(tmp_path, STOCK) as stock:
        run_id = make_run(stock)
    with closing(sqlite3.connect(tmp_path / name)) as connection:
        connection.execute("DROP TABLE alembic_version")
        connection.commit()
    with open_log(tmp_path, QUICK) as quick:
        assert [run.run_id for run in quick.get_runs()] == [run_id]
    with closing(sqlite3.connect(tmp_path / name)) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_the_configuration_names_each_part_once():
    text = files("crypto_assets").joinpath("dagster.yaml").read_text()
    parts = re.findall(r"^(\w+):", text, re.MULTILINE)
    assert parts == list(dict.fromkeys(parts))  # YAML takes the last of two, without a word
