"""Which partitions runs cover, asked without Dagster where no run is under way."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import dagster as dg
import pytest

from crypto_assets.definitions import defs_of
from crypto_assets.defs.partitions import RANGE_TAGS
from crypto_assets.defs.status import statuses
from crypto_assets.defs.under_way import UnderWay, under_way
from crypto_assets.resources import wiring
from crypto_assets.resources.home.instance import (
    PROCESS_TAG,
    UNFINISHED,
    open_instance,
    process_name,
)
from crypto_assets.resources.home.state import (
    KILLED,
    UNFINISHED_STATUSES,
    has_history,
    has_unfinished_runs,
)
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.processes import saying

PROCESS = """
import sys
from pathlib import Path
from crypto_assets.resources.storage.process_lock import hold
Path(sys.argv[2]).write_text(hold(Path(sys.argv[1])))
print("holds", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def create(settings):
    """Creates a run of these tickers in Dagster, in this state; of this process or another one."""

    def create_run(first, last, status, process=""):
        with open_instance(settings) as instance:
            instance.add_dynamic_partitions(MARKET_DATA.partition, ["AAA", "BBB", "CCC"])
            instance.create_run_for_job(
                defs_of(settings).resolve_job_def("refresh_currencies"),
                tags={
                    **dict(zip(RANGE_TAGS, (first, last), strict=True)),
                    PROCESS_TAG: process or process_name(instance),
                },
                status=status,
            )

    return create_run


@pytest.fixture
def states(run):
    """The states of each ticker's layers, and its problems, as `status` has them."""

    def of(ticker):
        found = json.loads(run("status", "--json")[1])["currencies"]
        (document,) = [each for each in found if each["ticker"] == ticker]
        layers = {layer["state"] for layer in document["layers"].values()}
        return layers, document["problems"]

    return of


def test_a_run_is_unfinished_in_the_states_in_which_dagster_says_so(settings, create):
    assert {*UNFINISHED_STATUSES} == {s.value for s in (dg.DagsterRunStatus.QUEUED, *UNFINISHED)}
    ended = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
    for status in ended:
        create("AAA", "AAA", status)
    assert not has_unfinished_runs(settings)
    create("AAA", "AAA", dg.DagsterRunStatus.NOT_STARTED)
    assert has_unfinished_runs(settings)


def test_a_home_without_dagster_has_no_runs_and_one_whose_runs_are_elsewhere_may(settings):
    assert not has_unfinished_runs(settings)
    (settings.dagster_home / "history/runs.db").unlink()
    assert has_unfinished_runs(settings)
    (settings.dagster_home / "dagster.yaml").unlink()
    assert not has_history(settings)
    assert not has_unfinished_runs(settings)


def test_a_waiting_run_is_under_way_for_what_it_covers(add, create, states, run):
    for ticker in ("AAA", "BBB", "CCC"):
        add(ticker)
    create("AAA", "BBB", dg.DagsterRunStatus.NOT_STARTED)
    assert states("AAA") == states("BBB") == ({"running"}, [])
    assert states("CCC") == ({"none"}, [])
    assert "1 of 3 currencies are stale" in run("materialize", "--stale")[2]


def test_a_run_whose_process_was_killed_is_shown_as_that_before_dagster_marks_it(
    settings, add, create, states, tmp_path
):
    add("AAA")
    name, folder = tmp_path / "name", settings.dagster_home / "processes"
    with saying("holds", PROCESS, str(folder), str(name)) as process:
        create("AAA", "AAA", dg.DagsterRunStatus.STARTED, f"{name.read_text()}:")
        wiring.outcomes(settings).begin(MARKET_DATA.name, ["AAA"], "run")
        assert states("AAA") == ({"running"}, [])
        process.kill()
        process.wait()
        assert has_unfinished_runs(settings)  # nobody has marked it
        assert states("AAA") == ({"none"}, [f"broke off: {KILLED}"])
    assert not has_unfinished_runs(settings)


def test_a_run_that_begins_or_ends_while_status_looks_did_not_break_off(settings, add):
    for ticker in ("AAA", "BBB", "CCC"):
        add(ticker)
    currencies, _ = wiring.published(settings)
    outcomes = currencies.outcomes
    outcomes.begin(MARKET_DATA.name, ["AAA", "BBB", "CCC"], "killed")
    (look,) = under_way(settings, [currencies])
    outcomes.begin(MARKET_DATA.name, ["BBB"], "new")
    outcomes.end(MARKET_DATA.name, ["CCC"], "killed")
    found = statuses(currencies, ["AAA", "BBB", "CCC"], look)
    assert [each.problem for each in found] == [f"broke off: {KILLED}", None, None]


def test_outcomes_of_an_earlier_version_are_taken_over_though_nothing_runs(settings, add):
    add("AAA")
    currencies, _ = wiring.published(settings)
    assert not currencies.outcomes.is_taken_over(MARKET_DATA.name)
    assert under_way(settings, [currencies]) == [UnderWay(set(), {})]
    assert currencies.outcomes.is_taken_over(MARKET_DATA.name)


def test_a_busy_or_damaged_list_of_runs_is_an_error_and_not_an_empty_one(settings):
    path = settings.dagster_home / "history/runs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE runs RENAME COLUMN status TO other")
    with pytest.raises(sqlite3.Error):
        has_unfinished_runs(settings)
