"""The warehouse: all of a ticker's rows are replaced at once, whoever reads or waits meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from crypto_assets.resources.errors import BusyError, RefusedError, UsageError
from crypto_assets.resources.storage.duckdb_file import DuckDBFile
from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.warehouse.duckdb import DuckDBWarehouse
from crypto_assets.spark.market_data.tables import CURRENCIES, LAST_VERDICTS
from crypto_assets.spark.market_data.tables import PRICES as PRICES_TABLE
from crypto_assets_tests.helpers.described import (
    DAYS,
    FAILED,
    VALUES,
    shows_each_currency_once,
    shows_verdicts_with_the_rows_loaded,
)
from crypto_assets_tests.helpers.duckdb_tools import tool
from crypto_assets_tests.helpers.processes import saying
from crypto_assets_tests.helpers.waiting import HANG_S

FIRST = date(2024, 2, 28)
PRICES = "SELECT ticker, count(*), min(price), max(price) FROM market_data.prices GROUP BY 1"

CURE = (
    "delete the file: `crypto-assets materialize --all --layer warehouse` and `crypto-assets "
    "accounts` make it anew"
)
READER = """
import json, sys, threading
from crypto_assets.resources.warehouse.duckdb import DuckDBWarehouse

ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set())).start()
warehouse = DuckDBWarehouse(path=sys.argv[1], lock_wait_s=600)
print("reading", flush=True)
while not ended.is_set():
    with warehouse.reading() as connection:
        (count,), = connection.execute("SELECT count(*) FROM market_data.btc").fetchall()
        both = connection.execute(
            "SELECT list(DISTINCT price), count(*), count(DISTINCT ticker) FROM market_data.prices"
        ).fetchone()
    print(json.dumps([count, *both]), flush=True)
    ended.wait(0.04)
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(path=str(tmp_path / "warehouse.duckdb"), lock_wait_s=0.5)


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


@pytest.fixture
def gold(tmp_path: Path) -> Callable[..., dict[str, LoadFile]]:
    return partial(write_gold, tmp_path)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> DuckDBWarehouse:
    """A warehouse that holds BTC and that no test may change."""
    folder = tmp_path_factory.mktemp("filled")
    warehouse = DuckDBWarehouse(path=str(folder / "warehouse.duckdb"))
    warehouse.replace(write_gold(folder, "BTC"))
    return warehouse


def prices(warehouse: DuckDBWarehouse) -> dict[str, tuple]:
    with warehouse.reading() as connection:
        return {ticker: tuple(rest) for ticker, *rest in connection.execute(PRICES).fetchall()}


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


def test_a_reader_in_another_process_never_sees_a_currency_empty_or_in_part(warehouse, gold):
    tickers = ("BTC", "ETH", "XMR")
    versions = [gold(*tickers, price=price, days=50 * int(price)) for price in (1.0, 2.0)]
    writer = DuckDBWarehouse(path=warehouse.path, lock_wait_s=HANG_S)
    writer.replace(versions[0])
    expected, seen = ["[50, [1.0], 150, 3]\n", "[100, [2.0], 300, 3]\n"], []
    with saying("reading", READER, warehouse.path) as reader:
        for number in range(13):
            assert writer.replace(versions[number % 2])[1] == {}
            while seen[-1:] != [expected[number % 2]]:  # a turn for the reader
                seen.append(reader.stdout.readline())
                assert seen[-1] in expected
        reader.stdin.close()
        seen += reader.stdout.readlines()
        assert reader.wait(HANG_S) == 0
    assert set(seen) == set(expected)


@pytest.mark.parametrize("read_only", [True, False])
def test_whoever_has_the_warehouse_open_keeps_no_run_waiting(warehouse, gold, read_only):
    warehouse.replace(gold("BTC"))
    with tool(warehouse.path, read_only=read_only) as other:
        assert warehouse.replace(gold("BTC", "ETH", price=2.0))[1] == {}
        warehouse.remove("ETH")
        assert prices(warehouse) == {"BTC": (3, 2.0, 2.0)}
        assert other.run(PRICES) == "[('BTC', 3, 1.0, 1.0)]"


def test_a_warehouse_that_is_open_to_write_elsewhere_is_waited_for_with_a_bound(warehouse, gold):
    warehouse.replace(gold("BTC"))
    with tool(warehouse.path) as holder, pytest.raises(BusyError) as busy:
        prices(warehouse)
    message = str(busy.value)
    assert message.startswith(f"{warehouse.path} is open to write in another process (")
    assert f"PID {holder.process.pid}" in message
    assert message.endswith(f"; waited 0.5 s: close it there, or {CURE}")


def test_two_readers_do_not_wait_for_each_other(warehouse, gold):
    warehouse.replace(gold("BTC"))
    with tool(warehouse.path, read_only=True):
        assert prices(warehouse) == {"BTC": (3, 1.0, 1.0)}


def test_the_doctor_is_warned_of_what_another_process_left_beside_the_warehouse(warehouse, gold):
    warehouse.replace(gold("BTC"))
    with tool(warehouse.path) as other:
        other.run("DELETE FROM market_data.prices")
    with pytest.raises(RefusedError, match=r"to write and left warehouse.duckdb.wal: open"):
        warehouse.check()
    warehouse.replace(gold("ETH"))
    assert warehouse.check() == "6 rows of 2 currencies"


def test_a_warehouse_that_does_not_exist_is_not_made_by_reading_it(warehouse):
    with pytest.raises(UsageError, match="the warehouse is still empty"), warehouse.reading():
        pass
    assert not Path(warehouse.path).exists()


def test_a_file_that_is_no_warehouse_is_refused_with_the_cure_and_stays(warehouse, gold):
    Path(warehouse.path).write_text("ticker,price\n" * 1000)
    files = gold("BTC", "ETH")
    for use in (
        lambda: warehouse.replace(files),
        lambda: warehouse.load_accounts([]),
        lambda: warehouse.query("SELECT 1"),
    ):
        with pytest.raises(RefusedError) as refused:
            use()
        assert str(refused.value).startswith(f"{warehouse.path} cannot be read (")
        assert str(refused.value).endswith(f": {CURE}")
    assert Path(warehouse.path).read_text() == "ticker,price\n" * 1000
    Path(warehouse.path).unlink()
    assert warehouse.replace(gold("BTC"))[1] == {}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM market_data.prices",
        "CREATE TABLE market_data.mine AS SELECT 1",
        "DROP VIEW market_data.btc",
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM glob('{secret}')",
        "COPY market_data.prices TO '{folder}/copy.csv'",
        "EXPORT DATABASE '{folder}/export'",
        "ATTACH '{folder}/other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET temp_directory = '{folder}'",
    ],
)
def test_reading_can_neither_write_nor_reach_any_other_file(filled, tmp_path, statement):
    (secret := tmp_path / "secret.csv").write_text("secret\n1\n")
    (folder := tmp_path / "outside").mkdir()
    with filled.reading() as connection, pytest.raises(duckdb.Error):
        connection.execute(statement.format(secret=secret, folder=folder)).fetchall()
    assert list(folder.iterdir()) == []
    assert prices(filled) == {"BTC": (3, 1.0, 1.0)}


def test_the_tables_are_shown_and_need_no_schema_before_their_names(filled):
    assert filled.query("SHOW TABLES") == (
        ["name"],
        [("btc",), ("currencies",), ("daily",), ("last_verdicts",), ("prices",)],
    )
    assert filled.query("SELECT count(*) FROM btc")[1] == [(3,)]
