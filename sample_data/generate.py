"""Writes the synthetic sample files beside this script; running it again gives the same bytes.

Here are the price and interest generators, one writer per shape in which web sites export such
files, and, at the bottom, the table of the sample currencies. No real quotation is in any of them.
Knowledge about reading exports does not belong here: a writer that shared code with the reader
could not show that the reader is right.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

BOM = "\ufeff"
INVESTING_HEADER = '"Date","Price","Open","High","Low","Vol.","Change %"'
YAHOO_HEADER = "Date,Open,High,Low,Close,Adj Close,Volume"
COINGECKO_HEADER = "snapped_at,price,market_cap,total_volume"
BURSTS = 0.03  # the share of weeks or months in which the interest jumps
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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


# --- series -------------------------------------------------------------------------------------


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


# --- price-history shapes -----------------------------------------------------------------------


@cache
def _us_date(day: date) -> str:
    return f"{day.month:02}/{day.day:02}/{day.year}"


@cache
def _month_name_date(day: date) -> str:
    return f"{MONTHS[day.month - 1]} {day.day:02}, {day.year}"


def _volume(coins: float) -> str:
    for size, unit in ((1e9, "B"), (1e6, "M")):
        if coins >= size:
            return f"{coins / size:,.2f}{unit}"
    return f"{coins / 1e3:.2f}K"


def _change(close: float, previous: float) -> str:
    # Adding 0.0 turns a rounded -0.0 into 0.0: the site never shows "-0.00%".
    return f"{round(100 * (close / previous - 1), 2) + 0.0:,.2f}%"


def _investing(
    days: Sequence[Day],
    decimals: int,
    date_text: Callable[[date], str],
    prices: Mapping[date, str],
    no_volume: frozenset[date],
) -> list[str]:
    """The lines of an investing.com export, newest first.

    `prices` replaces what the price cell of a day says. As in files that people mark by hand, the
    other cells, and the changes of the neighbours, stay as the site gave them.
    """
    rows = []
    previous = days[0].open
    number = f",.{decimals}f"
    for day, opened, high, low, close, coins in days:
        price = prices.get(day, f"{close:{number}}")
        rows.append(
            f'"{date_text(day)}","{price}","{opened:{number}}","{high:{number}}",'
            f'"{low:{number}}","{"-" if day in no_volume else _volume(coins)}",'
            f'"{_change(close, previous)}"'
        )
        previous = close
    return [INVESTING_HEADER, *reversed(rows)]


def investing_us(
    days: Sequence[Day], decimals: int, prices: Mapping[date, str] | None = None
) -> str:
    """investing.com, English (US): BOM, `03/12/2024`, no end of line at the end."""
    return BOM + "\n".join(_investing(days, decimals, _us_date, prices or {}, frozenset()))


def investing_month_names(
    days: Sequence[Day],
    decimals: int,
    prices: Mapping[date, str] | None = None,
    no_volume: frozenset[date] = frozenset(),
) -> str:
    """investing.com as it was before: `Mar 12, 2024`; here with CRLF and a blank last line."""
    lines = _investing(days, decimals, _month_name_date, prices or {}, no_volume)
    return BOM + "\r\n".join([*lines, "", ""])


def yahoo(days: Sequence[Day], null_dates: frozenset[date] = frozenset()) -> str:
    """Yahoo Finance: oldest first, six decimals, `null` in every cell of a day without a price."""
    lines = [YAHOO_HEADER]
    for day, opened, high, low, close, coins in days:
        if day in null_dates:
            lines.append(f"{day},null,null,null,null,null,null")
        else:
            lines.append(
                f"{day},{opened:.6f},{high:.6f},{low:.6f},{close:.6f},{close:.6f},{coins:.0f}"
            )
    return "\n".join(lines)


def coingecko(days: Sequence[Day], decimals: int, supply: float) -> str:
    """CoinGecko: oldest first, a time of day with its zone, market value instead of open to low."""
    lines = [COINGECKO_HEADER]
    for day in days:
        price, value = day.close, day.close * supply
        lines.append(
            f"{day.date} 00:00:00 UTC,{price:.{decimals}f},{value:.4f},{day.volume * price:.4f}"
        )
    return "\n".join([*lines, ""])


# --- trend shapes -------------------------------------------------------------------------------


def _interest(value: float) -> str:
    return "<1" if 0 < value < 1 else f"{value:.0f}"


def multi_timeline(
    observations: Sequence[Observation], term: str, region: str = "Worldwide", period: str = "Week"
) -> str:
    """Google Trends as downloaded; `period` is `Week` or `Month`."""
    lines = ["Category: All categories", "", f"{period},{term}: ({region})"]
    for start, value in observations:
        stamp = f"{start:%Y-%m}" if period == "Month" else str(start)
        lines.append(f"{stamp},{_interest(value)}")
    return "\n".join([*lines, ""])


def edited_timeline(observations: Sequence[Observation], header: str) -> str:
    """Google Trends after a spreadsheet: no preamble, a header of one's own, a blank last line."""
    lines = [f"{start},{_interest(value)}" for start, value in observations]
    return "\n".join([header, *lines, "", ""])


