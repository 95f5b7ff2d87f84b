"""The view of every day in DuckDB."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyarrow import parquet

from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.warehouse.daily import DAILY
from crypto_assets.resources.warehouse.duckdb import DuckDBWarehouse
from crypto_assets_tests.helpers.every_day import ROWS, shows_every_day


@pytest.fixture
def warehouse(tmp_path):
    filled = DuckDBWarehouse(path=str(tmp_path / "warehouse.duckdb"))
    files = {}
    for ticker, rows in ROWS.items():
        path = tmp_path / f"gold/ticker={ticker}/data.parquet"
        path.parent.mkdir(parents=True)
        parquet.write_table(pa.table(rows), path)
        files[ticker] = LoadFile(str(path), path.stat().st_size, len(rows["date"]))
    filled.replace(files)
    return filled


def test_the_view_of_days_has_each_and_carries_the_price(warehouse):
    shows_every_day(warehouse)


def test_the_view_and_its_columns_say_what_they_hold(warehouse):
    described = "SELECT comment FROM duckdb_{} WHERE {} = 'daily'"
    assert warehouse.query(described.format("views()", "view_name"))[1] == [(DAILY.row,)]
    _, rows = warehouse.query(described.format("columns()", "table_name"))
    assert [holds for (holds,) in rows] == [column.holds for column in DAILY.columns]


def test_the_days_of_one_ticker_are_made_of_its_rows_alone(warehouse):
    asked = "EXPLAIN SELECT * FROM market_data.daily WHERE ticker = 'XMR'"
    _, ((_, plan),) = warehouse.query(asked)
    assert plan.count("Table: warehouse.market_data.prices") == 2
    assert plan.count("Filters: ticker = 'XMR'") == 2
