"""Overlapping refreshes: what was made from older uploads never replaces what newer ones gave."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pytest
from pyarrow import parquet

from crypto_assets.defs.remove import remove
from crypto_assets.resources import wiring
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.market_data.refresh import CurrencyRefresh
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.uploads.register import add_currency
from crypto_assets.spark.job_spec import LayerResult
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.waiting import HANG_S

OLD, NEW = (100.0, 110.0), (200.0, 220.0)  # lowest and highest price of uploads at level 100, 200
SUPERSEDED = "newer files or settings came while this run worked on older ones"


@dataclass
class Desk:
    """One home, and what people do with it: upload files, refresh currencies, look at results."""

    settings: Settings
    pair: Callable[..., tuple[Path, Path]]
    currencies: CurrencyRefresh = field(init=False)

    def __post_init__(self) -> None:
        self.currencies = wiring.market_data(self.settings)

    def upload(self, ticker: str, level: float) -> None:
        registry, inbox = self.currencies.registry, wiring.inbox(self.settings)
        sources = dict(zip(("history", "trend"), self.pair(ticker, level), strict=True))
        add_currency(inbox, registry, ticker, sources, Choices())

    def refresh(
        self,
        *tickers: str,
        run: str,
        layers: Collection[str] = tuple(MARKET_DATA.layers),
        during: dict[str, Callable[[], object]] | None = None,
    ) -> list[tuple[str, str, str]]:
        """Refreshes, doing things when a layer is computed; returns ticker, layer and problem."""

        def on_layer(result: LayerResult) -> None:
            (during or {}).get(result.layer, lambda: None)()

        results = self.currencies.run(tickers, layers, run, on_layer)
        return [
            (verdict.partition, verdict.layer, " | ".join(verdict.problems))
            for result in chain.from_iterable(results)
            for verdict in result.verdicts
            if not verdict.passed
        ]

    def prices(self, ticker: str) -> dict[str, tuple[float, float]]:
        """Lowest and highest price of each table that has the ticker."""
        found = {}
        for name in ("silver/history", "gold"):
            path = Path(self.settings.lake_folder, name, f"ticker={ticker}", "data.parquet")
            if path.exists():
                column = parquet.ParquetFile(path).read()["price"].drop_null().to_pylist()
                found[name] = (min(column), max(column))
        if self.settings.warehouse_file.exists():
            _, (row,) = self.currencies.warehouse.query(
                f"SELECT min(price), max(price) FROM market_data.prices WHERE ticker = '{ticker}'"
            )
            found |= {"warehouse": row} if row[0] is not None else {}
        return found


def everywhere(prices: tuple[float, float]) -> dict[str, tuple[float, float]]:
    return {"silver/history": prices, "gold": prices, "warehouse": prices}


@pytest.fixture
def desk(settings: Settings, pair: Callable[..., tuple[Path, Path]]) -> Iterator[Desk]:
    desk = Desk(settings, pair)
    yield desk
    assert [p for p in Path(settings.lake_folder, "_staging").rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("layer", ["bronze", "gold"])
def test_a_newer_run_that_ends_while_an_older_one_computes_keeps_the_last_word(desk, layer):
    def newer() -> None:
        desk.upload("BTC", 200.0)
        assert desk.refresh("BTC", run="newer") == []
        assert desk.prices("BTC") == everywhere(NEW)

    desk.upload("BTC", 100.0)
    assert desk.refresh("BTC", run="older", during={layer: newer})[-1][-1].endswith(SUPERSEDED)
    assert desk.prices("BTC") == everywhere(NEW)


def test_a_superseded_currency_fails_alone_and_keeps_what_was_published(desk):
    for ticker in ("BTC", "ETH"):
        desk.upload(ticker, 50.0)
    assert desk.refresh("BTC", "ETH", run="first") == []
    for ticker in ("BTC", "ETH"):
        desk.upload(ticker, 100.0)
    problems = desk.refresh(
        "BTC", "ETH", run="older", during={"gold": lambda: desk.upload("BTC", 200.0)}
    )
    assert problems == [("BTC", "bronze", SUPERSEDED)]
    assert desk.prices("BTC") == everywhere((50.0, 55.0))
    assert desk.prices("ETH") == everywhere(OLD)
    assert desk.refresh("BTC", run="newer") == []
    assert desk.prices("BTC") == everywhere(NEW)


def test_a_currency_removed_while_its_run_is_under_way_stays_removed(desk):
    for ticker in ("BTC", "ETH"):
        desk.upload(ticker, 100.0)

    def removal() -> None:
        inbox = wiring.inbox(desk.settings)
        remove(instance, desk.currencies, inbox, "BTC", purge=True)

    with open_instance(desk.settings) as instance:
        problems = desk.refresh("BTC", "ETH", run="under way", during={"silver": removal})
    assert problems == [("BTC", "bronze", "it was removed while this run worked on it")]
    assert desk.prices("BTC") == {}
    assert desk.prices("ETH") == everywhere(OLD)


def test_a_run_reads_what_its_job_spec_names_though_the_file_was_replaced_meanwhile(desk):
    desk.upload("BTC", 100.0)
    older = desk.currencies.registry.get("BTC")
    desk.upload("BTC", 200.0)
    desk.currencies.registry.put(older)  # the inbox is ahead of what the run's job spec names
    assert desk.refresh("BTC", run="older") == []
    assert desk.prices("BTC") == everywhere(OLD)


def test_a_run_of_gold_alone_does_not_publish_what_it_made_of_older_silver(desk):
    desk.upload("BTC", 100.0)
    assert desk.refresh("BTC", run="first") == []
    desk.upload("BTC", 200.0)
    problems = desk.refresh("BTC", run="older", layers=("gold",))
    assert [(ticker, layer) for ticker, layer, _ in problems] == [("BTC", "gold")]
    assert "its silver is stale" in problems[0][2]
    assert desk.refresh("BTC", run="newer") == []
    assert desk.prices("BTC") == everywhere(NEW)
    assert desk.refresh("BTC", run="again", layers=("gold",)) == []


def test_two_runs_at_once_leave_the_newest_of_every_currency(desk):
    tickers = ("BTC", "ETH", "XMR")
    for ticker in tickers:
        desk.upload(ticker, 100.0)

    def newer() -> None:
        for ticker in tickers:
            desk.upload(ticker, 200.0)
        running.append(pool.submit(desk.refresh, *tickers, run="newer"))

    running: list = []
    with ThreadPoolExecutor(1) as pool:
        problems = desk.refresh(*tickers, run="older", during={"silver": newer})
        assert running[0].result(HANG_S) == []
    assert problems == [(ticker, "bronze", SUPERSEDED) for ticker in tickers]
    assert {ticker: desk.prices(ticker) for ticker in tickers} == dict.fromkeys(
        tickers, everywhere(NEW)
    )
