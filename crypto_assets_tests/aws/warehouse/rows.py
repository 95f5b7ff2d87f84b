"""Rows that the tests of Redshift load, and how they look at them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pyarrow as pa

from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.warehouse.redshift import RedshiftWarehouse

FIRST = date(2024, 2, 28)
PRICES = (
    "SELECT ticker, count(*), min(price), max(price) FROM market_data.prices "
    "GROUP BY ticker ORDER BY ticker"
)
Load = Callable[..., dict[str, LoadFile]]


def table(ticker: str, price: float, days: int) -> pa.Table:
    return pa.table(
        {
            "symbol": pa.array([ticker] * days, pa.string()),
            "date": [FIRST + timedelta(days=day) for day in range(days)],
            **dict.fromkeys(("price", "trend", "pricema", "trend_i"), pa.array([price] * days)),
        }
    )


def changed(name: str, values: pa.Array) -> pa.Table:
    """Three rows of DDD, one column of which is another."""
    rows = table("DDD", 2.0, 3)
    return rows.set_column(rows.schema.get_field_index(name), name, values)


def prices(warehouse: RedshiftWarehouse) -> dict[str, tuple]:
    return {ticker: tuple(rest) for ticker, *rest in warehouse.query(PRICES)[1]}
