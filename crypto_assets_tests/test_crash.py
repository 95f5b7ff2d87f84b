"""Batches killed with SIGKILL: what is published stays whole, old or new, and the next run ends it.

The real command runs in a child process. A child that is to die at a certain call runs the same
command with that one function wrapped; what the function does is unchanged until it kills.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from pyarrow import parquet

from crypto_assets.resources import wiring
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.uploads.register import add_currency
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv
from crypto_assets_tests.helpers.waiting import HANG_S

TICKERS = ("AAA", "BBB", "CCC", "007", "1INCH", "ALL")
OLD = (41, 100.0, 110.0)  # rows, lowest and highest price
NEW = (48, 200.0, 220.0)
FILES = 5 * len(TICKERS)  # bronze and silver have two each, gold has one
COMMAND = str(Path(sys.executable).with_name("crypto-assets"))
MATERIALIZE = ("materialize", "--all")

DYING = """
import itertools, os, pathlib, signal, sys, threading
import dagster, duckdb, psutil
from crypto_assets.cli import main
from crypto_assets.resources.engine import workers

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def kill_workers():
    for process in psutil.Process().children():
        process.kill()

def at_call(number, owner, name, act, counts=lambda *args: True):
    function, calls = getattr(owner, name), itertools.count(1)
    def wrapper(*args, **kwargs):
        last = counts(*args) and next(calls) == number
        if last:
            act()
        result = function(*args, **kwargs)
        if last:
            threading.Event().wait()  # nothing comes after what it is to die in
        return result
    setattr(owner, name, wrapper)

where, number = sys.argv.pop(1), int(sys.argv.pop(1))
if where == "answer":
    at_call(number, workers._Process, "answer", die)
elif where == "worker":
    at_call(number, workers._Process, "give", lambda: threading.Timer(0.02, kill_workers).start())
elif where == "rename":
    at_call(number, os, "replace", die, lambda source, _: "/_staging/" in str(source))
elif where == "insert":
    at_call(
        number, duckdb.DuckDBPyConnection, "execute", die, lambda _, sql, *args: "read_parq" in sql
    )
elif where == "commit":
    at_call(number, duckdb.DuckDBPyConnection, "commit", die)
elif where == "publish":
    at_call(number, pathlib.Path, "replace", die, lambda _, target: target.suffix == ".duckdb")
elif where == "event":
    at_call(number, dagster.DagsterInstance, "handle_new_event", die)
elif where == "recovery":
    home = os.path.join(os.environ["CRYPTO_ASSETS_HOME"], "dagster")
    storage = dagster.DagsterInstance.from_config(home).event_log_storage
    at_call(number, type(storage), "free_concurrency_slots_for_run", die)
