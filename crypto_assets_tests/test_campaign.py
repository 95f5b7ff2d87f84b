"""Kills at random moments, of commands and of the whole UI, while uploads come: nothing is torn,
lost or doubled, and the UI computes what is left by itself, with no other hand.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import psutil
import pytest

from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.exports_text import highest, history_csv, trend_csv
from crypto_assets_tests.helpers.loopback import free_port
from crypto_assets_tests.helpers.processes import COMMAND, child
from crypto_assets_tests.helpers.waiting import until
from crypto_assets_tests.helpers.web_ui import serving

KILLS = int(os.environ.get("CAMPAIGN_KILLS", "200"))
TICKERS = [
    *("BTC", "ETH", "LTC", "XMR", "BCH", "ETC", "ADA", "XRP", "DOGE", "TRX", "XLM", "ALGO"),
    *("VET", "FIL", "AAVE", "EOS", "XTZ", "NEO", "ZEC", "DASH", "QTUM", "ICX", "KSM", "XEM"),
]
ROWS = 41
UI_SECONDS, COMMAND_SECONDS = 45.0, 15.0  # at most, before the kill
ENDED = " (had ended)"
WORKER, WORKER_CHANCE = "crypto_assets.spark.worker", 0.02  # of a kill, 20 times a second
STATE = """
SELECT ticker, count(*), count(DISTINCT date), max(price) FROM market_data.prices GROUP BY ticker
"""


@dataclass
class Campaign:
    """A home, the levels of prices that were delivered for each ticker, and the kills so far."""

    settings: Settings
    chance: random.Random
    levels: dict[str, list[float]] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    def deliver(self) -> None:
        """Puts new contents of some tickers into the inbox, each file whole at once."""
        for ticker in self.chance.sample(TICKERS, 3):  # known coins: their names say whose they are
            level = float(self.chance.randint(10, 5000))
            self.levels.setdefault(ticker, []).append(level)
            self._put(f"{ticker}/{ticker} Historical Data.csv", history_csv(level))
            self._put(f"{ticker}/multiTimeline.csv", trend_csv(ticker))

    def _put(self, key: str, text: str) -> None:
        path = self.settings.inbox_folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(f".{path.name}.part")
        written.write_text(text)
        os.utime(written, (time.time() - 10,) * 2)
        written.replace(path)

    def kill(self, ui: bool) -> None:
        """Starts the UI or a command, delivers meanwhile, and kills it with all it started."""
        words = ["ui", "--port", str(free_port())] if ui else self.chance.choice(self._commands())
        patience = self.chance.uniform(0.1, UI_SECONDS if ui else COMMAND_SECONDS)
        with child(self.settings, *COMMAND, *words) as process:
            ends = time.monotonic() + patience
            self.deliver()
            while time.monotonic() < ends and process.poll() is None:
                time.sleep(0.05)
                if self.chance.random() < WORKER_CHANCE:
                    self._kill_a_worker(process.pid)
            self.kills[words[0] if process.poll() is None else f"{words[0]}{ENDED}"] += 1

    def _kill_a_worker(self, pid: int) -> None:
        """Kills one of the processes that compute; what started it goes on."""
        with suppress(psutil.NoSuchProcess):
            below = psutil.Process(pid).children(recursive=True)
            workers = [process for process in below if WORKER in process.cmdline()]
            for worker in workers[:1]:
                worker.kill()
                self.kills["worker"] += 1

    def _commands(self) -> list[list[str]]:
        ticker = self.chance.choice(TICKERS)
        folder = self.settings.inbox_folder / ticker
        files = [folder / f"{ticker} Historical Data.csv", folder / "multiTimeline.csv"]
        commands = [
            ["materialize", "--all"],
            ["materialize", "--stale"],
            ["materialize", "--failed"],
            ["status"],
            ["sql", "SELECT count(*) FROM market_data.prices"],
            ["upload", str(Path("sample_data", "btc").resolve())],
        ]
        if all(path.exists() for path in files):
            commands.append(["inspect", *map(str, files)])
        return commands

    @property
    def killed(self) -> int:
        """How many kills met something that lived."""
        return sum(count for name, count in self.kills.items() if not name.endswith(ENDED))

    def check(self) -> None:
        """Nothing is torn or doubled: each ticker has all rows of one content, or none."""
        if not self.settings.warehouse_file.exists():
            return
        with duckdb.connect(str(self.settings.warehouse_file), read_only=True) as connection:
            for ticker, rows, dates, price in connection.execute(STATE).fetchall():
                if ticker in self.levels:
                    assert (rows, dates) == (ROWS, ROWS), ticker
                    assert price in map(highest, self.levels[ticker]), ticker

    def is_complete(self) -> bool:
        """Whether the warehouse holds the last content of every ticker."""
        if not self.settings.warehouse_file.exists():
            return False
        with duckdb.connect(str(self.settings.warehouse_file), read_only=True) as connection:
            found = {row[0]: row[3] for row in connection.execute(STATE).fetchall()}
        return all(found.get(t) == highest(levels[-1]) for t, levels in self.levels.items())


@pytest.mark.slow
def test_what_is_killed_at_random_moments_is_whole_and_completes_itself(
    settings, capsys: pytest.CaptureFixture[str]
):
    seed = random.randrange(2**32)
    campaign = Campaign(settings, random.Random(seed))
    for number in itertools.takewhile(lambda _: campaign.killed < KILLS, itertools.count()):
        campaign.kill(ui=number % 2 == 0)
        campaign.check()
    started = time.monotonic()
    with serving(settings) as ui:
        until("every currency's last content", campaign.is_complete, by=ui.process)
    seconds = time.monotonic() - started
    campaign.check()
    with capsys.disabled():
        kills = ", ".join(f"{count} of {name}" for name, count in sorted(campaign.kills.items()))
        print(f"\nseed {seed}: {kills}; all {len(campaign.levels)} complete in {seconds:.0f} s")  # noqa: T201
