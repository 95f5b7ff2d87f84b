"""Removal: a currency leaves everything, may be removed twice, and takes nobody with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from crypto_assets.resources import wiring as profile
from crypto_assets.resources.accounts.snapshots import Snapshots
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.market_data.overrides import Overrides
from crypto_assets.resources.market_data.refresh import Platform
from crypto_assets.resources.market_data.registry import pinned_key
from crypto_assets.resources.market_data.remove import remove
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.uploads.assign import Sorter
from crypto_assets.resources.uploads.register import take_in
from crypto_assets.resources.warehouse.warehouse import LoadFile
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv

TABLES = (
    *("bronze/kind=history", "bronze/kind=trend"),
    *("silver/history", "silver/trend", "gold"),
)
ROWS = {"date": [date(2024, 1, 1)], "price": [1.0], "trend": [1.0], "pricema": [1.0]}


@dataclass
class Desk:
    """A home in which currencies are registered and published, and what is left of them."""

    settings: Settings
    platform: Platform
    inbox: Inbox
    pair: Callable[..., tuple[Path, Path]]

    def ledger(self) -> Ledger:
        return Ledger(profile.inbox(self.settings).objects)

    def add(self, ticker: str, level: float = 100.0, *, trend: Path | None = None) -> None:
        files = self.pair(ticker, level)
        if trend:
            files = (files[0], trend)
        take_in(self.inbox, self.platform.registry, ticker, *files, {})
        for arrival in self.ledger().undecided(self.inbox.arrivals()):
            self.ledger().note(arrival, "taken")

    def publish(self, ticker: str) -> None:
        for table in TABLES:
            path = self.settings.lake / table / f"ticker={ticker}" / "data.parquet"
            path.parent.mkdir(parents=True)
            parquet.write_table(pa.table({**ROWS, "trend_i": [1.0]}), path)
        self.platform.warehouse.replace({ticker: LoadFile(str(path), path.stat().st_size, 1)})
        note = self.settings.lake / "_versions" / f"{ticker}.json"
        note.parent.mkdir(exist_ok=True)
        note.write_text('{"versions": {"gold": "v1"}}')

    def remove(self, ticker: str, *, purge: bool = False) -> None:
        remove(self.platform, self.inbox, self.ledger(), ticker, purge=purge)

    def left(self, ticker: str) -> set[str]:
        """The places that still know the currency."""
        query = self.platform.warehouse.query
        _, rows = query(f"SELECT ticker FROM market_data.prices WHERE ticker = '{ticker}'")
        _, views = query(f"SELECT 1 FROM duckdb_views() WHERE view_name = '{ticker.lower()}'")
        registry = self.platform.registry
        places = {
            "rows": rows,
            "view": views,
            "lake": list(self.settings.lake.rglob(f"*ticker={ticker}*")),
            "version": self.platform.lake.notes([ticker])[ticker].versions,
            "entry": registry.get(ticker),
            "uploads": [upload for name, _, upload in registry.uploads() if name == ticker],
            "due": ticker in registry.due(),
        }
        return {place for place, found in places.items() if found}

    def inbox_keys(self) -> list[str]:
        return sorted(arrival.key for arrival in self.inbox.arrivals())

    def undecided(self) -> list[str]:
        return [arrival.key for arrival in self.ledger().undecided(self.inbox.arrivals())]

    def pinned(self) -> set[str]:
        return {path.name for path in (self.settings.inbox / "_versions").iterdir()}


EVERYWHERE = {"rows", "view", "lake", "version", "entry", "uploads", "due"}


@pytest.fixture
def desk(settings: Settings, pair: Callable[..., tuple[Path, Path]]) -> Desk:
    desk = Desk(settings, profile.platform(settings), profile.inbox(settings), pair)
    for ticker, level in (("BTC", 100.0), ("ETH", 200.0)):
        desk.add(ticker, level)
        desk.publish(ticker)
        assert desk.left(ticker) == EVERYWHERE
    return desk


@pytest.mark.parametrize("purge", [False, True])
def test_a_removed_currency_is_nowhere_and_the_others_are_untouched(desk, purge):
    eth = desk.platform.registry.get("ETH")
    desk.remove("BTC", purge=purge)
    assert desk.left("BTC") == set()
    assert desk.left("ETH") == EVERYWHERE
    assert desk.platform.registry.get("ETH") == eth
    assert {eth.history.etag, eth.trend.etag} <= desk.pinned()
    assert "ETH/history/ETH Historical Data.csv" in desk.inbox_keys()


def test_without_purge_its_uploads_stay_and_are_not_taken_again_by_themselves(desk):
    keys, pinned = desk.inbox_keys(), desk.pinned()
    desk.remove("BTC")
    assert (desk.inbox_keys(), desk.pinned()) == (keys, pinned)
    assert desk.undecided() == []
    assert desk.ledger().is_open("BTC/history/BTC Historical Data.csv")
    assert not desk.ledger().is_open("ETH/history/ETH Historical Data.csv")


def test_with_purge_its_uploads_and_their_copies_are_gone(desk):
    eth = desk.platform.registry.get("ETH")
    desk.remove("BTC", purge=True)
    assert desk.inbox_keys() == [
        "ETH/history/ETH Historical Data.csv",
        "ETH/trend/multiTimeline.csv",
    ]
    assert desk.pinned() == {eth.history.etag, eth.trend.etag}
    assert not desk.ledger().is_open("BTC/history/BTC Historical Data.csv")


def test_purge_keeps_the_copies_another_currency_is_made_from(desk, write):
    shared = write("shared.csv", trend_csv("bitcoin"))
    desk.add("BTC", 100.0, trend=shared)
    desk.add("WBTC", 100.0, trend=shared)
    wbtc = desk.platform.registry.get("WBTC")
    desk.remove("BTC", purge=True)
    assert {wbtc.history.etag, wbtc.trend.etag} <= desk.pinned()
    assert "WBTC/trend/shared.csv" in desk.inbox_keys()
    desk.remove("WBTC", purge=True)
    eth = desk.platform.registry.get("ETH")
    assert {wbtc.history.etag, wbtc.trend.etag}.isdisjoint(desk.pinned())
    assert {eth.history.etag, eth.trend.etag} <= desk.pinned()


@pytest.mark.parametrize("purge", [False, True])
def test_removal_may_be_repeated_and_an_unknown_currency_is_harmless(desk, purge):
    for ticker in ("BTC", "BTC", "NONE"):
        desk.remove(ticker, purge=purge)
    assert desk.left("BTC") == set()
    assert desk.left("ETH") == EVERYWHERE


def test_a_removal_that_was_interrupted_is_finished_by_the_next(desk):
    desk.platform.warehouse.remove("BTC")
    desk.platform.lake.remove("BTC")
    assert desk.left("BTC") == {"entry", "uploads", "due"}
    desk.remove("BTC", purge=True)
    assert desk.left("BTC") == set()


@pytest.mark.parametrize("purge", [False, True])
def test_what_stands_at_its_key_by_now_is_another_currencys_and_stays(desk, purge):
    sorter = Sorter(
        desk.inbox, desk.platform.registry, Snapshots(objects=desk.inbox.objects), Overrides()
    )
    key = "BTC/trend/multiTimeline.csv"
    (desk.settings.inbox / key).write_text(trend_csv("pizza"))
    before = desk.undecided()
    desk.remove("BTC", purge=purge)
    assert (desk.settings.inbox / key).read_text() == trend_csv("pizza")
    assert before == desk.undecided() == [key]
    assert not desk.ledger().is_open(key)
    assert sorter.take(desk.inbox.arrival(key))


@pytest.mark.parametrize("purge", [False, True])
def test_a_currency_that_waits_for_a_file_can_be_removed(desk, purge):
    registry = desk.platform.registry
    upload = desk.inbox.pin("xmr.csv", history_csv(3.0).encode())
    (desk.settings.inbox / "xmr.csv").write_text(history_csv(3.0))
    registry.take("XMR", "history", upload, {})
    desk.remove("XMR", purge=purge)
    assert registry.waiting() == {}
    assert ("xmr.csv" in desk.inbox_keys(), upload.etag in desk.pinned()) == (not purge, not purge)
    assert desk.undecided() == []


@pytest.mark.parametrize("purge", [False, True])
def test_a_removed_currency_can_be_added_again(desk, purge):
    desk.remove("BTC", purge=purge)
    desk.add("BTC")
    desk.publish("BTC")
    assert desk.left("BTC") == EVERYWHERE
    etag = desk.platform.registry.get("BTC").history.etag
    assert (desk.settings.inbox / pinned_key(etag)).read_bytes() == history_csv(100.0).encode()
    assert not desk.ledger().is_open("BTC/history/BTC Historical Data.csv")


def test_a_home_without_lake_and_warehouse_can_have_a_currency_removed(settings, pair):
    desk = Desk(settings, profile.platform(settings), profile.inbox(settings), pair)
    desk.add("BTC")
    desk.remove("BTC", purge=True)
    assert desk.inbox_keys() == []
    assert not settings.warehouse.exists()
