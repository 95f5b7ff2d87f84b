from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as db
from dagster._core.storage.event_log.sqlite import sqlite_event_log

from crypto_assets.event_log import storage
from crypto_assets.event_log.batches import materialized_last, report_asset_events
from crypto_assets.event_log.checks import partitions_by_status
from crypto_assets_tests.helpers.recorded_runs import (
    DEFINITIONS,
    DEPTH,
    LAYERS,
    PARTITIONS,
    RANGE_TAGS,
    STOCK,
    gauges,
    levels,
    open_log,
    record_run,
    statuses,
)
from crypto_assets_tests.helpers.waiting import HANG_S

CITIES = [f"city {number:02}" for number in range(12)]
INDEX = Path("history/runs/index.db")
OUTSIDE_RUNS = Path("history/runs/.db")
TABLES = {
    "sqlite_master": "type, name, sql",
    "alembic_version": "version_num",
    "event_logs": "id, run_id, event, dagster_event_type, timestamp, step_key, asset_key,"
    " partition",
    "asset_event_tags": "id, event_id, asset_key, key, value, event_timestamp",
    "asset_keys": "id, asset_key, last_materialization, last_run_id,"
    " last_materialization_timestamp",
    # Without the id: Dagster plans a check of several partitions in any order.
    "asset_check_executions": "asset_key, check_name, partition, run_id, execution_status,"
    " evaluation_event, evaluation_event_storage_id, materialization_event_storage_id",
}


@pytest.fixture
def batching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "5")
    with open_log(tmp_path / "batching") as instance:
        yield instance


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def count(path: Path) -> int:
    return rows(path, "SELECT count(*) FROM event_logs")[0][0]


