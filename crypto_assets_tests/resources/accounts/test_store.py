"""The local store of the customer accounts: the contract, and what only a DuckDB file can do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.accounts.duckdb_store import DuckDBAccountStore
from crypto_assets.resources.errors import BusyError
from crypto_assets_tests.helpers.account_changes import account, apply, batches, change, written
from crypto_assets_tests.helpers.account_store_contract import DELETED, AccountStoreContract
from crypto_assets_tests.helpers.duckdb_tools import tool
from crypto_assets_tests.helpers.waiting import HANG_S

FORGETTER = """
import sys
from crypto_assets.resources.accounts.duckdb_store import DuckDBAccountStore
store = DuckDBAccountStore(path=sys.argv[1], lock_wait_s=600)
assert all(store.forget(100 + n) == 1 for n in range(8))
"""
ITEMS = "SELECT * FROM accounts.customer_account_store ORDER BY account_number"


def store_key(store: DuckDBAccountStore) -> list[tuple]:
    with duckdb.connect(store.path, read_only=True) as connection:
        return connection.execute(
            "SELECT constraint_column_names FROM duckdb_constraints() "
            "WHERE constraint_type = 'PRIMARY KEY' AND table_name = 'customer_account_store'"
        ).fetchall()


@pytest.fixture
def store(tmp_path: Path) -> DuckDBAccountStore:
    return DuckDBAccountStore(
        path=str(tmp_path / "new folder" / "store.duckdb"), lock_wait_s=HANG_S
    )


@pytest.fixture
def filled(store: DuckDBAccountStore, tmp_path: Path) -> DuckDBAccountStore:
    rows = [change("insert", account(f"a{n}")) for n in range(3)]
    rows.append(change("insert", account("b", deleted_at=DELETED)))
    apply(store, written(tmp_path / "first.parquet", rows))
    return store


class TestDuckDBAccountStore(AccountStoreContract):
    def made(self, store):
        return f"DuckDBAccountStore(path={store.path!r}, lock_wait_s={HANG_S})"

    def half_done(self, store):
        """Its copy is there, in which the changes are made."""
        path = Path(store.path)
        return (path.with_name(f".{path.name}.part") / path.name).exists()

    def held(self, store):
        with duckdb.connect(store.path) as connection:
            return len(connection.execute(ITEMS).fetchall())


def test_the_doctor_learns_how_many_accounts_there_are(store, filled):
    assert DuckDBAccountStore(path=f"{store.path}.other").check() == "empty so far"
    assert store.check() == "accounts: 4, of which deleted: 1"


def test_the_doctor_looks_at_the_store_of_the_home(run, settings, tmp_path):
    store = wiring.account_store(settings)
    assert store.path == str(settings.home / "store.duckdb")
    path = written(tmp_path / "first.parquet", [change("insert", account("a"))])
    apply(store, path)
    lines = [" ".join(line.split()) for line in run("doctor")[1].splitlines()]
    assert "ok account store accounts: 1, of which deleted: 0" in lines


def test_who_only_looks_makes_no_file(store):
    store.get("a")
    store.forget(7)
    store.check()
    assert not Path(store.path).parent.exists()


def test_any_tool_reads_the_table_by_its_key(filled):
    with duckdb.connect(filled.path, read_only=True) as connection:
        first = connection.execute(ITEMS).fetchone()
    a = account("a0")
    values = (7, a.name, "F", a.state, "a0", "checking")
    assert first == (*values, a.created_at.replace(tzinfo=None), 2020, None)
    assert store_key(filled) == [(["account_number", "created_at_year"],)]


def test_changes_that_break_off_leave_the_store_as_it_was(filled, tmp_path):
    def breaking():
        path = written(tmp_path / "next.parquet", [change("insert", account("new"))])
        yield from batches(path)
        raise OSError("the lake is away")

    with pytest.raises(Exception, match="the lake is away"):
        filled.apply(breaking(), 2)
    assert filled.get("new") == []
    assert filled.check() == "accounts: 4, of which deleted: 1"


def test_whoever_has_the_store_open_keeps_no_change_waiting_but_writers_keep_readers(
    filled, tmp_path
):
    hasty = DuckDBAccountStore(path=filled.path, lock_wait_s=0.3)
    path = written(tmp_path / "next.parquet", [change("insert", account("new"))])
    with tool(filled.path, read_only=True) as reader, tool(filled.path, read_only=True):
        apply(hasty, path)
        assert reader.run("SELECT count(*) FROM accounts.customer_account_store") == "[(4,)]"
        assert hasty.get("new") == [account("new")]
    with tool(filled.path):
        with pytest.raises(BusyError, match=r"store.duckdb is open to write in another process"):
            hasty.get("new")
        assert hasty.forget(7) == 5
        assert hasty.get("new") == []


def test_what_a_forgotten_customer_had_is_not_in_the_files_any_more(filled, tmp_path):
    row = change("insert", account("secret-number", customer_id=9, name="Nobody Else"))
    apply(filled, written(tmp_path / "next.parquet", [row]))
    assert filled.forget(9) == 1
    left = b"".join(path.read_bytes() for path in Path(filled.path).parent.iterdir())
    assert b"secret-number" not in left
    assert b"Nobody Else" not in left
    assert store_key(filled) == [(["account_number", "created_at_year"],)]


def test_accounts_written_while_customers_are_forgotten_are_not_lost(filled, tmp_path):
    rows = [change("insert", account(f"c{n}", customer_id=100 + n)) for n in range(8)]
    apply(filled, written(tmp_path / "to forget.parquet", rows))
    command = [sys.executable, "-c", FORGETTER, filled.path]
    number = 0
    with subprocess.Popen(command) as forgetting:
        while forgetting.poll() is None:
            row = change("insert", account(f"new{number}"))
            apply(filled, written(tmp_path / "next.parquet", [row]))
            number += 1
    assert forgetting.returncode == 0
    assert number > 1
    assert [filled.get(f"new{n}") for n in range(number)] == [
        [account(f"new{n}")] for n in range(number)
    ]
    assert [filled.get(f"c{n}") for n in range(8)] == [[]] * 8
