"""Writes the synthetic sample files beside this script; running it again gives the same bytes.

Here are one writer per shape in which web sites export such files, and, at the bottom, the table of
the sample currencies. Prices and interest come from `series`: no real quotation is in any of them.
Knowledge about reading exports does not belong here: a writer that shared code with the reader
could not show that the reader is right.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from sample_data.series import (
    Day,
    Observation,
    interest_series,
    months,
    price_series,
    run_of,
    weeks,
)

BOM = "\ufeff"
INVESTING_HEADER = '"Date","Price","Open","High","Low","Vol.","Change %"'
YAHOO_HEADER = "Date,Open,High,Low,Close,Adj Close,Volume"
COINGECKO_HEADER = "snapped_at,price,market_cap,total_volume"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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
