"""The view of every day in Redshift's double."""

from __future__ import annotations

import pyarrow as pa

from crypto_assets.resources.warehouse.daily import DAILY
from crypto_assets_tests.helpers.every_day import ROWS, shows_every_day


def test_the_view_of_days_has_each_and_carries_the_price(warehouse, put, double):
    files = {
        ticker: put(ticker, pa.table({"symbol": [ticker] * len(rows["date"]), **rows}))
        for ticker, rows in ROWS.items()
    }
    warehouse.replace(files)
    shows_every_day(warehouse)
    with double.connect() as connection:
        (said,) = connection.execute(
            "SELECT obj_description('market_data.daily'::regclass)"
        ).fetchone()
        plan = connection.execute(
            "EXPLAIN SELECT * FROM market_data.daily WHERE ticker = 'XMR'"
        ).fetchall()
    assert said == DAILY.row
    for what in ("Scan on prices", "Filter: ((ticker)::text = 'XMR'::text)"):
        assert sum(what in line for (line,) in plan) == 2
