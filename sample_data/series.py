"""Made-up daily prices and search interest: random walks that are the same wherever they are made.

How web sites write such series down is in `generate`.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

BURSTS = 0.03  # the share of weeks or months in which the interest jumps


class Day(NamedTuple):
    """One day of trading: prices rounded as the site shows them, volume in coins."""

    date: date
    open: float
    high: float
    low: float
    close: float
    volume: float


class Observation(NamedTuple):
    """The search interest of the week or month that starts on this date, 0 to 100."""

    date: date
    value: float


def _swing(random: Random) -> float:
    """A bell-shaped number around 0, nearly always within -1..1.

    Only `Random.random()` is promised to give the same numbers in every Python version, and sums
    and products of floats are the same on every platform; `gauss`, `exp` and `log` are neither.
    """
    return (random.random() + random.random() + random.random() + random.random() - 2) * 0.7


def price_series(
    seed: int, first: date, last: date, *, start: float, decimals: int, volume: float
) -> list[Day]:
    """A daily random walk from `first` to `last`, both included, oldest first."""
    random = Random(seed)
    days: list[Day] = []
    previous = start
    for number in range((last - first).days + 1):
        opened = previous * (1 + 0.001 * _swing(random))
        closed = previous * (1.0006 + 0.07 * _swing(random))
        high = max(opened, closed) * (1 + 0.03 * random.random())
        low = min(opened, closed) * (1 - 0.03 * random.random())
        move = abs(closed / previous - 1)
        traded = volume * (0.4 + random.random()) * (1 + 20 * move)
        previous = round(closed, decimals)
        days.append(
            Day(
                date=first + timedelta(days=number),
                open=round(opened, decimals),
                high=round(high, decimals),
                low=round(low, decimals),
                close=previous,
                volume=round(traded),
            )
        )
    return days


def interest_series(seed: int, starts: Sequence[date], calm: float = 1.0) -> list[Observation]:
    """A restless walk with bursts, scaled to a highest value of 100 as Google Trends does.

    The higher `calm`, the quieter it is before the burst that comes after a third of the time.
    """
    random = Random(seed)
    level, levels = 1.0, []
    for number in range(len(starts)):
        burst = calm if number == len(starts) // 3 else 1.0
        if random.random() < BURSTS:
            burst *= 1.5 + random.random()
        level = max(0.5, level * burst * (0.99 + 0.25 * _swing(random)))
        level += 0.04 * (2.0 - level)
        levels.append(level)
    top = max(levels)
    return [
        Observation(start, 100 * value / top) for start, value in zip(starts, levels, strict=True)
    ]


def weeks(first: date, last: date) -> list[date]:
    """The Sundays from `first` (a Sunday) to `last`."""
    return [first + timedelta(days=number) for number in range(0, (last - first).days + 1, 7)]


def months(first: date, last: date) -> list[date]:
    """The first days of the months from `first` to `last`."""
    numbers = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def run_of(first: date, days: int) -> list[date]:
    """So many dates in a row."""
    return [first + timedelta(days=number) for number in range(days)]
