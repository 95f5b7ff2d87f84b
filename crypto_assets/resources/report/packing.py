r"""Series as text for the page: thinned out where there are many, packed, and as a sparkline.

The format, which `web/series.js` reads: base64 of a zlib stream of little-endian 4-byte values. It
holds a binary exponent, the lengths of the `SECTIONS`, then these; in each the bytes are shuffled
(all first bytes, all second ones, …), which zlib packs better. Sections of days are int32, as steps
from the day before. The others are float32; prices and means are to be multiplied by 2 to the power
of the exponent, so that no price is too high or too low for that.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crypto_assets.spark.market_data.gold import MOVING_AVERAGE_ROWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crypto_assets.resources.report.series import Series

SECTIONS = ("days", "price", "pricema", "trendDays", "trend", "filled", "gapFrom", "gapTo")
BYTES_PER_ROW = 4.2  # of the page, measured on random walks; real prices take less
SPARK_DAYS, SPARK_POINTS = 365, 52
_LETTERS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ-"))  # of a sparkline


@dataclass(frozen=True)
class Thinning:
    """Of days before a currency's last `recent_days`, one in `every_days` is kept."""

    recent_days: int
    every_days: int

    def bytes_of(self, rows: float) -> float:
        """About what a currency of so many rows takes; its older ones bring their mean along."""
        older = max(0.0, rows - self.recent_days) / self.every_days
        return (min(rows, self.recent_days) + 2 * older) * BYTES_PER_ROW


_STRONGER = tuple(
    Thinning(recent, every)
    for recent, every in ((730, 7), (365, 7), (365, 14), (180, 14), (180, 30), (90, 30), (30, 90))
)


def thinning_for(currencies: int, rows: int, limit_bytes: float) -> Thinning | None:
    """The least thinning by which so many currencies, with so many rows, keep below the limit.

    None if nothing has to go. Where no thinning is enough, the strongest.
    """
    if rows * BYTES_PER_ROW <= limit_bytes:
        return None
    each = rows / currencies
    fitting = (t for t in _STRONGER if t.bytes_of(each) * currencies <= limit_bytes)
    return next(fitting, _STRONGER[-1])


def packed(series: Series, thinning: Thinning | None) -> str:
    """The series as the page embeds them.

    The page computes the mean from the prices. Where rows before it are thinned out it cannot: so
    `pricema` is there for the first rows, up to the one whose whole window is there.
    """
    observed = ~np.isnan(series.trend)
    trend_days, trend = series.days[observed], series.trend[observed]
    days, price, pricema = series.days, series.price, series.pricema[:0]
    filled = series.days[:0] if series.filled is None else series.filled
    gaps: Any = series.gaps
    if thinning:
        rows, older = _kept(days, thinning)
        days, price = days[rows], price[rows]
        pricema = series.pricema[rows][: older + MOVING_AVERAGE_ROWS - 1] if older else pricema
        at, _ = _kept(trend_days, thinning)
        trend_days, trend = trend_days[at], trend[at]
        filled = filled[np.isin(filled, days)]
    exponent = int(np.frexp(np.nanmax(series.price, initial=0))[1])
    sections = (
        *(_steps(days), _numbers(np.ldexp(price, -exponent))),
        *(_numbers(np.ldexp(pricema, -exponent)), _steps(trend_days), _numbers(trend)),
        *(_steps(filled), *map(_steps, gaps)),
    )
    head = np.array([exponent, *map(len, sections)], "<i4")
    content = head.tobytes() + b"".join(map(_shuffled, sections))
    return base64.b64encode(zlib.compress(content)).decode()


def sparkline(series: Series) -> str:
    """The prices of a year, up to the last one, as letters from `A` (lowest) to `Z`; `-` for none.

    Each of the `SPARK_POINTS` letters is the last price of its share of the days. The series has a
    price.
    """
    price = series.price[~np.isnan(series.price)]
    back = series.last - series.priced
    recent = (back >= 0) & (back < SPARK_DAYS)
    points = SPARK_POINTS - 1 - back[recent] * SPARK_POINTS // SPARK_DAYS
    values = np.full(SPARK_POINTS, np.nan)
    values[points] = price[recent]  # of several days the last one stays
    low = np.nanmin(values)
    share = (values - low) / ((np.nanmax(values) - low) or 1)
    levels = np.where(np.isnan(share), len(_LETTERS) - 1, np.round(share * (len(_LETTERS) - 2)))
    return "".join(_LETTERS[levels.astype(int)])


def _kept(days: NDArray[np.int32], thinning: Thinning) -> tuple[NDArray[np.bool_], int]:
    """Which of these days are kept, and how many of those are older ones."""
    if not len(days):
        return np.zeros(0, np.bool_), 0
    recent = days > days[-1] - thinning.recent_days
    first = np.diff(days // thinning.every_days, prepend=days[0] // thinning.every_days - 1) > 0
    return recent | first, int((first & ~recent).sum())


def _steps(days: NDArray[np.int32]) -> NDArray[Any]:
    return np.diff(days, prepend=np.int32(0)).astype("<i4")


def _numbers(values: NDArray[np.float64]) -> NDArray[Any]:
    return values.astype("<f4")


def _shuffled(section: NDArray[Any]) -> bytes:
    return section.view(np.uint8).reshape(-1, 4).T.tobytes()
