"""The job from two uploads to the changes for the store: its files, verdicts and measures."""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime

import duckdb
import pyarrow.parquet as pq
import pytest

from crypto_assets.spark import orders
from crypto_assets.spark.accounts.tables import (
    CHANGES,
    CUSTOMER_ACCOUNTS,
    SILVER_ACCOUNTS,
    SILVER_CUSTOMERS,
    STORED,
)
from crypto_assets.spark.batch import ACCOUNT_LAYERS, Snapshot, Upload

NAME = "20261121T153627Z-3fa9c1d2"
ONE = "0b8e1b6a-0f5c-4b9e-8b0b-3d3c5b6e7f80"
TWO = "1b8e1b6a-0f5c-4b9e-8b0b-3d3c5b6e7f80"
NEW = "2b8e1b6a-0f5c-4b9e-8b0b-3d3c5b6e7f80"

CUSTOMERS = """\
customer_id,firstname,last_name,gender,state
3,José,"García, Jr.",Male,"Washington, D.C."
1,Seán,O'Brien,,wa
,,,,

1,Seán,O'Brien,,Washington
4,Ann,Lee,Female,New Jerse
,Bob,Low,Male,TX
"""
ACCOUNTS = f"""\
customer_id,account_number,type_of_account,created_at
3,{TWO.upper()},saving,2020-12-31T23:59:59.999Z
1,,legacy,2020-05-01T00:00:00.000Z
1,,legacy,2019-05-01T00:00:00.000Z
1,,,
9,{ONE},trading,2020-01-01T00:00:00.000Z
,,forex,2020-01-01T00:00:00.000Z
"""


@pytest.fixture
def snapshot(tmp_path):
    """An order for these two files' content."""

    def order(customers, accounts, layers=ACCOUNT_LAYERS, **values):
        uploads = {}
        for kind, text in {"customers": customers, "accounts": accounts}.items():
            path = tmp_path / f"{kind}.csv"
            path.write_bytes(text.encode())
            etag = hashlib.sha256(path.read_bytes()).hexdigest()
            uploads[kind] = Upload(str(path), path.name, etag)
        roots = {"staging": str(tmp_path / "staging"), "lake": str(tmp_path / "lake")}
        order = {"name": NAME, "arrived_at": "2026-11-21T15:36:27Z"} | roots | uploads | values
        return Snapshot(layers=layers, **order)

    return order


@pytest.fixture
def run(session):
    def run_job(order):
        results = list(orders.run(session, order))
        return {result.layer: result.verdicts[0] for result in results}

    return run_job


def rows_of(root, table):
    """The table's rows by account number, as DuckDB reads them."""
    files = f"read_parquet('{root}/{table.path}/**/*.parquet', hive_partitioning = true)"
    found = duckdb.sql(f"SELECT * FROM {files} ORDER BY account_number")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def test_a_snapshot_goes_from_its_uploads_to_the_changes_for_the_store(snapshot, run, tmp_path):
    verdicts = run(snapshot(CUSTOMERS, ACCOUNTS))
    assert [problem for verdict in verdicts.values() for problem in verdict.problems] == []
    assert list(verdicts) == list(ACCOUNT_LAYERS)
    found = rows_of(tmp_path / "staging", CUSTOMER_ACCOUNTS)
    jose, sean, nobody = "José García, Jr.", "Seán O'Brien", "unknown unknown"
    assert [tuple(row.values())[:6] for row in found] == [
        (9, nobody, "unknown", "unknown", ONE, "trading"),
        (3, jose, "Male", "Washington, D.C.", TWO, "saving"),
        (1, sean, "unknown", "Washington", "1legacy", "checking"),
        (1, sean, "unknown", "Washington", "1legacy-2", "checking"),
        (1, sean, "unknown", "Washington", "1legacy-3", "unknown"),
    ]
    assert [(row["created_at"], row["created_at_year"]) for row in found] == [
        (datetime(2020, 1, 1, tzinfo=UTC), 2020),
        (datetime(2020, 12, 31, 23, 59, 59, 999_000, UTC), 2020),
        (datetime(2019, 5, 1, tzinfo=UTC), 2019),
        (datetime(2020, 5, 1, tzinfo=UTC), 2020),
        (None, None),
    ]
    items = [
        {
            **row,
            "created_at_year": row["created_at_year"] or 0,
            "deleted_at": None,
            "snapshot": NAME,
        }
        for row in found
    ]
    assert rows_of(tmp_path / "staging", STORED) == items
    assert rows_of(tmp_path / "staging", CHANGES) == [
        {"operation": "insert", "previous_year": None, **item} for item in items
    ]
    assert verdicts["accounts_silver"].measures == {
        "customers": {
            "lines": 5,
            "rows": 3,
            "duplicates": 1,
            "dropped": 1,
            "dropped_lines": ["line 8: no customer_id"],
            "unknown_first_name": 0,
            "unknown_last_name": 0,
            "unknown_gender": 1,
            "unknown_state": 1,
        },
        "accounts": {
            "lines": 6,
            "rows": 5,
            "duplicates": 0,
            "dropped": 1,
            "dropped_lines": ["line 7: neither customer_id nor account_number"],
            "unknown_type_of_account": 1,
            "unlisted_type_of_account": 0,
            "no_customer_id": 0,
            "no_created_at": 1,
        },
    }
    assert verdicts["customer_accounts"].measures == {
        "rows": 5,
        "years": {
            "unknown": {"files": 1, "rows": 1},
            "2019": {"files": 1, "rows": 1},
            "2020": {"files": 1, "rows": 3},
        },
        "accounts_without_customer": 1,
        "customers_without_account": 1,
        "legacy": 3,
    }
    assert verdicts["customer_account_store"].measures == {
        "inserted": 5,
        "changed": 0,
        "deleted": 0,
        "restored": 0,
        "unchanged": 0,
        "live_before": 0,
        "examples": {
            "inserted": [ONE, TWO, "1legacy", "1legacy-2", "1legacy-3"],
            "changed": [],
            "deleted": [],
            "restored": [],
        },
    }


