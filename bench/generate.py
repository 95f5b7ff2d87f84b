"""Writes any number of currencies as pairs of files in real shapes.

Run it from the repository root: `python -m bench.generate FOLDER --tickers 1000`. The shapes come
from `sample_data.generate`; what belongs here is variety at speed. A few dozen walks are made once,
and each ticker is a stretch of one of them at a price level of its own, so that no two files are
equal and yet a thousand currencies take seconds.
"""

import argparse
import time
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random

from sample_data.generate import coingecko, investing_us, multi_timeline, yahoo
from sample_data.series import Day, interest_series, price_series, run_of, weeks

TICKERS = 1_000
DAYS = 1_887
LAST = date(2024, 12, 30)
WALKS = 36
STRETCHES = 97
LEVELS = ((2e-5, 8), (0.04, 6), (0.9, 4), (7.0, 3), (120.0, 2), (2_900.0, 2), (23_000.0, 1))
YAHOO_DECIMALS = 6
SINGLE_GAPS = 5
LONG_GAP_DAYS = 12

FilePair = tuple[str, Path, Path]


@cache
def _walk(number: int, days: int) -> list[Day]:
    return price_series(
        number, LAST - timedelta(days=days - 1), LAST, start=1.0, decimals=9, volume=90e3
    )


def _level(number: int) -> tuple[float, int]:
    """The price level of a ticker and the decimals a site would show."""
    level, decimals = LEVELS[number % len(LEVELS)]
    # Levels and walks repeat together only after 63,000 tickers.
    return level * (1 + number // len(LEVELS) % 1_000 / 1_000), decimals


def _prices(number: int, days: int, level: float, decimals: int) -> list[Day]:
    """The days of a ticker. Only the close is rounded: the changes in percent need it."""
    stretch = number // WALKS % STRETCHES
    walk = _walk(number % WALKS, days + STRETCHES)[stretch : stretch + days]
    first = LAST - timedelta(days=days - 1)
    return [
        Day(day, opened * level, high * level, low * level, round(close * level, decimals), coins)
        for day, (_, opened, high, low, close, coins) in zip(run_of(first, days), walk, strict=True)
    ]


def _gaps(number: int, days: int) -> list[date]:
    """The dates without a price: some single ones and a long run; none in a short series."""
    if days < 10 * LONG_GAP_DAYS:
        return []
    random = Random(number)
    ages = [1 + int(random.random() * (days - 2)) for _ in range(SINGLE_GAPS)]
    longest = LONG_GAP_DAYS + int(random.random() * (days - 2 * LONG_GAP_DAYS))
    run = run_of(LAST - timedelta(days=longest), LONG_GAP_DAYS)
    return [*(LAST - timedelta(days=age) for age in ages), *run]


def _history(number: int, days: int, ticker: str) -> tuple[str, str]:
    """Name and text: of ten tickers eight are from investing.com, one Yahoo's, one CoinGecko's."""
    level, decimals = _level(number)
    match number % 10:
        case 3:
            return f"{ticker}-USD.csv", yahoo(
                _prices(number, days, level, YAHOO_DECIMALS), frozenset(_gaps(number, days))
            )
        case 7:
            prices = _prices(number, days, level, decimals)
            return f"{ticker.lower()}-usd-max.csv", coingecko(prices, decimals, 1e9)
        case _:
            prices = _prices(number, days, level, decimals)
            gaps = dict.fromkeys(_gaps(number, days), "-1")
            return f"{ticker} Historical Data.csv", investing_us(prices, decimals, gaps)


def _trend(number: int, days: int, ticker: str) -> str:
    first = LAST - timedelta(days=days - 1)
    sunday = first - timedelta(days=(first.weekday() + 1) % 7)
    starts = weeks(sunday - timedelta(weeks=2), LAST + timedelta(weeks=1 + number % 3))
    return multi_timeline(interest_series(number, starts), f"{ticker} coin")


def generate(folder: Path, tickers: int = TICKERS, days: int = DAYS) -> list[FilePair]:
    """Writes the currencies below `folder`, which is made; ticker, history and trend of each."""
    pairs = []
    for number in range(tickers):
        ticker = f"T{number:04}"
        home = folder / ticker.lower()
        home.mkdir(parents=True, exist_ok=True)
        name, text = _history(number, days, ticker)
        history, trend = home / name, home / "multiTimeline.csv"
        history.write_bytes(text.encode())
        trend.write_bytes(_trend(number, days, ticker).encode())
        pairs.append((ticker, history, trend))
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes synthetic currencies for the benchmark.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tickers", type=int, default=TICKERS)
    parser.add_argument("--days", type=int, default=DAYS)
    asked = parser.parse_args()
    start = time.perf_counter()
    pairs = generate(asked.folder, asked.tickers, asked.days)
    megabytes = sum(path.stat().st_size for pair in pairs for path in pair[1:]) / 1e6
    print(f"{len(pairs)} currencies, {megabytes:.0f} MB, {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
