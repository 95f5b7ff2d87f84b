"""What any warehouse shows of currencies beside their rows: given, and read from its view."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.warehouse.warehouse import Warehouse

DAYS = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 5)]
VALUES: dict[str, list[float | None]] = {
    "price": [1.0, None, 3.0, 4.0, None],
    "trend": [None, 50.0, None, None, None],
    "pricema": [1.0, 1.0, 2.0, 2.5, 2.5],
    "trend_i": [None, 50.0, 50.0, None, None],
}
HOSTILE = "x'); DROP TABLE market_data.prices; --\\' \N{GREEK SMALL LETTER PI}"
PASSED: dict[str, Any] = {
    "ticker": "BTC",
    "name": "bitcoin",
    "quote_currency": "USD",
    "source": "investing.com",
    "history_file": HOSTILE,
    "trend_file": "multiTimeline.csv",
    "filled": 2,
    "remarks": "no rows between 2024-03-02 and 2024-03-05",
    "verdict": "passed",
    "failed_at": None,
    "problem": None,
    "attempted_at": "2026-11-26T10:00:00",
}
FAILED = {
    "ticker": "XMR",
    "verdict": "failed",
    "failed_at": "bronze",
    "problem": HOSTILE,
    "attempted_at": "2026-11-26T11:00:00",
}
_ROWS = (
    "first_date, last_date, days_with_price, days_with_trend, days_with_both, gaps, last_price, "
    "last_price_date"
)
_SAID = (
    "name, quote_currency, source, history_file, trend_file, filled, remarks, verdict, failed_at, "
    "problem, attempted_at"
)


def shows_verdicts_with_the_rows_loaded(
    warehouse: Warehouse, whole: Mapping[str, LoadFile], broken: Mapping[str, LoadFile]
) -> None:
    """Loads BTC, whose file is whole, and XMR, whose file is not."""
    verdicts = {ticker: {**PASSED, "ticker": ticker} for ticker in ("BTC", "XMR")}
    loaded, problems = warehouse.replace({**broken, **whole}, verdicts)
    assert (list(loaded), list(problems)) == (["BTC"], ["XMR"])
    shown = "SELECT ticker, verdict FROM market_data.currencies"
    assert [tuple(row) for row in warehouse.query(shown)[1]] == [("BTC", "passed")]


def shows_each_currency_once(warehouse: Warehouse) -> None:
    """Describes BTC, whose rows are those above, twice, and XMR, which has none."""
    warehouse.describe([{**PASSED, "verdict": "failed", "problem": "of before"}, FAILED])
    warehouse.describe([PASSED])
    _, rows = warehouse.query(f"SELECT ticker, {_ROWS} FROM market_data.currencies ORDER BY ticker")
    btc = (DAYS[0], DAYS[-1], 3, 2, 1, 1, 4.0, DAYS[3])
    assert [tuple(row) for row in rows] == [("BTC", *btc), ("XMR", *[None] * len(btc))]
    _, rows = warehouse.query(f"SELECT ticker, {_SAID} FROM market_data.currencies ORDER BY ticker")
    (*passed, first), (*failed, second) = rows
    assert passed == list(PASSED.values())[:-1]
    assert failed == ["XMR", *[None] * 7, "failed", "bronze", HOSTILE]
    assert [first, second] == [datetime(2026, 11, 26, 10), datetime(2026, 11, 26, 11)]  # noqa: DTZ001 - as SQL gives it
    since = "SELECT COUNT(*) FROM market_data.currencies WHERE days_since_price = CURRENT_DATE - "
    assert warehouse.query(f"{since}last_price_date")[1] == [(1,)]
    warehouse.remove("BTC")
    assert warehouse.query("SELECT ticker FROM market_data.currencies")[1] == [("XMR",)]
