"""The warehouse: all of a ticker's rows are replaced at once, and what it says of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from crypto_assets.resources.storage.duckdb_file import DuckDBFile
from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.spark.market_data.tables import CURRENCIES, LAST_VERDICTS
from crypto_assets.spark.market_data.tables import PRICES as PRICES_TABLE
from crypto_assets_tests.helpers.described import (
    DAYS,
    FAILED,
    VALUES,
    shows_each_currency_once,
    shows_verdicts_with_the_rows_loaded,
)
from crypto_assets_tests.helpers.gold_files import FIRST, prices


def test_replace_loads_gold_and_gives_rows_and_dates_of_each_ticker(warehouse, gold):
    assert warehouse.replace(gold("BTC", days=3) | gold("XMR", price=2.0, days=1)) == (
        {
            "BTC": {"rows": 3, "first_date": date(2024, 2, 28), "last_date": date(2024, 3, 1)},
            "XMR": {"rows": 1, "first_date": date(2024, 2, 28), "last_date": date(2024, 2, 28)},
        },
        {},
    )
    with warehouse.reading() as connection:
        view = connection.execute("SELECT * FROM market_data.btc ORDER BY date")
        assert [column[0] for column in view.description] == [
            *("date", "price", "trend", "pricema", "trend_i")
        ]
        assert view.fetchone() == (date(2024, 2, 28), 1.0, 1.0, 1.0, 1.0)


def test_replace_leaves_every_other_ticker_alone(warehouse, gold):
    warehouse.replace(gold("BTC", "ETH", "XMR"))
    loaded, problems = warehouse.replace(gold("ETH", price=2.0, days=5))
    assert (list(loaded), problems) == (["ETH"], {})
    assert prices(warehouse) == {
        "BTC": (3, 1.0, 1.0),
        "ETH": (5, 2.0, 2.0),
        "XMR": (3, 1.0, 1.0),
    }


def test_only_those_that_are_replaced_are_given_however_many_are_between_them(warehouse, gold):
    warehouse.replace(gold("BTC", "ETH", "XMR"))
    loaded, problems = warehouse.replace(gold("BTC", "XMR", price=2.0))
    assert (sorted(loaded), problems) == (["BTC", "XMR"], {})


def test_the_next_change_of_the_process_has_duckdb_as_it_comes(warehouse, gold, tmp_path):
    warehouse.replace(gold("BTC"))
    settings = "SELECT current_setting('threads'), current_setting('disabled_compression_methods')"
    with DuckDBFile(tmp_path / "other.duckdb", 0.5, "").changing() as connection:
        found = connection.execute(settings).fetchone()
    with duckdb.connect() as fresh:
        assert found == fresh.execute(settings).fetchone()


def test_replacing_nothing_changes_nothing(warehouse, gold):
    warehouse.replace(gold("BTC"))
    assert warehouse.replace({}) == ({}, {})
    assert prices(warehouse) == {"BTC": (3, 1.0, 1.0)}


def test_the_view_of_currencies_shows_rows_and_verdict_of_each_in_words(warehouse, tmp_path):
    path = tmp_path / "gold/ticker=BTC/data.parquet"
    path.parent.mkdir(parents=True)
    parquet.write_table(pa.table({"date": DAYS, **VALUES}), path)
    warehouse.replace({"BTC": LoadFile(str(path), path.stat().st_size, len(DAYS))})
    shows_each_currency_once(warehouse)
    described = "SELECT count(*), count(comment) FROM duckdb_columns() WHERE table_name = '{}'"
    for table in (CURRENCIES, LAST_VERDICTS):
        (counts,) = warehouse.query(described.format(table.path.partition(".")[2]))[1]
        assert counts == (len(table.columns), len(table.columns))


def test_verdicts_come_with_the_rows_of_those_that_are_loaded(warehouse, gold):
    files = gold("BTC", "XMR")
    Path(files["XMR"].uri).write_bytes(b"")
    whole, broken = {"BTC": files.pop("BTC")}, files
    shows_verdicts_with_the_rows_loaded(warehouse, whole, broken)


def test_rows_that_are_not_as_many_as_were_published_are_not_loaded(warehouse, gold):
    warehouse.replace(gold("BTC"))
    files = gold("BTC", price=2.0, days=5)
    short = {"BTC": replace(files["BTC"], rows=4)}
    assert warehouse.replace(short) == ({}, {"BTC": "rows loaded differ from the 4 published"})
    assert prices(warehouse) == {"BTC": (3, 1.0, 1.0)}


@pytest.mark.parametrize(
    ("change", "comment"),
    [
        ("SELECT 1", "mine"),
        ("DROP VIEW market_data.currencies", "the last price"),
        ("COMMENT ON TABLE market_data.prices IS 'of an earlier version'", "the last price"),
    ],
)
def test_views_and_comments_are_made_anew_only_where_one_lacks_or_is_of_another_version(
    warehouse, gold, change, comment
):
    warehouse.replace(gold("BTC"))
    with duckdb.connect(warehouse.path) as connection:
        connection.execute("COMMENT ON COLUMN market_data.currencies.last_price IS 'mine'")
        connection.execute(change)
    warehouse.replace(gold("ETH"))
    found = "SELECT comment FROM duckdb_columns() WHERE column_name = 'last_price'"
    assert warehouse.query(found)[1] == [(comment,)]


def test_a_warehouse_of_an_earlier_version_shows_its_currencies_with_the_next_load(warehouse, gold):
    with duckdb.connect(warehouse.path) as connection:
        connection.execute("CREATE SCHEMA market_data")
        connection.execute(PRICES_TABLE.create_sql("duckdb"))
        connection.execute(
            "INSERT INTO market_data.prices VALUES ('OLD', '2024-01-01', 2, 1, 2, 1)"
        )
    warehouse.replace(gold("BTC"))
    shown = "SELECT ticker, last_price, verdict FROM market_data.currencies ORDER BY ticker"
    assert warehouse.query(shown)[1] == [("BTC", 1.0, None), ("OLD", 2.0, None)]


def test_nothing_is_described_where_nothing_was_loaded(warehouse):
    warehouse.describe([FAILED])
    assert not Path(warehouse.path).exists()


def test_one_unreadable_gold_file_fails_alone_and_keeps_its_old_rows(warehouse, gold):
    tickers = ("AAA", "BBB", "CCC", "DDD", "EEE")
    warehouse.replace(gold(*tickers))
    files = gold(*tickers, price=2.0, days=4)
    broken = Path(files["DDD"].uri)
    broken.write_bytes(broken.read_bytes()[:-20])
    loaded, problems = warehouse.replace(files)
    assert sorted(loaded) == ["AAA", "BBB", "CCC", "EEE"]
    assert list(problems) == ["DDD"]
    assert "\n" not in problems["DDD"]
    assert "ticker=DDD" in problems["DDD"]
    assert prices(warehouse) == dict.fromkeys(loaded, (4, 2.0, 2.0)) | {"DDD": (3, 1.0, 1.0)}


def test_a_gold_file_without_its_columns_or_gone_fails_alone(warehouse, gold):
    files = gold("AAA", "BBB", "CCC")
    parquet.write_table(pa.table({"date": [FIRST]}), files["AAA"].uri)
    Path(files["CCC"].uri).unlink()
    loaded, problems = warehouse.replace(files)
    assert (list(loaded), sorted(problems)) == (["BBB"], ["AAA", "CCC"])
    assert prices(warehouse) == {"BBB": (3, 1.0, 1.0)}


def test_every_ticker_has_a_view_of_its_lower_case_name(warehouse, gold):
    tickers = ("BTC", "1INCH", "007", "ALL", "TABLE", "TRUE", "1E5")
    for days in (2, 3):
        assert warehouse.replace(gold(*tickers, days=days) | gold("TRX", price=9.0))[1] == {}
    with warehouse.reading() as connection:
        for ticker in tickers:
            view = f'market_data."{ticker.lower()}"'
            count = connection.execute(f"SELECT count(*), max(price) FROM {view}")
            assert count.fetchone() == (3, 1.0)
