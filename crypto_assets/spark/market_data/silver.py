"""Silver: a value per day (prices) or per observation (trend), missing values settled.

Plain functions over the arrays of one currency. How far back a missing price is filled stands
here; days without any row are gold's matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crypto_assets.spark.exports.arrays import floats
from crypto_assets.spark.exports.numbers import MISSING_PRICES, MISSING_WORDS
from crypto_assets.spark.exports.scale import BELOW_ONE as BELOW_ONE_PATTERN

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILL_ROWS = 10
BELOW_ONE = 0.5
NO_DAY = np.iinfo(np.int32).min  # in place of a date that is none
_WORDS = pa.array(MISSING_WORDS, pa.string())
_NONE = pa.scalar(None, pa.string())
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Series:
    """Values by day: `days` since 1970 (int32) and `values` (float64, NaN: none), side by side."""

    days: NDArray[np.int32]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True)
class Values:
    """The values of the data lines, in the file's order; `unreadable` of them are no numbers."""

    series: Series
    unreadable: int


def series_of(dates: pa.ChunkedArray, values: pa.ChunkedArray) -> Series:
    """The series in two columns of a published table, as they stand there."""
    days = dates.combine_chunks().cast(pa.int32())
    return Series(np.asarray(days), floats(values.combine_chunks()))


def prices(lines: pa.Table) -> Values:
    """The price of each data line of a history; that of a mark for a missing one is NaN.

    `lines` has the columns `date` (ISO text) and `value` (text) of `data` lines alone.
    """
    read = _values(lines)
    values = read.series.values
    for missing in MISSING_PRICES:
        values = np.where(values == missing, np.nan, values)
    return Values(Series(read.series.days, values), read.unreadable)


def trends(lines: pa.Table) -> Values:
    """The trend of each data line; NaN where it is missing.

    Google writes `<1` for an interest above zero that rounds to it, also with a blank of any kind:
    stored as `BELOW_ONE`. Any other `<n` is unreadable.
    """
    return _values(lines)


def history(prices: Series, missing: str) -> Series:
    """Prices by day, identical rows collapsed, missing ones filled or left out.

    `missing` is `fill` (the last price at most `FILL_ROWS` rows back, else none) or `drop`.
    """
    rows = _distinct(prices)
    if missing == "drop":
        return _with_value(rows)
    return Series(rows.days, last_value(rows.values, FILL_ROWS))


def trend(trends: Series) -> Series:
    """Trend observations by day, identical rows collapsed and missing ones left out."""
    return _distinct(_with_value(trends))


def last_value(values: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Each value, or the last one at most `rows` rows back where it is NaN; else NaN."""
    at = np.arange(len(values))
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, at))
    near = (last >= 0) & (at - last <= rows)
    return np.where(near, values[last], np.nan)


def _with_value(series: Series) -> Series:
    present = ~np.isnan(series.values)
    return series if present.all() else Series(series.days[present], series.values[present])


def _distinct(series: Series) -> Series:
    """The rows by day; of those with the same day and value only one."""
    steps = np.diff(series.days)
    if (steps > 0).all():
        return series
    if (steps < 0).all():
        return Series(series.days[::-1], series.values[::-1])
    order = np.lexsort((series.values, series.days))
    days, values = series.days[order], series.values[order]
    doubled = (days[1:] == days[:-1]) & (
        (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    )
    kept = np.concatenate([[True], ~doubled])
    return Series(days[kept], values[kept])


def _values(lines: pa.Table) -> Values:
    texts = lines["value"].combine_chunks()
    days = _days(lines["date"].combine_chunks())
    numbers = _cast(texts)
    if numbers is None:  # mostly it is a few of the words that are quickly found
        numbers = _cast(pc.if_else(pc.is_in(texts, _WORDS), _NONE, texts))
    if numbers is None:
        return _with_words(days, texts)
    values = floats(numbers)
    finite = np.count_nonzero(np.isfinite(values))
    if finite != len(values) - numbers.null_count:  # `nan` is such a word
        return _with_words(days, texts)
    return Values(Series(days, values), 0)


def _cast(texts: pa.Array) -> pa.Array | None:
    """The numbers in these texts; None if one is none."""
    try:
        return texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def _with_words(days: NDArray[np.int32], texts: pa.Array) -> Values:
    """The values where some are words: a missing one, `<1`, or no number at all."""
    words = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    below = pc.match_substring_regex(texts, BELOW_ONE_PATTERN)
    missing = pc.or_kleene(pc.is_null(words), pc.is_in(words, _WORDS))
    words = pc.if_else(below, str(BELOW_ONE), words)
    numeric = pc.match_substring_regex(words, f"^({_NUMBER.pattern})$")
    readable = pc.and_not_kleene(pc.fill_null(numeric, False), missing)
    numbers = pc.if_else(readable, words, None).cast(pa.float64())
    unreadable = len(texts) - pc.or_(readable, missing).true_count
    return Values(Series(days, floats(numbers)), unreadable)


def _days(dates: pa.Array) -> NDArray[np.int32]:
    """Days since 1970 of ISO texts; `NO_DAY` for what is no day of the calendar."""
    try:
        days = dates.cast(pa.date32())
    except pa.ArrowInvalid:
        days = pa.array([_day(text) for text in dates.to_pylist()], pa.date32())
    numbers: Any = (
        pc.fill_null(days.cast(pa.int32()), NO_DAY) if days.null_count else days.view(pa.int32())
    )
    return np.asarray(numbers)


def _day(text: str | None) -> pa.Scalar | None:
    try:
        return pa.scalar(text).cast(pa.date32()).as_py()
    except (pa.ArrowInvalid, ValueError):
        return None
