"""Uploads from the inbox to the warehouse, with Dagster's real webserver and daemon as children."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from crypto_assets.defs.partitions import RANGE_TAGS
from crypto_assets.resources import wiring
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.settings import Settings
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.exports_text import highest, history_csv, trend_csv
from crypto_assets_tests.helpers.processes import COMMAND, DAEMON, child
from crypto_assets_tests.helpers.waiting import until
from crypto_assets_tests.helpers.web_ui import WebUi, serving

PROMISED_S = 30  # from an upload to its table


def prices(settings: Settings) -> dict[str, float]:
    """The highest price of each ticker in the warehouse; empty while there is none."""
    try:
        _, rows = wiring.warehouse(settings).query(
            "SELECT ticker, max(price) FROM market_data.prices GROUP BY ticker"
        )
    except UsageError:
        return {}
    return dict(rows)


def shows(settings: Settings, ticker: str, level: float) -> bool:
    return prices(settings).get(ticker) == pytest.approx(highest(level))


@pytest.fixture
def ui(settings):
    """A web UI whose sensor of uploads has looked for the first time."""
    with serving(settings) as ui:
        until("a first tick", lambda: ui.ticks("uploads"), by=ui.process)
        yield ui


@pytest.fixture
def files(tmp_path) -> Path:
    """A good currency, as people upload it."""
    (folder := tmp_path / "mine").mkdir()
    (folder / "bitcoin prices.csv").write_text(history_csv(100.0))
    (folder / "multiTimeline.csv").write_text(trend_csv("bitcoin"))
    return folder


def upload(files: Path) -> None:
    subprocess.run([*COMMAND, "upload", str(files)], check=True)


def failed_and_ended(ui: WebUi) -> bool:
    """Whether a run has failed and none is under way."""
    runs = ui.ask("runsOrError { ... on Runs { results { status } } }")["results"]
    states = {run["status"] for run in runs}
    return "FAILURE" in states and states <= {"FAILURE", "SUCCESS"}


def test_uploaded_files_reach_the_warehouse_and_a_broken_one_is_in_one_notice(ui, settings, files):
    (files / "dogecoin prices.csv").write_text(history_csv(1.0, cells={12: "n.a. see mail"}))
    (files / "dogecoin trend.csv").write_text(trend_csv("dogecoin"))
    (files / "什么.csv").write_text("nothing that anybody knows\n")
    upload(files)
    until("the table", lambda: shows(settings, "BTC", 100.0), by=ui.process)
    until("the end of the runs", lambda: failed_and_ended(ui), by=ui.process)
    until("the notice", settings.notices.exists, by=ui.process)
    noticed = time.time()
    until("another look", lambda: looked_since(ui, noticed), by=ui.process)
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


def looked_since(ui: WebUi, moment: float) -> bool:
    """Whether the notice's sensor has begun and ended a tick since then."""
    ticks = ui.ticks("failure_notice")
    return any(tick["timestamp"] > moment and tick["status"] != "STARTED" for tick in ticks)


@pytest.mark.slow
def test_a_currency_is_in_the_warehouse_30_seconds_after_its_upload(ui, settings, files):
    """A figure that the product promises, of a machine that does nothing else."""
    upload(files)
    started = time.monotonic()
    until("the table", lambda: shows(settings, "BTC", 100.0), by=ui.process)
    took = time.monotonic() - started
    logging.getLogger(__name__).warning("in the warehouse after %.1f s", took)
    assert took <= PROMISED_S


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
        settings.inbox_folder.mkdir(parents=True)
        (settings.inbox_folder / "currencies.toml").write_text("\n".join(sections))

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
    """The pairs a currency had bound its runs: one that was killed is asked for again."""
    storm = Storm(settings, tmp_path)
    chance = random.Random(11)
    files = [(ticker, kind) for ticker in storm.tickers for kind in ("prices", "trend")]
    chance.shuffle(files)
    replaced = [(ticker, "prices") for ticker in chance.sample(storm.tickers, 12)]
    with child(settings, *DAEMON) as process:
        storm.burst("a", files[:150])
        until("the first tables", lambda: prices(settings), by=process)
        storm.burst("bb", files[130:300])  # some files a second time
        until("a run under way", lambda: _running(settings), by=process)
        process.kill()  # the daemon alone: its runs go on
    with child(settings, *DAEMON) as process:
        storm.burst("ccc", files[300:] + files[:5])
        until("a run under way", lambda: _running(settings), by=process)
        storm.burst("dddd", replaced)
        until("a run under way", lambda: _running(settings), by=process)
        os.killpg(process.pid, signal.SIGKILL)  # with all its runs
    with child(settings, *DAEMON) as process:
        until("the newest tables", storm.done, by=process)
        until("the end of all runs", lambda: not _unfinished(settings), by=process)
    with open_instance(settings) as instance:
        order = instance.get_dynamic_partitions(MARKET_DATA.partition)
        runs = instance.get_runs()
    keys = [run.tags["dagster/run_key"] for run in runs]
    assert len(set(keys)) == len(keys)
    assert sorted(order) == storm.tickers
    computed: Counter[str] = Counter()
    for run in runs:
        if run.is_success:  # all files are good: the others were killed
            first, last = (order.index(run.tags[tag]) for tag in RANGE_TAGS)
            computed.update(order[first : last + 1])
    assert {t: n for t, n in computed.items() if n > storm.pairs[t] - 1} == {}
    assert storm.done()


def _unfinished(settings: Settings) -> list[str]:
    with open_instance(settings) as instance:
        return [run.run_id for run in instance.get_runs() if not run.is_finished]


def _running(settings: Settings) -> bool:
    with open_instance(settings) as instance:
        return any(run.status.value == "STARTED" for run in instance.get_runs())