main()
"""


@dataclass(frozen=True)
class Home:
    """A home folder and what can be done to it from outside."""

    root: Path

    @property
    def settings(self) -> Settings:
        return Settings(home=self.root, lock_wait_s=HANG_S)

    def start(self, *command: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """A child on this home; its helpers share its process group and not our pipes."""
        environment = {**os.environ, "CRYPTO_ASSETS_HOME": str(self.root)}
        with Path(log or os.devnull).open("wb") as stream:
            return subprocess.Popen(
                command,
                env=environment,
                cwd=self.root.parent,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )

    def die(self, where: str, number: int) -> None:
        """Materializes everything in a child that kills itself there."""
        child = self.start(sys.executable, "-c", DYING, where, str(number), *MATERIALIZE)
        assert finished(child) == -signal.SIGKILL

    def die_after(self, seconds: float) -> int:
        """Materializes everything in a child that is killed from outside, unless it has ended."""
        child = self.start(COMMAND, *MATERIALIZE)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
        return finished(child)

    def call(self, *arguments: str) -> float:
        """Runs the plain command, which must succeed; returns the seconds it took."""
        log, started = self.root.parent / "command.log", time.monotonic()
        exit_code = finished(self.start(COMMAND, *arguments, log=log))
        assert exit_code == 0, log.read_text()
        return time.monotonic() - started

    def upload(self, level: float, days: int, interest: int) -> None:
        """Registers every ticker with new files, as `crypto-assets add` does."""
        inbox, (registry, _) = wiring.inbox(self.settings), wiring.registries(self.settings)
        for ticker in TICKERS:
            folder = self.root.parent / "files" / ticker
            folder.mkdir(parents=True, exist_ok=True)
            (history := folder / "prices.csv").write_text(history_csv(level, days=days))
            (trend := folder / "trend.csv").write_text(trend_csv(ticker, [interest] * 7))
            add_currency(inbox, registry, ticker, {"history": history, "trend": trend}, Choices())

    def published(self) -> dict[str, object]:
        """The bytes of every published file, each read whole, and the rows of every view."""
        lake = Path(self.settings.lake_folder)
        files = [p for p in sorted(lake.rglob("data.parquet")) if "_staging" not in p.parts]
        assert all(parquet.ParquetFile(path).read().num_rows > 0 for path in files)
        rows = {}
        for ticker in TICKERS:
            view = f'SELECT * FROM market_data."{ticker.lower()}" ORDER BY date'
            _, rows[f"rows of {ticker}"] = wiring.warehouse(self.settings).query(view)
        return {str(path.relative_to(lake)): path.read_bytes() for path in files} | rows

    def signatures(self) -> dict[str, tuple]:
        """By ticker: rows, lowest and highest price in the table across currencies."""
        _, found = wiring.warehouse(self.settings).query(
            "SELECT ticker, count(*), min(price), max(price) FROM market_data.prices GROUP BY 1"
        )
        return {ticker: tuple(signature) for ticker, *signature in found}

    def runs(self) -> tuple[list[str], int]:
        """The states of all runs, and how many slots of the Spark pool are taken."""
        with dg.DagsterInstance.from_config(str(self.settings.dagster_home)) as instance:
            slots = instance.event_log_storage.get_concurrency_info("spark")
            return [run.status.value for run in instance.get_runs()], len(slots.claimed_slots)

    def loaded(self) -> int:
        """How many times a currency was recorded as loaded into the warehouse."""
        with dg.DagsterInstance.from_config(str(self.settings.dagster_home)) as instance:
            return len(instance.fetch_materializations(dg.AssetKey("warehouse"), 100).records)

    def staged(self) -> list[Path]:
        return sorted(Path(self.settings.lake_folder, "_staging").rglob("*.parquet"))


def finished(child: subprocess.Popen[bytes]) -> int:
    """The child's exit code; a child that takes too long is killed with its helpers."""
    try:
        child.wait(HANG_S)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    return child.returncode


@pytest.fixture(scope="module")
def uploaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, dict, float]:
    """A home whose old state is published and whose new files wait; that state, and its seconds."""
    home = Home(tmp_path_factory.mktemp("uploaded") / "home")
    home.upload(level=100.0, days=40, interest=30)
    seconds = home.call(*MATERIALIZE)
    old = home.published()
    assert home.signatures() == dict.fromkeys(TICKERS, OLD)
    assert len(old) == FILES + len(TICKERS)
    home.upload(level=200.0, days=47, interest=60)
    return home, old, seconds


@pytest.fixture
def home(uploaded: tuple[Home, dict, float], tmp_path: Path) -> Iterator[Home]:
    """A copy of that home, to be killed in."""
    yield Home(shutil.copytree(uploaded[0].root, tmp_path / "home"))
    shutil.rmtree(tmp_path)


def assert_recovers(home: Home, old: dict, *killed: dict) -> None:
    """The next plain run ends the work, and all that was published at the kills is old or new."""
    home.call(*MATERIALIZE)
    new = home.published()
    assert home.signatures() == dict.fromkeys(TICKERS, NEW)
    for state in killed:
        assert list(state) == list(old) == list(new)
        assert [name for name in old if state[name] not in (old[name], new[name])] == []
    assert list(Path(home.settings.lake_folder, "_staging").glob("*")) == []
    states, slots = home.runs()
    assert set(states) <= {"SUCCESS", "FAILURE"}
    assert slots == 0


def test_a_batch_killed_while_it_computes_leaves_everything_old(home, uploaded):
    home.die("answer", 3)  # the files of some currencies are staged
    killed, (_, old, _) = home.published(), uploaded
    assert killed == old
    assert home.staged() != []
    assert home.runs() == (["STARTED", "SUCCESS"], 1)
    assert_recovers(home, old, killed)


