"""The daily series of a currency as they are published, and what is counted on them.

Read from the lake, two files a currency, whatever the warehouse is. Gold says what each day has;
which of its prices were filled is worked out from bronze, the lines that were uploaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crypto_assets.spark.exports.arrays import floats
from crypto_assets.spark.market_data.bronze import data_lines
from crypto_assets.spark.market_data.silver import prices
from crypto_assets.spark.market_data.tables import BRONZE, GOLD, KINDS
from crypto_assets.spark.problems import ReadError
from crypto_assets.spark.tables import FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crypto_assets.resources.storage.objects import Objects

_HISTORY = KINDS.index("history")


@dataclass(frozen=True)
class Series:
    """The rows of gold: `days` since 1970 (int32), the others float64 with NaN for null.

    `filled` are the days whose price was filled, or None if the files do not tell: the uploads in
    bronze are newer than gold, or bronze cannot be read.
    """

    days: NDArray[np.int32]
    price: NDArray[np.float64]
    trend: NDArray[np.float64]
    pricema: NDArray[np.float64]
    filled: NDArray[np.int32] | None

    @cached_property
    def priced(self) -> NDArray[np.int32]:
        """The days that have a price."""
        return self.days[~np.isnan(self.price)]

    @cached_property
    def last(self) -> int:
        """The last day with a price of its own; a filled one is older than its day."""
        filled = self.priced[:0] if self.filled is None else self.filled
        return int(np.setdiff1d(self.priced, filled, assume_unique=True)[-1])

    @cached_property
    def gaps(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The first and the last day of each stretch without a price between two prices."""
        before = np.flatnonzero(np.diff(self.priced) > 1)
        return self.priced[before] + 1, self.priced[before + 1] - 1

    @property
    def gap_days(self) -> int:
        """How many days lie in the gaps."""
        first, last = self.gaps
        return int((last - first + 1).sum())


def read_series(lake: Objects, ticker: str) -> Series | None:
    """The published series of a currency; None if it has none.

    Raises `ReadError` if gold is there and cannot be read.
    """
    try:
        gold = _columns(lake, GOLD.folders(ticker)[0], ("date", "price", "trend", "pricema"))
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowException, KeyError) as error:
        raise ReadError(f"its table in the lake cannot be read: {error}") from error
    days = np.asarray(gold["date"].combine_chunks().cast(pa.int32()))
    price, trend, pricema = (floats(gold[name].combine_chunks()) for name in gold.schema.names[1:])
    return Series(days, price, trend, pricema, _filled(lake, ticker, days, price))


def _filled(
    lake: Objects, ticker: str, days: NDArray[np.int32], price: NDArray[np.float64]
) -> NDArray[np.int32] | None:
    """The days whose price is of no line of the upload; None if the upload is another one."""
    try:
        lines = _columns(lake, BRONZE.folders(ticker)[_HISTORY], ("date", "value", "role"))
        given = prices(data_lines(lines)).series
    except (OSError, pa.ArrowException, KeyError):
        return None
    has_price = ~np.isnan(given.values)
    known, values = given.days[has_price], given.values[has_price]
    at = np.minimum(np.searchsorted(days, known), len(days) - 1)
    if not ((days[at] == known) & (price[at] == values)).all():
        return None
    filled = ~np.isnan(price)
    filled[at] = False
    return days[filled]


def _columns(lake: Objects, folder: str, names: Sequence[str]) -> pa.Table:
    file = pq.ParquetFile(pa.BufferReader(lake.read(f"{folder}/{FILE}")))
    return file.read(list(names), use_threads=False).select(list(names))
