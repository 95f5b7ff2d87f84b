"""What is published of gold, read currency by currency: needs neither engine nor warehouse.

For programs and exports. How a table is published is `storage/lake`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING

from crypto_assets.resources.errors import DataError, UsageError
from crypto_assets.resources.market_data.registry import CurrencyRegistry, checked_ticker
from crypto_assets.resources.storage.lake import Lake
from crypto_assets.spark.market_data.coins import Coins
from crypto_assets.spark.market_data.tables import GOLD, PRICES, TICKER
from crypto_assets.spark.printable import first_of
from crypto_assets.spark.problems import ReadError
from crypto_assets.spark.tables import FILE

if TYPE_CHECKING:
    import pyarrow as pa

_AT_A_TIME = 100  # currencies in memory
_NAMED = 8  # currencies that a message names


@dataclass(frozen=True)
class PublishedGold:
    """The gold of all currencies in a lake; `registry` only says why one has none."""

    lake: Lake
    registry: CurrencyRegistry

    @cached_property
    def tickers(self) -> list[str]:
        """The tickers that have gold, in alphabetical order."""
        (prefix,) = GOLD.folders("")
        names = self.lake.objects.folders(GOLD.path)
        begins = prefix.rpartition("/")[2]
        return sorted(name.removeprefix(begins) for name in names if name.startswith(begins))

    def checked(self, tickers: Iterable[str]) -> list[str]:
        """These tickers in capitals, each once. Raises `UsageError` if one of them has no gold."""
        chosen = list(dict.fromkeys(map(checked_ticker, tickers)))
        published = set(self.tickers)
        for ticker in chosen:
            if ticker not in published:
                raise UsageError(self._why_none(ticker))
        return chosen

    def rows(self, ticker: str) -> pa.Table:
        """The currency's rows by day: gold's columns without the ticker.

        Raises `DataError` if its file is gone or damaged.
        """
        from crypto_assets.spark.files import decoded

        (folder,) = GOLD.folders(ticker)
        key = f"{folder}/{FILE}"
        try:
            return decoded(self.lake.objects.read(key), GOLD)
        except (OSError, ReadError) as error:
            raise DataError(
                f"{ticker}: {self.lake.objects.uri(key)} cannot be read ({error}): "
                f"`crypto-assets materialize {ticker}` makes it anew"
            ) from error

    def prices(self, tickers: Collection[str]) -> Iterator[tuple[str, pa.Table]]:
        """The rows of each of these currencies, the ticker in their first column."""
        names = list(tickers)
        for start in range(0, len(names), _AT_A_TIME):
            some = names[start : start + _AT_A_TIME]
            for ticker, rows in zip(some, self.lake.objects.for_each(self.rows, some), strict=True):
                yield ticker, with_ticker(rows, ticker)

    def _why_none(self, ticker: str) -> str:
        registered = self.registry.names()
        if ticker in registered:
            return (
                f"{ticker}: nothing is published yet: run `crypto-assets materialize {ticker}`, "
                f"or see `crypto-assets status {ticker}`"
            )
        if not self.tickers:
            first = "materialize --all" if registered else "add"
            return f"{ticker}: no currency is published yet: run `crypto-assets {first}` first"
        known = sorted({*registered, *self.tickers})
        called = sorted(Coins().named([ticker.lower()]).intersection(known))
        near = called or get_close_matches(ticker, known, 1)
        meant = f"did you mean {near[0]}?" if near else f"there are {first_of(known, _NAMED)}"
        return f"{ticker}: there is no such currency: {meant}"


def with_ticker(rows: pa.Table, ticker: str) -> pa.Table:
    """The rows as the warehouse's `prices` has them: the ticker comes first."""
    import pyarrow as pa

    from crypto_assets.spark.tables import arrow_schema

    named = pa.repeat(pa.scalar(ticker), len(rows))
    return rows.add_column(0, TICKER.name, named).cast(arrow_schema(PRICES.columns))
