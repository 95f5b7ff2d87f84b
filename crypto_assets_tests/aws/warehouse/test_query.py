"""Queries on the warehouse in Redshift: its values, and what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from crypto_assets.resources.errors import UsageError
from crypto_assets_tests.aws.warehouse.rows import FIRST


def test_a_query_gives_python_values_of_all_pages(ready, load, double):
    ready.replace(load("BTC", days=250))
    columns, rows = ready.query("SELECT date, price FROM market_data.btc ORDER BY date")
    assert columns == ["date", "price"]
    assert rows == [(FIRST + timedelta(days=day), 1.0) for day in range(250)]
    assert double.calls["GetStatementResult"] == 1 + 1 + 3  # a look before the load
    values = ready.query(
        "WITH one AS (SELECT 1 AS n) SELECT n, n > 0 AS yes, NULL AS none, 'a;b''into' AS text, "
        "CAST(1.25 AS NUMERIC(8, 3)) AS exact, 0.5::float8 AS half, "
        "TIMESTAMP '2024-01-02 03:04:05' AS moment FROM one -- into"
    )
    assert values == (
        ["n", "yes", "none", "text", "exact", "half", "moment"],
        [(1, True, None, "a;b'into", Decimal("1.250"), 0.5, datetime(2024, 1, 2, 3, 4, 5))],  # noqa: DTZ001
    )
    assert ready.query("SELECT date FROM market_data.btc WHERE price < 0") == (["date"], [])


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM market_data.prices",
        "WITH old AS (SELECT 1) DELETE FROM market_data.prices",
        "SELECT * INTO market_data.mine FROM market_data.prices",
        "SELECT 1; DELETE FROM market_data.prices",
        "/* SELECT */ DROP VIEW market_data.btc",
        "SELECT '\\'' AS a INTO market_data.mine FROM market_data.prices WHERE ticker <> '\\''",
        "SELECT 1 AS a$$ INTO market_data.mine FROM market_data.prices --$$",
        'SELECT 1 AS "a INTO market_data.mine',
        "COPY market_data.prices FROM 's3://bucket/x' IAM_ROLE default FORMAT PARQUET",
        "UNLOAD ('SELECT 1') TO 's3://bucket/x' IAM_ROLE default",
        "CALL market_data.sp_finish_batch()",
        "COMMIT",
        "",
        "-- SELECT 1",
    ],
)
def test_a_query_cannot_write_and_is_refused_before_it_is_sent(warehouse, double, statement):
    with pytest.raises(UsageError, match=r"can only be read|cannot stand here") as refused:
        warehouse.query(statement)
    assert "\n" not in str(refused.value)
    assert not double.calls


def test_the_tables_are_shown_with_their_schemas(warehouse, load):
    warehouse.replace(load("BTC"))
    columns, rows = warehouse.query("show tables;")
    assert columns == ["schema", "name"]
    assert {("market_data", "btc"), ("market_data", "prices")} <= set(rows)


def test_a_wrong_query_is_reported_in_one_line(warehouse, load):
    warehouse.replace(load("BTC"))
    with pytest.raises(UsageError, match=r'^column "nothing" does not exist$'):
        warehouse.query("SELECT nothing FROM market_data.btc")
    with pytest.raises(UsageError, match=r'^relation "market_data.eth" does not exist$'):
        warehouse.query("SELECT * FROM market_data.eth")


def test_an_empty_warehouse_is_reported_and_not_made_by_reading_it(warehouse, double):
    with pytest.raises(UsageError, match="the warehouse is still empty: run `crypto-assets"):
        warehouse.query("SELECT * FROM market_data.btc")
    assert warehouse.check() == "database dev of workgroup analytics: empty so far"
    with double.connect() as connection:
        found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'market_data'")
        assert found.fetchall() == []


def test_the_doctor_says_how_much_there_is(warehouse, load):
    warehouse.replace(load("BTC", "ETH", days=600))
    assert warehouse.check() == ("database dev of workgroup analytics: 1,200 rows of 2 currencies")
