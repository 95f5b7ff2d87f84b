"""What is pruned of a home, by the command and once a day, and that a home stops growing."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from filelock import FileLock

from crypto_assets.definitions import defs_of
from crypto_assets.defs import prune as pruning
from crypto_assets.defs.prune import SUMMARY_TAG, Cursor, prune
from crypto_assets.resources import wiring
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.files import size_of
from crypto_assets.ui.follow import Follower
from crypto_assets_tests.helpers.recorded_runs import record_run
from sample_data.accounts import write_snapshots

RUNS = 100
HOUR = 3600.0


@pytest.fixture
def later() -> datetime:
    """A time for which all that a test has made is old."""
    return datetime.now(UTC) + timedelta(days=365)


@pytest.mark.slow
def test_a_home_is_no_larger_after_a_hundred_runs_than_after_a_few(settings, later):
    sizes = []
    with open_instance(settings) as instance:
        for number in range(1, RUNS + 1):
            record_run(instance, ["Oslo"])
            if number % 10 == 0:
                before = size_of(settings.dagster_home)
                runs, *_ = prune(instance, settings, now=later)
                sizes.append(size_of(settings.dagster_home))
                assert runs.size == before - sizes[-1]
                assert len(instance.get_runs()) == 1
    assert max(sizes[1:]) < 1.05 * sizes[0]


@pytest.fixture
def full(settings, run, add, tmp_path) -> Settings:
    """A home in which a currency and the accounts were made anew several times."""
    for level in (100.0, 110.0, 120.0, 130.0, 140.0, 150.0):
        add("BTC", level=level)
    assert run("materialize", "BTC")[0] == 0
    add("BTC", level=160.0)
    assert run("materialize", "BTC")[0] == 0
    for truth in write_snapshots(tmp_path / "bank", customers=40, accounts=100, seed=7):
        files = ["--customers", truth.customers, "--accounts", truth.accounts]
        assert run("accounts", *files)[0] == 0
    return settings


def seen(run, settings: Settings) -> list[object]:
    """What people see of a home: status, profile, tables, and the partitions in the UI."""
    shown = [json.loads(run(*words, "--json")[1]) for words in (["status"], ["profile"])]
    shown.append(run("sql", "SELECT count(*), max(price) FROM market_data.prices")[1])
    with open_instance(settings) as instance:
        graph = defs_of(settings).resolve_asset_graph()
        for key in sorted(graph.materializable_asset_keys):
            if (partitions := graph.get(key).partitions_def) is None:
                continue  # the report
            names = instance.get_dynamic_partitions(partitions.name)
            found = instance.get_status_by_partition(key, names, partitions)
            shown.append({name: state.value for name, state in found.items()})
    return shown


def test_what_people_see_stays_and_what_is_old_is_said_in_words_and_sizes(
    run, full, later, monkeypatch
):
    monkeypatch.setenv("CRYPTO_ASSETS_KEEP_SNAPSHOTS", "1")
    settings = Settings()
    before = seen(run, settings)
    with open_instance(settings) as instance:
        looked = list(prune(instance, settings, now=later, dry_run=True))
        assert (before, seen(run, settings)) == (seen(run, settings), before)
        done = list(prune(instance, settings, now=later))
        again = list(prune(instance, settings, now=later))
    assert [each.count for each in done] == [each.count for each in looked] == [1, 2, 3]
    assert [each.count for each in again] == [0, 0, 0]
    lines = [pruning.summary(each) for each in done]
    assert re.fullmatch(r"old runs: 1 deleted, [\d.]+ [kM]B", lines[0])
    assert re.fullmatch(r"old snapshots' bronze and silver: 2 deleted, [\d.]+ kB", lines[1])
    assert re.fullmatch(r"earlier contents of uploads: 3 deleted, [\d.]+ kB", lines[2])
    assert pruning.summary(again[0]) == "old runs: 0 deleted"
    after = seen(run, settings)
    for document in (before[0], after[0]):
        for snapshot in document["snapshots"][:-1]:  # of the others bronze and silver are gone
            snapshot["layers"].pop("accounts_bronze")
            snapshot["layers"].pop("accounts_silver")
    assert after == before
    assert run("materialize", "BTC")[0] == 0


def test_an_erasure_after_pruning_leaves_nothing_of_the_customer(run, full, later, monkeypatch):
    monkeypatch.setenv("CRYPTO_ASSETS_KEEP_SNAPSHOTS", "1")
    settings = Settings()
    with open_instance(settings) as instance:
        list(prune(instance, settings, now=later))
    table = "accounts.customer_accounts"
    query = f"SELECT customer_id, first(name) FROM {table} WHERE customer_id IS NOT NULL GROUP BY 1"
    (customer, _), *_ = json_rows(run("sql", query, "--format", "json")[1])
    code, _, err = run("forget", customer, "--yes")
    assert code == 0, err
    line = re.compile(rb"^\W*%d," % customer, re.MULTILINE)
    for path in (path for path in settings.inbox_folder.rglob("*.csv") if path.is_file()):
        assert not line.search(path.read_bytes())
    for path in (settings.inbox_folder / "_contents").iterdir():
        assert not line.search(path.read_bytes())
    assert run("accounts")[0] == 0


def json_rows(text: str) -> list[list[object]]:
    return [list(row.values()) for row in json.loads(text)]


def test_a_lake_that_is_in_use_is_left_for_the_next_time_and_the_rest_is_pruned(
    run, settings, monkeypatch
):
    monkeypatch.setenv("CRYPTO_ASSETS_LOCK_WAIT_S", "0")
    settings.lake_folder.mkdir()
    with FileLock(settings.lake_folder / ".accounts.lock"):
        code, out, _ = run("prune")
    lines = out.splitlines()
    assert (code, lines[0]) == (1, "old runs: 0 deleted")
    for line in lines[1:]:
        assert "left for the next time: another run has been publishing accounts" in line
    code, out, _ = run("prune", "--dry-run")
    assert (code, out.splitlines()[0]) == (0, "old runs: 0 to delete")


def sensed(instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorResult:
    with dg.build_sensor_context(
        instance, cursor=cursor, definitions=defs_of(Settings())
    ) as context:
        return defs_of(Settings()).resolve_sensor_def("prune").evaluate_tick(context)


def test_a_run_is_asked_for_once_a_day_and_the_databases_are_rewritten_behind_it(settings):
    with open_instance(settings) as instance:
        first = sensed(instance, None)
        assert not first.run_requests  # a new home has nothing old
        assert not sensed(instance, Cursor(time.time() - 23 * HOUR).dump()).run_requests
        asked = sensed(instance, Cursor(time.time() - 25 * HOUR).dump())
        (request,) = asked.run_requests
        assert request.run_key
        job = defs_of(Settings()).resolve_job_def("prune")
        under_way = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        waits = sensed(instance, asked.cursor)
        assert (waits.run_requests, Cursor.parse(waits.cursor).shrinks) == ([], True)
        instance.report_run_failed(under_way, "it ended")
        ended = sensed(instance, waits.cursor)
        assert (ended.run_requests, Cursor.parse(ended.cursor).shrinks) == ([], False)


@pytest.mark.parametrize("cursor", ["{", "[]", '{"another": "version"}'])
def test_a_broken_cursor_begins_a_day_anew(settings, cursor):
    with open_instance(settings) as instance:
        found = sensed(instance, cursor)
    assert not found.run_requests
    assert time.time() - Cursor.parse(found.cursor).asked_at < HOUR


def test_the_run_says_what_it_did_and_the_log_of_the_ui_repeats_it(settings):
    with open_instance(settings) as instance:
        follower = Follower(instance, [], wiring.outcomes(settings))
        done = defs_of(Settings()).resolve_job_def("prune").execute_in_process(instance=instance)
        (record,) = instance.get_runs()
        assert record.tags[SUMMARY_TAG] == (
            "old runs: 0 deleted; old snapshots' bronze and silver: 0 deleted; "
            "earlier contents of uploads: 0 deleted"
        )
        line = f"run {done.run_id} succeeded: prune: {record.tags[SUMMARY_TAG]}"
        assert line in list(follower.news())
