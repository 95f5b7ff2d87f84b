"""What becomes of snapshots: a row of them, refused ones, and those with nothing in them.

On Sail only, for each takes a job; every rule has a test of its own that is run on every engine.
"""

from __future__ import annotations

import hashlib
import shutil

import pyarrow.parquet as pq
import pytest

from crypto_assets.spark.accounts.audit import DONE
from crypto_assets.spark.accounts.changes import ITEM
from crypto_assets.spark.accounts.data_set import ACCOUNTS as DATA_SET
from crypto_assets.spark.accounts.tables import (
    CHANGES,
    CUSTOMER_ACCOUNTS,
    SILVER_ACCOUNTS,
    SILVER_CUSTOMERS,
    STORED,
)
from crypto_assets_tests.helpers.account_files import ACCOUNTS, CUSTOMERS, NAME, ONE, TWO
from crypto_assets_tests.spark.accounts.rows import published_rows
from sample_data.accounts import write_snapshots

OF_CUSTOMERS = "customer_id,first_name,last_name,gender,state\n"
OF_ACCOUNTS = "customer_id,account_number,type_of_account,created_at\n"


@pytest.fixture
def bank(run, spec, tmp_path):
    """Three snapshots of a generated bank, each run and published, with their verdicts."""
    snapshots, stored = [], None
    for snapshot in write_snapshots(tmp_path / "bank", 40, 120, seed=3):
        settings = {"name": snapshot.name, "arrived_at": snapshot.arrived_at, "stored": stored}
        files = (snapshot.customers, snapshot.accounts)
        snapshots.append((snapshot, run(spec(*files, tuple(DATA_SET.layers), **settings))))
        shutil.rmtree(tmp_path / "lake" / CUSTOMER_ACCOUNTS.path, ignore_errors=True)
        shutil.copytree(tmp_path / "staging", tmp_path / "lake", dirs_exist_ok=True)
        shutil.rmtree(tmp_path / "staging")
        stored = snapshot.name
    return snapshots


def of_snapshot(root, table, name):
    """The table's rows of one snapshot, by account number."""
    rows = published_rows(root, table)
    return {row["account_number"]: row for row in rows if row.pop("snapshot") == name}


def test_three_snapshots_with_every_oddity_give_the_rows_and_changes_that_are_true(bank, tmp_path):
    stored = {}
    for snapshot, verdicts in bank:
        assert [problem for verdict in verdicts.values() for problem in verdict.problems] == []
        changes = of_snapshot(tmp_path / "lake", CHANGES, snapshot.name)
        assert changes == {change["account_number"]: change for change in snapshot.changes}
        for number, change in changes.items():
            stored[number] = {name: change[name] for name in ITEM}
        assert of_snapshot(tmp_path / "lake", STORED, snapshot.name) == stored
    assert published_rows(tmp_path / "lake", CUSTOMER_ACCOUNTS) == [
        snapshot.rows[number] for number in sorted(snapshot.rows)
    ]


def test_what_is_measured_of_three_snapshots_is_what_was_written(bank):
    for snapshot, verdicts in bank:
        assert_measured(verdicts, snapshot)


def assert_measured(verdicts, snapshot):
    counts = snapshot.counts
    silver = verdicts["accounts_silver"].measures
    for kind, dropped in {"customers": "without_id", "accounts": "without_any_id"}.items():
        measured = silver[kind]
        assert measured["lines"] == counts[f"{kind}_rows"]
        assert measured["duplicates"] == counts[f"{kind}_duplicates"]
        assert measured["dropped"] == counts[f"{kind}_{dropped}"] == len(measured["dropped_lines"])
    assert silver["accounts"]["no_customer_id"] == counts["accounts_without_customer_id"]
    joined = verdicts["customer_accounts"].measures
    assert joined["rows"] == len(snapshot.rows)
    assert joined["legacy"] == sum(number.count("-") < 4 for number in snapshot.rows)
    for name in ("accounts_without_customer", "customers_without_account"):
        assert joined[name] == counts[name]
    store = verdicts["customer_account_store"].measures
    numbers = {}
    for change in snapshot.changes:
        numbers.setdefault(DONE[change["operation"]], []).append(change["account_number"])
    for done, examples in store["examples"].items():
        assert store[done] == len(numbers.get(done, []))
        assert examples == sorted(numbers.get(done, []))[:10]
    assert store["unchanged"] + store["inserted"] + store["changed"] + store["restored"] == len(
        snapshot.rows
    )


def test_an_unchanged_snapshot_writes_one_empty_file_of_changes(spec, run, tmp_path):
    layers = tuple(DATA_SET.layers)[2:]
    run(spec(CUSTOMERS, ACCOUNTS, tuple(DATA_SET.layers)))
    (tmp_path / "staging").rename(tmp_path / "lake")
    verdicts = run(spec(CUSTOMERS, ACCOUNTS, layers, stored=NAME))
    assert list(verdicts) == list(layers)
    measures = verdicts["customer_account_store"].measures
    assert (measures["unchanged"], measures["live_before"], measures["inserted"]) == (5, 5, 0)
    schemas = set()
    for root, rows in (("lake", 5), ("staging", 0)):
        (file,) = (tmp_path / root / CHANGES.folders(NAME)[0]).glob("*.parquet")
        found = pq.ParquetFile(file)
        assert found.metadata.num_rows == rows
        schemas.add(tuple((field.name, str(field.type)) for field in found.schema_arrow))
    assert len(schemas) == 1
    assert published_rows(tmp_path / "staging", STORED) == published_rows(tmp_path / "lake", STORED)