# --- the sample currencies ----------------------------------------------------------------------


def run_of(first: date, days: int) -> list[date]:
    """So many dates in a row."""
    return [first + timedelta(days=number) for number in range(days)]


@dataclass(frozen=True)
class Currency:
    """A sample currency: two files, each a name and its text."""

    ticker: str
    history_name: str
    history: Callable[[], str]
    trend_name: str
    trend: Callable[[], str]


FIRST, LAST = date(2019, 12, 30), date(2024, 12, 30)

BITCOIN_GAPS = dict.fromkeys(
    [date(2020, 8, 5), *run_of(date(2022, 3, 11), 3), *run_of(date(2023, 9, 2), 12)], "-1"
)
MONERO_EMPTY = {date(2021, 10, 19): ""}
MONERO_NO_VOLUME = frozenset(
    [*run_of(date(2019, 12, 30), 9), date(2020, 6, 14), *run_of(date(2023, 2, 3), 4)]
)
# Longer than silver's 10 rows and gold's 2 more together: some prices of gold must stay null.
ETHER_NULLS = frozenset(
    [
        date(2020, 4, 16),
        date(2020, 10, 8),
        *run_of(date(2020, 10, 12), 2),
        *run_of(date(2023, 5, 6), 14),
    ]
)
DOGE_BROKEN = {date(2022, 7, 1): "n.a. see mail"}

CURRENCIES = (
    Currency(
        ticker="BTC",
        history_name="Bitcoin Historical Data.csv",
        history=lambda: investing_us(
            price_series(58, FIRST, LAST, start=8_150.0, decimals=1, volume=420e3), 1, BITCOIN_GAPS
        ),
        trend_name="multiTimeline.csv",
        trend=lambda: multi_timeline(
            interest_series(12, weeks(date(2019, 11, 24), date(2025, 1, 26))), "bitcoin"
        ),
    ),
    Currency(
        ticker="XMR",
        history_name="XMR_EUR Kraken Historical Data.csv",
        history=lambda: investing_month_names(
            price_series(21, FIRST, LAST, start=41.5, decimals=3, volume=6e3),
            3,
            MONERO_EMPTY,
            MONERO_NO_VOLUME,
        ),
        trend_name="interesse monero.csv",
        trend=lambda: edited_timeline(
            interest_series(22, weeks(date(2020, 1, 19), date(2024, 12, 8))),
            '"Settimana","Monero_interesse"',
        ),
    ),
    Currency(
        ticker="ETH",
        history_name="ETH-USD.csv",
        history=lambda: yahoo(
            price_series(31, FIRST, LAST, start=133.0, decimals=6, volume=9e9), ETHER_NULLS
        ),
        trend_name="multiTimeline (1).csv",
        trend=lambda: multi_timeline(
            interest_series(32, weeks(date(2019, 12, 29), date(2024, 12, 29))),
            "ethereum",
            region="United States",
        ),
    ),
    Currency(
        ticker="SHIB",
        history_name="shib-usd-max.csv",
        history=lambda: coingecko(
            price_series(
                41, date(2020, 8, 1), date(2025, 7, 31), start=0.0000072, decimals=8, volume=4e13
            ),
            8,
            5.8e14,
        ),
        trend_name="multiTimeline.csv",
        trend=lambda: multi_timeline(
            interest_series(42, months(date(2020, 6, 1), date(2025, 9, 1)), calm=60.0),
            "Shiba Inu",
            period="Month",
        ),
    ),
    Currency(
        ticker="DOGE",
        history_name="Dogecoin Historical Data.csv",
        history=lambda: investing_us(
            price_series(51, FIRST, LAST, start=0.025, decimals=6, volume=2.2e9), 6, DOGE_BROKEN
        ),
        trend_name="multiTimeline.csv",
        trend=lambda: multi_timeline(
            interest_series(52, weeks(date(2019, 12, 22), date(2025, 1, 5))), "dogecoin"
        ),
    ),
)


def write(folder: Path, currencies: Sequence[Currency] = CURRENCIES) -> list[Path]:
    """Writes the files of the currencies to a folder each, lower-case ticker as its name."""
    written = []
    for currency in currencies:
        home = folder / currency.ticker.lower()
        home.mkdir(parents=True, exist_ok=True)
        files = {currency.history_name: currency.history, currency.trend_name: currency.trend}
        for name, text in files.items():
            (home / name).write_bytes(text().encode())
            written.append(home / name)
    return written


if __name__ == "__main__":
    for path in write(Path(__file__).parent):
        print(path.name, path.stat().st_size)
