"""Uploads from the inbox to the warehouse, with Dagster's real webserver and daemon as children."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from crypto_assets.defs.partitions import ticker_partitions
from crypto_assets.resources import wiring as profile
from crypto_assets.resources.instance import open_instance, prepare_home
from crypto_assets.resources.market_data.registry import WrongUse
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv

COMMAND = [sys.executable, "-m", "crypto_assets.cli"]
DAEMON = [
    str(Path(sys.executable).with_name("dagster-daemon")),
    "run",
    "-m",
    "crypto_assets.definitions",
]
REPOSITORY = (
    '{repositoryName: "__repository__", repositoryLocationName: "crypto_assets.definitions"}'
)
TICKS = (
    "{ sensorsOrError(repositorySelector: " + REPOSITORY + ") { ... on Sensors { results "
    "{ name sensorState { ticks(limit: 1) { status } } } } } }"
)
RUNS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def ask(url: str, query: str) -> dict | None:
    """The answer to a GraphQL query; None while the server is not up."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)["data"]
    except (OSError, ValueError):
        return None


def until(seconds: float, what: str, found: Callable[[], object]) -> float:
    """Waits until something is found; the seconds it took."""
    started = time.monotonic()
    while not found():
        assert time.monotonic() - started < seconds, f"{what}: not within {seconds} s"
        time.sleep(0.3)
    return time.monotonic() - started


