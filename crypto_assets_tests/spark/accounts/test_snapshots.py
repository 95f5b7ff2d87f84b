"""The generator of snapshots: the same files every time, and a truth that is told rightly.

The oddities stand as literal rows in the generator; here are the rows that ought to come of them.
"""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sample_data.accounts import MISSING, Bank, write_snapshots

SAMPLE = Path(__file__).parents[3] / "sample_data" / "accounts"
NUMBER = "abcdef00-0000-4000-8000-000000000002"


@pytest.fixture
def snapshots(tmp_path):
    return write_snapshots(tmp_path / "bank", 30, 50, seed=1)


def test_the_sample_is_what_the_generator_writes(tmp_path):
    for file in Bank(customers=24, accounts=40, seed=6).write(tmp_path):
        assert file.read_bytes() == (SAMPLE / file.name).read_bytes()


def test_a_seed_gives_the_same_files_with_or_without_the_truth(snapshots, tmp_path):
    again = write_snapshots(tmp_path / "again", 30, 50, seed=1, truth=False)
    for one, other in zip(snapshots, again, strict=True):
        assert one.customers.read_bytes() == other.customers.read_bytes()
        assert one.accounts.read_bytes() == other.accounts.read_bytes()
    assert not again[0].rows
    other = write_snapshots(tmp_path / "other", 30, 50, seed=2, truth=False)[0]
    assert other.accounts.read_bytes() != snapshots[0].accounts.read_bytes()


def test_the_clean_table_is_told_of_every_oddity(snapshots):
    rows = snapshots[0].rows
    assert rows["1legacy"] == {
        "customer_id": 1,
        "name": "José O'Brien",
        "gender": "male",
        "state": "Washington",
        "account_number": "1legacy",
        "type_of_account": "checking",
        "created_at": datetime(2001, 1, 1, 1, 1, 1, 1000, tzinfo=UTC),
        "created_at_year": 2001,
    }
    assert rows["1legacy-1046660583003"]["created_at_year"] == 2003
    created = [rows[f"2{kind}"]["created_at_year"] for kind in ("legacy", "trading", "unknown")]
    assert created == [1998, 1998, None]
    assert rows[f"{MISSING}legacy"]["name"] == "unknown unknown"
    written = {name: rows[NUMBER][name] for name in ("name", "type_of_account", "created_at_year")}
    assert written == {
        "name": "Lou\nAnn Baker",
        "type_of_account": "saving",
        "created_at_year": 2020,
    }


def test_the_changes_lead_from_one_snapshot_to_the_next(snapshots):
    operations = [
        Counter(change["operation"] for change in snapshot.changes) for snapshot in snapshots
    ]
    assert operations[0] == {"insert": len(snapshots[0].rows)}
    assert set(operations[1]) == {"insert", "change", "delete"}
    assert set(operations[2]) == {"insert", "change", "delete", "restore"}
    stored = {}
    for snapshot in snapshots:
        for change in snapshot.changes:
            stored[change["account_number"]] = change
        live = {number: item for number, item in stored.items() if not item["deleted_at"]}
        assert live.keys() == snapshot.rows.keys()
        for number, row in snapshot.rows.items():
            expected = {**row, "created_at_year": row["created_at_year"] or 0}
            assert {name: live[number][name] for name in row} == expected


def test_an_account_whose_year_changes_tells_the_year_it_leaves(snapshots):
    for operation in ("change", "restore"):
        moved = [
            change
            for change in snapshots[2].changes
            if change["operation"] == operation and change["previous_year"] is not None
        ]
        assert moved
        for change in moved:
            before = snapshots[1 if operation == "change" else 0].rows[change["account_number"]]
            assert change["previous_year"] == before["created_at_year"]
            assert change["previous_year"] != change["created_at_year"]


def test_deleted_accounts_keep_what_was_stored_of_them(snapshots):
    deleted = [change for change in snapshots[1].changes if change["operation"] == "delete"]
    for change in deleted:
        row = snapshots[0].rows[change["account_number"]]
        assert {name: change[name] for name in row} == row
        assert change["deleted_at"] == datetime(2024, 2, 1, 6, tzinfo=UTC)
    assert deleted


def test_the_rows_that_were_written_are_counted(snapshots):
    for snapshot in snapshots:
        for kind in ("customers", "accounts"):
            with getattr(snapshot, kind).open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))[1:]
            texts = Counter(tuple(row) for row in rows if "".join(row).strip())
            assert texts.total() == snapshot.counts[f"{kind}_rows"]
            assert len(rows) - texts.total() == snapshot.counts[f"{kind}_blank"]
            assert texts.total() - len(texts) == snapshot.counts[f"{kind}_duplicates"]