def same_without(text: str, runs: list[str]) -> str:
    """The text with what differs between two runs of one graph made equal."""
    for number, run_id in enumerate(runs):
        text = text.replace(run_id, f"run {number}")
    text = re.sub(r'"(timestamp|pid|duration_ms|file_key|log_key)": [^,}]+', r'"\1": 0', text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", "time", text)
    return re.sub(r"pid: \d+|\d+(\.\d+)?m?s\b", "", text)


def contents(folder: Path, runs: list[str]) -> dict[str, list[str]]:
    """All rows of the index and of the files of these runs."""
    found = {}
    for name in ("index", "", *runs):
        for table, columns in TABLES.items():
            read = rows(folder / f"history/runs/{name}.db", f"SELECT {columns} FROM {table}")
            place = same_without(f"{name}: {table}", runs)
            found[place] = sorted(same_without(repr(row), runs) for row in read)
    return found


def plan(instance: dg.DagsterInstance, cities: list[str], run_id: str, job: str = "observe") -> str:
    """Begins a run over these cities, of which nothing follows."""
    job_def = DEFINITIONS.resolve_job_def(job)
    tags = dict(zip(RANGE_TAGS, (cities[0], cities[-1]), strict=True))
    status = dg.DagsterRunStatus.STARTED
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        instance.create_run_for_job(job_def, run_id=run_id, status=status, tags=tags)
    return run_id


def history(instance: dg.DagsterInstance, *, batches: bool) -> list[str]:
    """Runs that passed, that failed in part, with a check, and one that is under way."""
    runs = [
        record_run(instance, CITIES, batches=batches),
        record_run(instance, CITIES[:7], broken=CITIES[2:4], batches=batches),
        record_run(instance, CITIES[:3], job="observe_and_check", batches=batches),
        plan(instance, CITIES[9:], str(uuid.uuid4())),
    ]
    if batches:
        report_asset_events(instance, [*gauges(CITIES), *levels(CITIES)])
    else:
        for event in [*gauges(CITIES), *levels(CITIES)]:
            instance.report_runless_asset_event(event)
    return runs


def test_what_is_stored_is_what_the_stock_log_stores(batching, tmp_path, monkeypatch):
    runs = history(batching, batches=True)
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE")
    with open_log(tmp_path / "stock", STOCK) as stock:
        stock_runs = history(stock, batches=False)
        assert contents(tmp_path / "batching", runs) == contents(tmp_path / "stock", stock_runs)
        found = statuses(batching)
        assert found == statuses(stock)
    assert {status and status.value for status in found["rain"].values()} == {
        "MATERIALIZED",
        "FAILED",
        "IN_PROGRESS",
    }


def test_the_stock_log_reads_it_and_goes_on_with_it(batching, tmp_path):
    record_run(batching, CITIES, broken=CITIES[:1])
    with open_log(tmp_path / "batching", STOCK) as stock:
        assert statuses(stock) == statuses(batching)
        record_run(stock, CITIES)
        assert statuses(stock) == statuses(batching)


def test_a_check_is_as_it_was_last_evaluated_and_unknown_where_newer_data_is_there(batching):
    record_run(batching, CITIES[:4], broken=CITIES[1:2])
    depth = partitions_by_status(batching, DEPTH, PARTITIONS)
    assert {status: cities for status, cities in depth.items() if cities} == {
        "SUCCEEDED": {CITIES[0], *CITIES[2:4]},
        "FAILED": {CITIES[1]},
    }
    batching.report_runless_asset_event(dg.AssetMaterialization("rain", partition=CITIES[0]))
    assert partitions_by_status(batching, DEPTH, PARTITIONS)["SUCCEEDED"] == {*CITIES[2:4]}


def test_what_a_check_is_evaluated_on_is_the_newest_and_was_not_wiped(batching):
    record_run(batching, CITIES[:4], broken=CITIES[1:2])
    assets = [dg.AssetKey(layer) for layer in LAYERS]
    rain = DEPTH.asset_key
    first = materialized_last(batching, assets, CITIES)
    assert first.keys() == {(asset, CITIES[at]) for asset in assets for at in (0, 2, 3)}
    again = record_run(batching, CITIES[:1])
    newest = materialized_last(batching, assets, CITIES[:3])
    of_city = dg.AssetRecordsFilter(rain, asset_partitions=CITIES[:1])
    (record,) = batching.fetch_materializations(of_city, limit=1).records
    target = newest[rain, CITIES[0]]
    assert (target.storage_id, target.run_id) == (record.storage_id, again)
    assert target.timestamp == pytest.approx(record.timestamp, abs=1e-5)
    assert newest[rain, CITIES[2]] == first[rain, CITIES[2]]
    batching.wipe_assets([rain])
    assert {asset for asset, _ in materialized_last(batching, assets, CITIES)} == {*assets} - {rain}
    record_run(batching, CITIES[:1])
    assert [city for asset, city in materialized_last(batching, [rain], CITIES)] == CITIES[:1]


def test_an_evaluation_that_is_repeated_in_its_run_takes_the_place_of_the_one_before(
    batching, tmp_path
):
    run_id = record_run(batching, CITIES[:2])
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    found = batching.get_records_for_run(run_id, of_type=kind).records
    batching.event_log_storage.store_event_batch([each.event_log_entry for each in found])
    of_run = "SELECT count(*), max(evaluation_event_storage_id) FROM asset_check_executions"
    newest = rows(tmp_path / "batching" / INDEX, "SELECT max(id) FROM event_logs")[0][0]
    assert rows(tmp_path / "batching" / INDEX, of_run) == [(2, newest)]


def test_to_store_evaluations_reads_none_of_those_that_are_there(batching):
    report_asset_events(batching, levels(CITIES))
    said: list[str] = []

    def listen(*given: Any) -> None:
        said.append(given[2])

    db.event.listen(db.Engine, "before_cursor_execute", listen)
    report_asset_events(batching, levels(CITIES[:2]))
    db.event.remove(db.Engine, "before_cursor_execute", listen)
    assert [each.split()[0] for each in said if "asset_check_executions" in each] == ["INSERT"]


def test_a_check_that_was_only_planned_for_its_partitions_is_not_one_that_broke(batching):
    record_run(batching, CITIES[:3], job="observe_and_check")
    plan(batching, CITIES[:3], str(uuid.uuid4()), job="observe_and_check")
    assert partitions_by_status(batching, DEPTH, PARTITIONS)["SUCCEEDED"] == {*CITIES[:3]}


def test_a_batch_opens_no_more_connections_than_one_event(batching, monkeypatch):
    report_asset_events(batching, gauges(CITIES[:1]))  # makes the file
    opened: list[str] = []
    connect = sqlite3.dbapi2.connect

    def counted(path: str, *arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(path)
        return connect(path, *arguments, **options)

    monkeypatch.setattr(sqlite3.dbapi2, "connect", counted)
    report_asset_events(batching, gauges(CITIES[:1]))
    for_one = len(opened)
    report_asset_events(batching, [*gauges(CITIES[:3]), *levels(CITIES[:2])])
    assert 0 < len(opened) - for_one <= for_one


def test_where_no_links_can_be_made_a_run_gets_its_file_all_the_same(
    batching, tmp_path, monkeypatch
):
    def refuse(*_: object) -> None:
        raise PermissionError

    first = record_run(batching, CITIES)
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    second = record_run(batching, CITIES)
    schemas = [
        rows(tmp_path / f"batching/history/runs/{run_id}.db", "SELECT name, sql FROM sqlite_master")
        for run_id in (first, second)
    ]
    assert sorted(schemas[0]) == sorted(schemas[1])
    folders = [path for path in (tmp_path / "batching/history/runs").iterdir() if path.is_dir()]
    assert folders == []


KILLED = """
import os, signal, sys
import sqlalchemy
from pathlib import Path
from crypto_assets.event_log.batches import report_asset_events
from crypto_assets.event_log.checks import partitions_by_status
from crypto_assets_tests.helpers.recorded_runs import gauges, levels, open_log

instance = open_log(Path(sys.argv[1]))
report_asset_events(instance, [*gauges(["before"]), *levels(["before"])])
left, commit = int(sys.argv[2]), sqlalchemy.engine.Connection.commit

def dying(connection):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    commit(connection)

sqlalchemy.engine.Connection.commit = dying
report_asset_events(instance, [*gauges(["Bergen", "Oslo"]), *levels(["Bergen", "Oslo"])])
"""


@pytest.mark.parametrize(
    ("commits", "of_runs", "of_index"), [(0, 2, 2), (1, 6, 2)], ids=["before", "between"]
)
def test_a_kill_leaves_no_event_in_the_index_that_its_own_file_lacks(
    tmp_path, monkeypatch, commits, of_runs, of_index
):
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "100")
    child = subprocess.run([sys.executable, "-c", KILLED, tmp_path, str(commits)], check=False)
    assert child.returncode < 0
    assert (count(tmp_path / OUTSIDE_RUNS), count(tmp_path / INDEX)) == (of_runs, of_index)
    checked = "SELECT partition FROM asset_check_executions ORDER BY id"
    assert rows(tmp_path / INDEX, checked) == [("before",)]
    with open_log(tmp_path, STOCK) as stock:
        assert stock.get_materialized_partitions(dg.AssetKey("gauge")) == {"before"}
    with open_log(tmp_path) as again:
        report_asset_events(again, [*gauges(["Bergen", "Oslo"]), *levels(["Bergen", "Oslo"])])
        found = again.fetch_materializations(dg.AssetKey("gauge"), 100, ascending=True).records
    assert [record.partition_key for record in found] == ["before", "Bergen", "Oslo"]
    assert rows(tmp_path / INDEX, checked) == [("before",), ("Bergen",), ("Oslo",)]


def test_a_batch_that_the_index_does_not_take_is_not_in_the_file_of_its_run(
    batching, tmp_path, monkeypatch
):
    report_asset_events(batching, gauges(CITIES[:5]))
    entries = [record.event_log_entry for record in batching.get_records_for_run("").records]
    for module in (storage, sqlite_event_log):
        monkeypatch.setattr(module, "SQLITE_BUSY_TIMEOUT_SECONDS", 0.1)
    index = tmp_path / "batching" / INDEX
    with closing(sqlite3.connect(index)) as reader:
        # Here a reader keeps a writer from its commit, and from nothing before it.
        reader.execute("PRAGMA journal_mode = DELETE")
        reading = reader.execute("SELECT * FROM event_logs")
        reading.fetchone()
        with pytest.raises(Exception, match="database is locked"):
            batching.event_log_storage.store_event_batch(entries)
        reading.close()
    assert (count(index), count(tmp_path / "batching" / OUTSIDE_RUNS)) == (5, 5)
    batching.event_log_storage.store_event_batch(entries)
    assert (count(index), count(tmp_path / "batching" / OUTSIDE_RUNS)) == (10, 10)


STOCK_WRITER = """
import sys
from pathlib import Path
import dagster as dg
from crypto_assets_tests.helpers.recorded_runs import STOCK, gauges

(Path(sys.argv[1]) / "stock.yaml").write_text(STOCK)
instance = dg.DagsterInstance.from_config(sys.argv[1], "stock.yaml")
for number in range(40):
    (event,) = gauges([f"stock {number}"])
    instance.report_runless_asset_event(event)
    if number == 5:
        print("writing", flush=True)
"""


def test_a_stock_process_writes_to_the_same_files_at_the_same_time(batching, tmp_path):
    folder = tmp_path / "batching"
    with subprocess.Popen(
        [sys.executable, "-c", STOCK_WRITER, folder], stdout=subprocess.PIPE, text=True
    ) as child:
        child.stdout.readline()
        batches = 0
        while child.poll() is None or not batches:
            report_asset_events(batching, gauges([f"batch {batches} {n}" for n in range(5)]))
            batches += 1
    assert child.returncode == 0
    assert count(folder / INDEX) == count(folder / OUTSIDE_RUNS) == 40 + 5 * batches
    known = batching.get_materialized_partitions(dg.AssetKey("gauge"))
    assert len(known) == 40 + 5 * batches


def test_a_watcher_in_the_stock_log_sees_batches_as_they_are_stored(batching, tmp_path):
    run_id, seen, complete = str(uuid.uuid4()), [], threading.Event()

    def see(entry: dg.EventLogEntry, _: str) -> None:
        seen.append(entry.dagster_event.partition)
        if len(seen) == 2 * len(CITIES):
            complete.set()

    with open_log(tmp_path / "batching", STOCK) as stock:
        stock.watch_event_logs(run_id, None, see)
        batching.add_dynamic_partitions("city", CITIES)
        plan(batching, CITIES, run_id)
        assert complete.wait(HANG_S)
        stock.end_watch_event_logs(run_id, see)
    assert sorted(seen) == sorted([*CITIES, *CITIES])