def test_an_unchanged_snapshot_writes_one_empty_file_of_changes(snapshot, run, tmp_path):
    layers = ACCOUNT_LAYERS[2:]
    run(snapshot(CUSTOMERS, ACCOUNTS))
    (tmp_path / "staging").rename(tmp_path / "lake")
    verdicts = run(snapshot(CUSTOMERS, ACCOUNTS, layers, stored=NAME))
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
    assert rows_of(tmp_path / "staging", STORED) == rows_of(tmp_path / "lake", STORED)


def test_each_of_three_snapshots_leads_on_from_what_the_one_before_left(snapshot, run, tmp_path):
    later = ACCOUNTS.replace(f"9,{ONE},trading,2020", f"9,{ONE},trading,2018").replace(
        f"3,{TWO.upper()},saving,2020-12-31T23:59:59.999Z", f"4,{NEW},saving,"
    )
    files = {
        "s1": (CUSTOMERS, ACCOUNTS),
        "s2": (CUSTOMERS.replace("Lee", "Leeds"), later),
        "s3": (CUSTOMERS, ACCOUNTS.replace("saving", "Forex")),
        "s4": (CUSTOMERS, ACCOUNTS.replace("saving", "forex")),
    }
    found, arrived, stored = {}, "2026-11-21T15:36:0{}Z", None
    for number, (name, texts) in enumerate(files.items(), 1):
        order = snapshot(*texts, name=name, stored=stored, arrived_at=arrived.format(number))
        verdicts = run(order)
        assert [problem for verdict in verdicts.values() for problem in verdict.problems] == []
        stored = name
        shutil.copytree(tmp_path / "staging", tmp_path / "lake", dirs_exist_ok=True)
        shutil.rmtree(tmp_path / "staging")
        found[name] = verdicts["customer_account_store"].measures
    digest = ("inserted", "changed", "deleted", "restored", "unchanged", "live_before")
    assert {name: [found[name][count] for count in digest] for name in found} == {
        "s1": [5, 0, 0, 0, 0, 0],
        "s2": [1, 1, 1, 0, 3, 5],
        "s3": [0, 1, 1, 1, 3, 5],
        "s4": [0, 0, 0, 0, 5, 5],
    }
    assert found["s3"]["examples"] == {
        "inserted": [],
        "changed": [ONE],
        "deleted": [NEW],
        "restored": [TWO],
    }
    changes = rows_of(tmp_path / "lake", CHANGES)
    told = ("snapshot", "operation", "account_number", "created_at_year", "previous_year")
    assert sorted(tuple(row[name] for name in told) for row in changes)[5:] == [
        ("s2", "change", ONE, 2018, 2020),
        ("s2", "delete", TWO, 2020, None),
        ("s2", "insert", NEW, 0, None),
        ("s3", "change", ONE, 2020, 2018),
        ("s3", "delete", NEW, 0, None),
        ("s3", "restore", TWO, 2020, None),
    ]
    last = [row for row in rows_of(tmp_path / "lake", STORED) if row["snapshot"] == "s4"]
    assert {row["account_number"]: row["deleted_at"] for row in last if row["deleted_at"]} == {
        NEW: datetime(2026, 11, 21, 15, 36, 3, tzinfo=UTC)
    }
    assert {row["name"] for row in last if row["account_number"] == NEW} == {"Ann Leeds"}


