"""Gold: one row per day on which there is a price or a trend, with the columns analysts use.

Plain functions over the arrays of one currency. The rules and window lengths stand here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crypto_assets.spark.market_data.silver import Series, last_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRICE_FILL_ROWS = 2
MOVING_AVERAGE_ROWS = 14
TREND_EDGE_DAYS = 6


@dataclass(frozen=True)
class Gold:
    """The columns of gold: `days` since 1970 (int32), the others float64 with NaN for null."""

    days: NDArray[np.int32]
    price: NDArray[np.float64]
    trend: NDArray[np.float64]
    pricema: NDArray[np.float64]
    trend_i: NDArray[np.float64]


def gold(history: Series, trend: Series) -> Gold:
    """Prices and trend by day, from both series by day, each with one value a day.

    `pricema` is the mean of the prices of a row and the 13 before it, `trend_i` the trend
    interpolated in time.
    """
    days = _union(history.days, trend.days)
    price = last_value(_on(days, history), PRICE_FILL_ROWS)
    with np.errstate(over="ignore"):  # the audit refuses what is infinite
        mean, line = mean_price(price), interpolated(days, trend)
    return Gold(days, price, _on(days, trend), mean, line)


def mean_price(price: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of the prices of each row and those before it, `MOVING_AVERAGE_ROWS` in all.

    Adds up afresh, in sums of 1, 2, 4, 8 … rows: a sum from which what leaves the window is
    subtracted gives 0 after a fall from 1e16 to 0.1.
    """
    known = ~np.isnan(price)
    part, total = np.where(known, price, 0.0), np.zeros(len(price))
    count = np.cumsum(known) - _before(np.cumsum(known), MOVING_AVERAGE_ROWS)
    summed, rows = 0, 1
    while summed < MOVING_AVERAGE_ROWS:
        if MOVING_AVERAGE_ROWS & rows:
            total = total + _before(part, summed)
            summed += rows
        part = part + _before(part, rows)
        rows *= 2
    mean = np.full(len(price), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def interpolated(days: NDArray[np.int32], trend: Series) -> NDArray[np.float64]:
    """The trend of each day, on the straight line in time between two observations.

    `TREND_EDGE_DAYS` before the first and after the last one have its value, other days none.
    """
    if not len(trend):
        return np.full(len(days), np.nan)
    last = len(trend) - 1
    at = np.maximum(np.searchsorted(trend.days, days, "right") - 1, 0)
    after = np.minimum(at + 1, last)
    since, elapsed = trend.days[at], days - trend.days[at]
    step = np.where(after > at, trend.days[after] - since, 1)
    rise = trend.values[after] - trend.values[at]
    flat = (elapsed <= 0) | (after == at)
    line = np.where(flat, trend.values[at], trend.values[at] + rise * elapsed / step)
    near = (elapsed >= -TREND_EDGE_DAYS) & ((after > at) | (elapsed <= TREND_EDGE_DAYS))
    return np.where(near, line, np.nan)


def _union(one: NDArray[np.int32], other: NDArray[np.int32]) -> NDArray[np.int32]:
    """The days of either, ascending, as `np.union1d` gives them in twenty times as long.

    A stable sort merges what is ascending already.
    """
    days = np.concatenate([one, other])
    days.sort(kind="stable")
    first = np.ones(len(days), bool)
    np.not_equal(days[1:], days[:-1], out=first[1:])
    return days[first]


def _on(days: NDArray[np.int32], series: Series) -> NDArray[np.float64]:
    """The values of the series on these days, which hold all of its own; NaN on the others."""
    values = np.full(len(days), np.nan)
    values[np.searchsorted(days, series.days)] = series.values
    return values


def _before(values: NDArray[Any], rows: int) -> NDArray[Any]:
    """The value so many rows before each, 0 where there is none."""
    found = np.zeros_like(values)
    found[rows:] = values[: max(len(values) - rows, 0)]
    return found
