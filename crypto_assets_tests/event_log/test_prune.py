from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from crypto_assets.event_log.batches import report_asset_events
from crypto_assets.event_log.prune import (
    delete_reported_events,
    delete_runs,
    runs_to_delete,
    vacuum,
)
from crypto_assets_tests.helpers.recorded_runs import (
    CHECK,
    gauges,
    open_log,
    record_run,
    statuses,
)

CITIES = ["Bergen", "Oslo", "Turku"]


def later() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_log(tmp_path) as opened:
        yield opened


def bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def files_of(folder: Path, run_id: str) -> list[Path]:
    return [path for path in folder.rglob("*") if run_id in str(path)]


def rows_of(folder: Path, run_id: str) -> dict[str, int]:
    """How many rows with this run's id there are in each table that has run ids."""
    found = {}
    for file in ("history/runs/index.db", "history/runs.db"):
        with closing(sqlite3.connect(folder / file)) as connection:
            tables = [
                name
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type='table'"
                )
                if "run_id" in {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
            ]
            for table in tables:
                query = f"SELECT count(*) FROM {table} WHERE run_id = ?"
                found[table] = connection.execute(query, [run_id]).fetchone()[0]
    return found


def test_a_run_whose_partitions_were_all_made_again_goes_whole(instance, tmp_path):
    old, new = record_run(instance, CITIES), record_run(instance, CITIES)
    before = statuses(instance)
    assert runs_to_delete(instance, later()) == [old]

    delete_runs(instance, [old])

    assert instance.get_run_by_id(old) is None
    assert files_of(tmp_path, old) == []
    assert set(rows_of(tmp_path, old).values()) == {0}
    assert instance.get_run_by_id(new).status == dg.DagsterRunStatus.SUCCESS
    assert statuses(instance) == before
    assert runs_to_delete(instance, later()) == []


def test_a_run_stays_for_one_partition_that_was_not_made_since(instance):
    record_run(instance, CITIES)
    record_run(instance, CITIES[:2])
    assert runs_to_delete(instance, later()) == []


def test_a_run_stays_that_is_the_last_one_to_fail_or_to_be_observed(instance):
    record_run(instance, CITIES, broken=CITIES)
    record_run(instance, CITIES)
    assert runs_to_delete(instance, later()) == []


def test_statuses_are_the_same_after_runs_that_passed_and_failed_are_deleted(instance):
    gone = [
        record_run(instance, CITIES),
        record_run(instance, CITIES, broken=["Oslo"]),
    ]
    record_run(instance, CITIES)
    record_run(instance, CITIES[1:], broken=["Oslo"])
    before = statuses(instance)
    assert {status.value for status in before["rain"].values()} == {"MATERIALIZED", "FAILED"}

    assert runs_to_delete(instance, later()) == gone
    delete_runs(instance, gone)

    assert statuses(instance) == before


def test_a_run_that_ended_after_the_given_time_stays(instance):
    start = datetime.now(UTC)
    record_run(instance, CITIES)
    record_run(instance, CITIES)
    assert runs_to_delete(instance, start) == []


def test_an_unfinished_run_stays_and_nothing_is_rewritten(instance):
    old = record_run(instance, CITIES)
    record_run(instance, CITIES)
    run = instance.get_run_by_id(old)
    instance.run_storage.delete_run(old)
    instance.add_run(run._replace(status=dg.DagsterRunStatus.STARTED))
    assert runs_to_delete(instance, later()) == []
    assert not vacuum(instance)


def test_the_run_of_the_newest_evaluation_of_a_check_stays(instance):
    record_run(instance, CITIES, job="observe_and_check")
    other = dg.AssetCheckEvaluation(CHECK.asset_key, "wet", passed=True, metadata={})
    checked = instance.get_runs()[0].run_id
    instance.report_dagster_event(
        dg.DagsterEvent(
            dg.DagsterEventType.ASSET_CHECK_EVALUATION.value, "observe", event_specific_data=other
        ),
        run_id=checked,
    )
    record_run(instance, CITIES)
    assert runs_to_delete(instance, later()) == []


def test_the_run_of_the_newest_event_stays_whose_id_would_be_given_away_again(instance):
    other = dg.Definitions(jobs=[dg.GraphDefinition(name="empty").to_job()])
    record_run(instance, CITIES)
    last = other.resolve_job_def("empty").execute_in_process(instance=instance).run_id
    assert last not in runs_to_delete(instance, later())


def test_a_deletion_may_be_repeated_and_goes_on_where_it_was_killed(
    instance, tmp_path, monkeypatch
):
    old = record_run(instance, CITIES)
    record_run(instance, CITIES)

    def killed(run_id: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(instance.run_storage, "delete_run", killed)
        with pytest.raises(KeyboardInterrupt):
            delete_runs(instance, [old])

    assert runs_to_delete(instance, later()) == [old]
    delete_runs(instance, [old])
    delete_runs(instance, [old, "never-was"])
    assert files_of(tmp_path, old) == []
    assert runs_to_delete(instance, later()) == []


@pytest.mark.slow
def test_the_size_is_bounded_however_many_runs_there_were(instance, tmp_path):
    cities = [f"city {number}" for number in range(20)]
    record_run(instance, cities)
    record_run(instance, cities)
    delete_runs(instance, runs_to_delete(instance, later()))
    assert vacuum(instance)
    one = bytes_of(tmp_path)

    for _ in range(100):
        record_run(instance, cities)
    assert bytes_of(tmp_path) > 20 * one
    delete_runs(instance, runs_to_delete(instance, later()))
    assert vacuum(instance)
    assert bytes_of(tmp_path) < 1.1 * one


def test_of_what_was_reported_outside_of_runs_the_newest_stays(instance):
    for mm, city in enumerate(["Oslo", "Turku", "Oslo", "Turku", "Oslo"], start=1):
        report_asset_events(instance, gauges([city], mm))
    delete_reported_events(instance, datetime.now(UTC) - timedelta(days=1))
    assert len(instance.fetch_materializations(dg.AssetKey("gauge"), 10).records) == 5

    delete_reported_events(instance, later())

    left = instance.fetch_materializations(dg.AssetKey("gauge"), 10).records
    made = [record.asset_materialization for record in left]
    assert [(m.partition, m.metadata["mm"].value) for m in made] == [("Oslo", 5), ("Turku", 4)]
    assert len(instance.get_records_for_run("").records) == 2


def test_without_sqlite_what_dagster_deletes_goes():
    with dg.DagsterInstance.ephemeral() as instance:
        old = record_run(instance, CITIES)
        record_run(instance, CITIES)
        assert runs_to_delete(instance, later()) == [old]
        delete_runs(instance, [old])
        delete_reported_events(instance, later())
        assert instance.get_run_by_id(old) is None
        assert not vacuum(instance)