def test_a_batch_killed_between_two_renames_leaves_each_file_old_or_new(home, uploaded):
    _, old, _ = uploaded
    home.die("rename", 2)  # between the two bronze files of the first ticker
    first = home.published()
    assert [name for name in old if first[name] != old[name]] == [
        f"bronze/kind=history/ticker={min(TICKERS)}/data.parquet"
    ]
    home.die("rename", FILES)  # before gold of the last ticker
    second = home.published()
    assert [name for name in old if second[name] == old[name]] == [
        f"gold/ticker={max(TICKERS)}/data.parquet",
        *(f"rows of {ticker}" for ticker in TICKERS),
    ]
    assert_recovers(home, old, first, second)


def test_new_currencies_killed_between_two_renames_count_as_made_only_after_the_next_run(home):
    lake = Path(home.settings.lake_folder)
    shutil.rmtree(lake)
    home.die("rename", 3)  # the first finds no folder, the third is of another file
    assert [str(path.relative_to(lake)) for path in lake.glob("bronze/*/*/data.parquet")] == [
        f"bronze/kind=history/ticker={min(TICKERS)}/data.parquet"
    ]
    assert not any(wiring.market_data(home.settings).versions(TICKERS).values())
    home.call(*MATERIALIZE)
    assert home.signatures() == dict.fromkeys(TICKERS, NEW)
    assert len(home.published()) == FILES + len(TICKERS)


def test_a_batch_killed_inside_the_warehouse_transaction_keeps_every_row(home, uploaded):
    _, old, _ = uploaded
    home.die("commit", 1)  # the old rows are deleted, the new ones inserted
    assert home.signatures() == dict.fromkeys(TICKERS, OLD)
    assert_recovers(home, old, home.published())


def test_a_batch_killed_before_the_new_warehouse_is_in_its_place_records_nothing(home, uploaded):
    home.die("publish", 1)
    assert home.signatures() == dict.fromkeys(TICKERS, OLD)
    assert home.loaded() == len(TICKERS)
    assert (home.root / ".warehouse.duckdb.part" / "warehouse.duckdb").exists()
    assert_recovers(home, uploaded[1], home.published())
    assert home.loaded() == 2 * len(TICKERS)
    assert not (home.root / ".warehouse.duckdb.part").exists()


def test_a_command_killed_while_it_ends_a_killed_run_leaves_no_slot_taken(home):
    home.die("answer", 1)
    home.die("recovery", 1)
    home.call("status")
    assert home.runs() == (["FAILURE", "SUCCESS"], 0)


def test_a_run_killed_while_dagster_records_its_plan_is_ended_by_the_next_command(home):
    home.die("event", 10)  # a planned materialization for each ticker and layer comes first
    home.call("status")
    assert home.runs() == (["FAILURE", "SUCCESS"], 0)


def test_batches_killed_at_random_moments_leave_everything_old_or_new(home, uploaded):
    _, old, seconds = uploaded
    draw, killed = random.Random(20241125), []
    for part in range(3):
        home.die_after(seconds * (0.5 + 0.17 * (part + draw.random())))
        killed.append(home.published())
    assert_recovers(home, old, *killed)


@pytest.mark.slow
def test_a_batch_killed_between_delete_and_insert_keeps_every_row(home, uploaded):
    home.die("insert", 1)
    assert home.signatures() == dict.fromkeys(TICKERS, OLD)
    assert_recovers(home, uploaded[1], home.published())


@pytest.mark.slow
@pytest.mark.parametrize("event", [1, 24, 25, 27, 30, 31, 40, 55])
def test_a_run_killed_before_any_of_its_events_is_ended_by_the_next_run(home, uploaded, event):
    home.die("event", event)
    assert_recovers(home, uploaded[1], home.published())


@pytest.mark.slow
@pytest.mark.parametrize("rename", range(1, FILES + 1, 3))
def test_a_batch_killed_at_any_rename_recovers(home, uploaded, rename):
    home.die("rename", rename)
    assert_recovers(home, uploaded[1], home.published())


@pytest.mark.slow
@pytest.mark.parametrize("answer", range(1, len(TICKERS) + 1))
def test_a_batch_killed_before_any_answer_of_a_process_recovers(home, uploaded, answer):
    home.die("answer", answer)
    assert_recovers(home, uploaded[1], home.published())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25))
def test_a_batch_killed_at_a_random_moment_recovers(home, uploaded, seed):
    _, old, seconds = uploaded
    home.die_after(seconds * random.Random(seed).uniform(0.5, 1.0))
    assert_recovers(home, old, home.published())
