"""Files of gold as a warehouse loads them, and what a warehouse in DuckDB holds of them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.warehouse.duckdb import DuckDBWarehouse

FIRST = date(2024, 2, 28)
PRICES = "SELECT ticker, count(*), min(price), max(price) FROM market_data.prices GROUP BY 1"


def write_gold(
    folder: Path, *tickers: str, price: float = 1.0, days: int = 3
) -> dict[str, LoadFile]:
    """Writes gold files of so many days, each at one price, and returns them by ticker."""
    rows = {
        "date": [FIRST + timedelta(days=day) for day in range(days)],
        **dict.fromkeys(("price", "trend", "pricema", "trend_i"), [price] * days),
    }
    files = {}
    for ticker in tickers:
        path = folder / f"gold-{price:g}/ticker={ticker}/data.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(pa.table(rows), path)
        files[ticker] = LoadFile(str(path), path.stat().st_size, days)
    return files


def prices(warehouse: DuckDBWarehouse) -> dict[str, tuple]:
    with warehouse.reading() as connection:
        return {ticker: tuple(rest) for ticker, *rest in connection.execute(PRICES).fetchall()}
