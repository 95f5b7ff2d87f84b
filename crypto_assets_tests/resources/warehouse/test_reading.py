"""Reading the warehouse: what others do meanwhile, what is refused, and how far reading reaches."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from crypto_assets.resources.errors import BusyError, RefusedError, UsageError
from crypto_assets.resources.warehouse.duckdb import DuckDBWarehouse
from crypto_assets_tests.helpers.duckdb_tools import tool
from crypto_assets_tests.helpers.gold_files import PRICES, prices, write_gold
from crypto_assets_tests.helpers.processes import saying
from crypto_assets_tests.helpers.waiting import HANG_S

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


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> DuckDBWarehouse:
    """A warehouse that holds BTC and that no test may change."""
    folder = tmp_path_factory.mktemp("filled")
    warehouse = DuckDBWarehouse(path=str(folder / "warehouse.duckdb"))
    warehouse.replace(write_gold(folder, "BTC"))
    return warehouse


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
