"""Removal: a currency leaves everything, may be removed twice, and takes nobody with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from pyarrow import parquet

from crypto_assets.defs.remove import remove
from crypto_assets.resources import wiring
from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.inbox.stored import pinned_key
from crypto_assets.resources.market_data.refresh import CurrencyRefresh
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.uploads.register import add_currency
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.desk import assigned
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
    instance: dg.DagsterInstance
    currencies: CurrencyRefresh
    inbox: Inbox
    pair: Callable[..., tuple[Path, Path]]

    def ledger(self) -> Ledger:
        return Ledger(self.inbox.objects)

    def add(
        self,
        ticker: str,
        level: float = 100.0,
        *,
        trend: Path | None = None,
        term: str | None = None,
    ) -> None:
        history, own_trend = self.pair(ticker, level)
        sources = {"history": history, "trend": trend or own_trend}
        add_currency(self.inbox, self.currencies.registry, ticker, sources, Choices(term=term))
        self.instance.add_dynamic_partitions("ticker", [ticker])

    def publish(self, ticker: str) -> None:
        for table in TABLES:
            path = self.settings.lake_folder / table / f"ticker={ticker}" / "data.parquet"
            path.parent.mkdir(parents=True)
            parquet.write_table(pa.table({**ROWS, "trend_i": [1.0]}), path)
        self.currencies.warehouse.replace({ticker: LoadFile(str(path), path.stat().st_size, 1)})
        manifest = self.settings.lake_folder / "_manifests/market_data" / f"{ticker}.json"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text('{"versions": {"gold": "v1"}}')

    def remove(self, ticker: str, *, purge: bool = False) -> None:
        remove(self.instance, self.currencies, self.inbox, ticker, purge=purge)

    def left(self, ticker: str) -> set[str]:
        """The places that still know the currency."""
        query = self.currencies.warehouse.query
        _, rows = query(f"SELECT ticker FROM market_data.prices WHERE ticker = '{ticker}'")
        _, views = query(f"SELECT 1 FROM duckdb_views() WHERE view_name = '{ticker.lower()}'")
        registry = self.currencies.registry
        places = {
            "rows": rows,
            "view": views,
            "lake": list(self.settings.lake_folder.rglob(f"*ticker={ticker}*")),
            "version": self.currencies.versions([ticker])[ticker],
            "entry": registry.get(ticker),
            "uploads": [upload for name, _, upload in registry.uploads() if name == ticker],
            "due": ticker in registry.due(),
            "partition": self.instance.has_dynamic_partition("ticker", ticker),
        }
        return {place for place, found in places.items() if found}

    def inbox_keys(self) -> list[str]:
        return sorted(arrival.key for arrival in self.inbox.arrivals())

    def undecided(self) -> list[str]:
        return [arrival.key for arrival in self.ledger().undecided(self.inbox.arrivals())]

    def pinned(self) -> set[str]:
        return {path.name for path in (self.settings.inbox_folder / "_contents").iterdir()}


EVERYWHERE = {"rows", "view", "lake", "version", "entry", "uploads", "due", "partition"}


def etags(entry: Entry) -> set[str]:
    return {upload.etag for upload in entry.files.values()}


@pytest.fixture
def empty_desk(settings: Settings, pair: Callable[..., tuple[Path, Path]]) -> Iterator[Desk]:
    with open_instance(settings) as instance:
        yield Desk(settings, instance, wiring.market_data(settings), wiring.inbox(settings), pair)


@pytest.fixture
def desk(empty_desk: Desk) -> Desk:
    for ticker, level in (("BTC", 100.0), ("ETH", 200.0)):
        empty_desk.add(ticker, level)
        empty_desk.publish(ticker)
        assert empty_desk.left(ticker) == EVERYWHERE
    return empty_desk


@pytest.mark.parametrize("purge", [False, True])
def test_a_removed_currency_is_nowhere_and_the_others_are_untouched(desk, purge):
    eth = desk.currencies.registry.get("ETH")
    desk.remove("BTC", purge=purge)
    assert desk.left("BTC") == set()
    assert desk.left("ETH") == EVERYWHERE
    assert desk.currencies.registry.get("ETH") == eth
    assert etags(eth) <= desk.pinned()
    assert "ETH/history/ETH Historical Data.csv" in desk.inbox_keys()


def test_purge_takes_every_earlier_content_of_the_uploads_but_those_of_others(desk, pair):
    first = etags(desk.currencies.registry.get("BTC"))
    desk.add("BTC", 300.0)
    desk.add("BTC", 400.0)
    contents = desk.pinned()
    desk.remove("BTC", purge=True)
    left = contents - desk.pinned()
    assert first & left
    assert desk.pinned() == etags(desk.currencies.registry.get("ETH"))


def test_without_purge_its_uploads_stay_and_are_not_assigned_again_by_themselves(desk):
    keys, pinned = desk.inbox_keys(), desk.pinned()
    desk.remove("BTC")
    assert (desk.inbox_keys(), desk.pinned()) == (keys, pinned)
    assert desk.undecided() == []
    assert desk.ledger().is_open("BTC/history/BTC Historical Data.csv")
    assert not desk.ledger().is_open("ETH/history/ETH Historical Data.csv")


def test_with_purge_its_uploads_and_their_copies_are_gone(desk):
    eth = desk.currencies.registry.get("ETH")
    desk.remove("BTC", purge=True)
    assert desk.inbox_keys() == [
        "ETH/history/ETH Historical Data.csv",
        "ETH/trend/multiTimeline.csv",
    ]
    assert desk.pinned() == etags(eth)
    assert not desk.ledger().is_open("BTC/history/BTC Historical Data.csv")


def test_purge_keeps_the_copies_another_currency_is_made_from(desk, write):
    shared = write("shared.csv", trend_csv("bitcoin"))
    desk.add("BTC", 100.0, trend=shared)
    desk.add("WBTC", 100.0, trend=shared, term="2")
    wbtc = desk.currencies.registry.get("WBTC")
    desk.remove("BTC", purge=True)
    assert etags(wbtc) <= desk.pinned()
    assert "WBTC/trend/shared.csv" in desk.inbox_keys()
    desk.remove("WBTC", purge=True)
    eth = desk.currencies.registry.get("ETH")
    assert etags(wbtc).isdisjoint(desk.pinned())
    assert etags(eth) <= desk.pinned()


@pytest.mark.parametrize("purge", [False, True])
def test_removal_may_be_repeated_and_an_unknown_currency_is_harmless(desk, purge):
    for ticker in ("BTC", "BTC", "NONE"):
        desk.remove(ticker, purge=purge)
    assert desk.left("BTC") == set()
    assert desk.left("ETH") == EVERYWHERE


def test_a_removal_that_was_interrupted_is_finished_by_the_next(desk):
    desk.currencies.warehouse.remove("BTC")
    desk.currencies.lake.remove(MARKET_DATA, "BTC")
    assert desk.left("BTC") == {"entry", "uploads", "due", "partition"}
    desk.remove("BTC", purge=True)
    assert desk.left("BTC") == set()


@pytest.mark.parametrize("purge", [False, True])
def test_what_is_at_its_key_by_now_is_another_currencys_and_stays(desk, purge):
    assigner = desk.currencies.assigner(desk.inbox)
    key = "BTC/trend/multiTimeline.csv"
    (desk.settings.inbox_folder / key).write_text(trend_csv("pizza"))
    before = desk.undecided()
    desk.remove("BTC", purge=purge)
    assert (desk.settings.inbox_folder / key).read_text() == trend_csv("pizza")
    assert before == desk.undecided() == [key]
    assert not desk.ledger().is_open(key)
    given = assigned(desk.inbox.arrival(key), desk.inbox, [assigner])
    assert (given.partition, list(given.files)) == ("BTC", ["trend"])


@pytest.mark.parametrize("purge", [False, True])
def test_a_currency_that_waits_for_a_file_can_be_removed(desk, purge):
    registry = desk.currencies.registry
    upload = desk.inbox.pin("xmr.csv", history_csv(3.0).encode())
    (desk.settings.inbox_folder / "xmr.csv").write_text(history_csv(3.0))
    registry.assign("XMR", "history", upload, {})
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
    etag = desk.currencies.registry.get("BTC").files["history"].etag
    assert (desk.settings.inbox_folder / pinned_key(etag)).read_bytes() == history_csv(
        100.0
    ).encode()
    assert not desk.ledger().is_open("BTC/history/BTC Historical Data.csv")


def test_a_home_without_tables_and_warehouse_can_have_a_currency_removed(empty_desk):
    empty_desk.add("BTC")
    empty_desk.remove("BTC", purge=True)
    assert empty_desk.inbox_keys() == []
    assert not empty_desk.settings.warehouse_file.exists()