def test_files_are_sorted_and_hold_one_snapshot_or_year_each(snapshot, run, tmp_path):
    accounts = "customer_id,account_number,type_of_account,created_at\n" + "".join(
        f"{n % 7},{hashlib.md5(str(n).encode()).hexdigest()[:8]}{ONE[8:]},saving,"  # noqa: S324
        f"{2000 + n % 3}-01-01T00:00:00Z\n"
        for n in range(300)
    )
    customers = "customer_id,first_name,last_name,gender,state\n" + "".join(
        f"{n},Ann,Lee,Female,OH\n" for n in (5, 2, 0, 6)
    )
    run(snapshot(customers, accounts))
    tables = {
        SILVER_CUSTOMERS: (1, "customer_id"),
        SILVER_ACCOUNTS: (1, "account_number"),
        CUSTOMER_ACCOUNTS: (3, "account_number"),
        CHANGES: (1, "account_number"),
        STORED: (1, "account_number"),
    }
    for table, (count, order) in tables.items():
        files = list((tmp_path / "staging" / table.path).glob("*/*.parquet"))
        assert len(files) == len({file.parent for file in files}) == count
        for file in files:
            found = pq.ParquetFile(file)
            keys = found.read()[order].to_pylist()
            assert keys == sorted(keys)
            assert found.metadata.row_group(0).column(0).compression == "SNAPPY"
            times = {str(f.type) for f in found.schema_arrow if f.name.endswith("_at")}
            assert times <= {"timestamp[us, tz=UTC]"}


def test_bad_rows_of_both_files_fail_the_snapshot_with_their_lines(snapshot, run):
    customers = "customer_id,first_name,last_name,gender,state\n" + "x,Ann,Lee,,\n" * 12
    accounts = (
        "customer_id,account_number,type_of_account,created_at\n"
        f"1,{ONE},saving,2024-02-30T00:00:00.000Z\n"
        f"1,{TWO},saving,\n"
        "1,12345,saving,\n"
        "1,,saving,20240101-01-01T00:00:00Z\n"
    )
    verdicts = run(snapshot(customers, accounts))
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


def test_two_different_rows_of_one_customer_or_account_fail_the_snapshot(snapshot, run):
    customers = "customer_id,first_name,last_name,gender,state\n1,Ann,,,\n2,,,,\n1,Anna,,,\n"
    accounts = (
        "customer_id,account_number,type_of_account,created_at\n"
        f"1,{ONE},saving,\n2,{TWO},saving,\n2,{ONE},saving,\n1,{ONE},trading,\n1,{ONE},saving,\n"
    )
    verdicts = run(snapshot(customers, accounts))
    contradict = "lines contradict one before of the same"
    both = "line 4: differs from line 2; line 5: differs from line 2"
    assert verdicts["accounts_silver"].problems == (
        f"customers: 1 {contradict} customer_id: line 4: differs from line 2",
        f"accounts: 2 {contradict} account_number: {both}",
    )


def test_columns_that_are_null_in_every_row_are_no_problem(snapshot, run, tmp_path):
    customers = "customer_id,first_name,last_name,gender,state\n1,,,,\n2,,,,\n"
    accounts = "customer_id,account_number,type_of_account,created_at\n1,,,\n2,,,\n"
    verdicts = run(snapshot(customers, accounts))
    assert verdicts["customer_account_store"].problems == ()
    assert [tuple(row.values()) for row in rows_of(tmp_path / "staging", CUSTOMER_ACCOUNTS)] == [
        (n, "unknown unknown", "unknown", "unknown", f"{n}legacy", "unknown", None, None)
        for n in (1, 2)
    ]


def test_a_snapshot_whose_rows_are_all_dropped_is_refused(snapshot, run):
    customers = "customer_id,first_name,last_name,gender,state\n,Ann,,,\n"
    accounts = f"customer_id,account_number,type_of_account,created_at\n,{ONE},,\n"
    assert run(snapshot(customers, accounts))["accounts_silver"].problems == (
        "customers: there is no row in it: upload the whole file again",
    )


def test_nobody_may_be_left_of_a_snapshot_in_which_everybody_is_forgotten(snapshot, run, tmp_path):
    customers = "customer_id,first_name,last_name,gender,state\n1,Ann,Lee,,\n"
    accounts = f"customer_id,account_number,type_of_account,created_at\n1,{ONE},,\n"
    verdicts = run(snapshot(customers, accounts, forgotten=(1,)))
    assert [verdict.problems for verdict in verdicts.values()] == [(), (), (), ()]
    assert rows_of(tmp_path / "staging", STORED) == []