def test_files_are_sorted_and_hold_one_snapshot_or_year_each(spec, run, tmp_path):
    accounts = OF_ACCOUNTS + "".join(
        f"{n % 7},{hashlib.md5(str(n).encode()).hexdigest()[:8]}{ONE[8:]},saving,"  # noqa: S324
        f"{2000 + n % 3}-01-01T00:00:00Z\n"
        for n in range(300)
    )
    customers = OF_CUSTOMERS + "".join(f"{n},Ann,Lee,Female,OH\n" for n in (5, 2, 0, 6))
    run(spec(customers, accounts, tuple(DATA_SET.layers)))
    tables = {
        SILVER_CUSTOMERS: (1, "customer_id"),
        SILVER_ACCOUNTS: (1, "account_number"),
        CUSTOMER_ACCOUNTS: (3, "account_number"),
        CHANGES: (1, "account_number"),
        STORED: (1, "account_number"),
    }
    for table, (count, key) in tables.items():
        files = list((tmp_path / "staging" / table.path).glob("*/*.parquet"))
        assert len(files) == len({file.parent for file in files}) == count
        for file in files:
            found = pq.ParquetFile(file)
            keys = found.read()[key].to_pylist()
            assert keys == sorted(keys)
            assert found.metadata.row_group(0).column(0).compression == "SNAPPY"
            times = {str(f.type) for f in found.schema_arrow if f.name.endswith("_at")}
            assert times <= {"timestamp[us, tz=UTC]"}


def test_bad_rows_of_both_files_fail_the_snapshot_with_their_lines(spec, run):
    customers = OF_CUSTOMERS + "x,Ann,Lee,,\n" * 12
    accounts = (
        OF_ACCOUNTS + ""
        f"1,{ONE},saving,2024-02-30T00:00:00.000Z\n"
        f"1,{TWO},saving,\n"
        "1,12345,saving,\n"
        "1,,saving,20240101-01-01T00:00:00Z\n"
    )
    verdicts = run(spec(customers, accounts, tuple(DATA_SET.layers)))
    assert list(verdicts) == ["accounts_bronze", "accounts_silver"]
    people, owned = verdicts["accounts_silver"].problems
    assert people.startswith("customers: 12 bad lines: line 2: customer_id is no whole number")
    assert people.endswith("; and 2 more")
    assert "Ann" not in people
    times = "is no time like 2024-02-29T13:45:00.000Z from 1900 on"
    assert owned == (
        f"accounts: 3 bad lines: line 2: created_at '2024-02-30T00:00:00.000Z' {times}; "
        "line 4: account_number '12345' is no UUID; "
        f"line 5: created_at '20240101-01-01T00:00:00Z' {times}"
    )


def test_two_different_rows_of_one_customer_or_account_fail_the_snapshot(spec, run):
    customers = OF_CUSTOMERS + "1,Ann,,,\n2,,,,\n1,Anna,,,\n"
    accounts = (
        OF_ACCOUNTS + ""
        f"1,{ONE},saving,\n2,{TWO},saving,\n2,{ONE},saving,\n1,{ONE},trading,\n1,{ONE},saving,\n"
    )
    verdicts = run(spec(customers, accounts, tuple(DATA_SET.layers)))
    contradict = "lines contradict one before of the same"
    both = "line 4: differs from line 2; line 5: differs from line 2"
    assert verdicts["accounts_silver"].problems == (
        f"customers: 1 {contradict} customer_id: line 4: differs from line 2",
        f"accounts: 2 {contradict} account_number: {both}",
    )


def test_columns_that_are_null_in_every_row_are_no_problem(spec, run, tmp_path):
    customers = OF_CUSTOMERS + "1,,,,\n2,,,,\n"
    accounts = OF_ACCOUNTS + "1,,,\n2,,,\n"
    verdicts = run(spec(customers, accounts, tuple(DATA_SET.layers)))
    assert verdicts["customer_account_store"].problems == ()
    assert [
        tuple(row.values()) for row in published_rows(tmp_path / "staging", CUSTOMER_ACCOUNTS)
    ] == [
        (n, "unknown unknown", "unknown", "unknown", f"{n}unknown", "unknown", None, None)
        for n in (1, 2)
    ]


def test_a_snapshot_whose_rows_are_all_dropped_is_refused(spec, run):
    customers = OF_CUSTOMERS + ",Ann,,,\n"
    accounts = OF_ACCOUNTS + f",{ONE},,\n"
    assert run(spec(customers, accounts, tuple(DATA_SET.layers)))["accounts_silver"].problems == (
        "customers: there is no row in it: upload the whole file again",
    )


def test_nobody_may_be_left_of_a_snapshot_in_which_everybody_is_forgotten(spec, run, tmp_path):
    customers = OF_CUSTOMERS + "1,Ann,Lee,,\n"
    accounts = OF_ACCOUNTS + f"1,{ONE},,\n"
    verdicts = run(spec(customers, accounts, tuple(DATA_SET.layers), forgotten=(1,)))
    assert [verdict.problems for verdict in verdicts.values()] == [(), (), (), ()]
    assert published_rows(tmp_path / "staging", STORED) == []