@contextmanager
def child(settings: Settings, *words: str) -> Iterator[subprocess.Popen]:
    """A process of its own group on this home, killed with all it started."""
    environment = {**os.environ, **prepare_home(settings)}
    log = (settings.root / "child.log").open("ab")
    with (
        log,
        subprocess.Popen(
            words, env=environment, stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        try:
            yield process
        finally:
            started = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGKILL)
            for other in started:
                with pytest.MonkeyPatch.context(), _gone():
                    other.kill()


@contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except psutil.NoSuchProcess:
        return


def prices(settings: Settings) -> dict[str, float]:
    """The highest price of each ticker in the warehouse; empty while there is none."""
    try:
        _, rows = profile.warehouse(settings).query(
            "SELECT ticker, max(price) FROM market_data.prices GROUP BY ticker"
        )
    except WrongUse:
        return {}
    return dict(rows)


def highest(level: float) -> float:
    return round(level * 1.1, 2)


def test_dropped_files_are_in_the_warehouse_within_30_seconds(settings, tmp_path, record_property):
    port = free_port()
    url = f"http://127.0.0.1:{port}/graphql"
    (files := tmp_path / "mine").mkdir()
    (files / "bitcoin prices.csv").write_text(history_csv(100.0))
    (files / "multiTimeline.csv").write_text(trend_csv("bitcoin"))
    (files / "dogecoin prices.csv").write_text(history_csv(1.0, cells={12: "n.a. see mail"}))
    (files / "dogecoin trend.csv").write_text(trend_csv("dogecoin"))
    (files / "什么.csv").write_text("nothing that anybody knows\n")
    with child(settings, *COMMAND, "ui", "--port", str(port)):
        until(60, "the UI", lambda: ask(url, "{ version }"))
        until(60, "a first tick", lambda: _has_ticked(url))
        subprocess.run([*COMMAND, "upload", str(files)], check=True)
        took = until(
            30, "the table", lambda: prices(settings).get("BTC") == pytest.approx(highest(100.0))
        )
        runs = ask(url, RUNS)["runsOrError"]["results"]
        until(
            20,
            "the end of the run",
            lambda: ask(url, RUNS)["runsOrError"]["results"][0]["status"] == "FAILURE",
        )
        until(30, "the notice", settings.notices.exists)
        time.sleep(12)  # another look of the notice's sensor
    assert len(runs) == 1
    logging.getLogger(__name__).info("in the warehouse after %.1f s", took)
    status = subprocess.run(
        [*COMMAND, "status", "--json"], capture_output=True, check=True, text=True
    )
    document = json.loads(status.stdout)
    assert [q["file"] for q in document["quarantine"]] == ["mine/什么.csv"]
    states = {
        currency["ticker"]: [layer["state"] for layer in currency["layers"].values()]
        for currency in document["currencies"]
    }
    assert states == {"BTC": ["published"] * 4, "DOGE": ["failed", "none", "none", "none"]}
    notices = settings.notices.read_text()
    assert notices.count("tickers failed in run") + notices.count("1 ticker failed in run") == 1
    assert "DOGE failed at bronze: dogecoin prices.csv: line 12: not a price" in notices


def _has_ticked(url: str) -> bool:
    sensors = (ask(url, TICKS) or {}).get("sensorsOrError", {}).get("results", [])
    return any(s["name"] == "uploads" and s["sensorState"]["ticks"] for s in sensors)


class Storm:
    """200 currencies whose files arrive in any order, some twice, some replaced."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.tickers = [f"T{number:03}" for number in range(200)]
        self.levels: dict[str, float] = {}
        self.pairs: Counter[str] = Counter()
        sections = [
            f'[{t}]\nhistory = "*/{t} prices.csv"\ntrend = "*/{t} trend.csv"' for t in self.tickers
        ]
        settings.inbox.mkdir(parents=True)
        (settings.inbox / "currencies.toml").write_text("\n".join(sections))

    def burst(self, name: str, files: list[tuple[str, str]]) -> None:
        """Uploads these (ticker, kind) files; each history at a new level."""
        (self.folder / "storm").mkdir(parents=True, exist_ok=True)
        paths = []
        for number, (ticker, kind) in enumerate(files):
            path = self.folder / "storm" / f"{ticker} {kind}.csv"
            if kind == "prices":
                self.levels[ticker] = 100.0 + len(name) * 1000 + number
                path.write_text(history_csv(self.levels[ticker]))
            else:
                path.write_text(trend_csv(ticker))
            self.pairs[ticker] += 1
            paths.append(path)
        subprocess.run(
            [*COMMAND, "upload", str(self.folder / "storm")], check=True, capture_output=True
        )

    def done(self) -> bool:
        found = prices(self.settings)
        return all(
            found.get(ticker) == pytest.approx(highest(level))
            for ticker, level in self.levels.items()
        )


@pytest.mark.slow
def test_a_storm_of_uploads_with_a_daemon_killed_twice_ends_as_the_newest_files_say(
    settings, tmp_path
):
    """The pairs a currency had bound its runs: those Dagster repeats after a kill do not count."""
    storm = Storm(settings, tmp_path)
    chance = random.Random(11)
    files = [(ticker, kind) for ticker in storm.tickers for kind in ("prices", "trend")]
    chance.shuffle(files)
    replaced = [(ticker, "prices") for ticker in chance.sample(storm.tickers, 12)]
    with child(settings, *DAEMON) as process:
        storm.burst("a", files[:150])
        until(90, "the first tables", lambda: prices(settings))
        storm.burst("bb", files[130:300])  # some files a second time
        until(60, "a run under way", lambda: _running(settings))
        process.kill()  # the daemon alone: its runs go on
    with child(settings, *DAEMON) as process:
        storm.burst("ccc", files[300:] + files[:5])
        until(90, "a run under way", lambda: _running(settings))
        storm.burst("dddd", replaced)
        until(90, "a run under way", lambda: _running(settings))
        os.killpg(process.pid, signal.SIGKILL)  # with all its runs
    with child(settings, *DAEMON):
        until(400, "the newest tables", storm.done)
        until(120, "the end of all runs", lambda: not _unfinished(settings))
    with open_instance(settings) as instance:
        order = instance.get_dynamic_partitions(str(ticker_partitions.name))
        covered: Counter[str] = Counter()
        for run in instance.get_runs():
            if not run.parent_run_id:
                first, last = (
                    order.index(run.tags[f"dagster/asset_partition_range_{end}"])
                    for end in ("start", "end")
                )
                covered.update(order[first : last + 1])
        keys = [run.tags["dagster/run_key"] for run in instance.get_runs() if not run.parent_run_id]
    assert len(set(keys)) == len(keys)
    assert sorted(order) == storm.tickers
    twice = {t: n for t, n in covered.items() if n > storm.pairs[t] - 1}
    assert twice == {}
    assert storm.done()


def _unfinished(settings: Settings) -> list[str]:
    with open_instance(settings) as instance:
        return [run.run_id for run in instance.get_runs() if not run.is_finished]


def _running(settings: Settings) -> bool:
    with open_instance(settings) as instance:
        return any(run.status.value == "STARTED" for run in instance.get_runs())
