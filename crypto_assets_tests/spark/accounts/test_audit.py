"""The audit of the customer accounts tells what an engine lost, doubled or misplaced."""

from __future__ import annotations

import pytest

from crypto_assets.spark.accounts import audit
from crypto_assets.spark.accounts.snapshot import Snapshot
from crypto_assets.spark.job_spec import Upload

FILE = Upload("uri", "name.csv", "etag")


@pytest.mark.parametrize(
    ("read", "distinct", "written", "problems"),
    [
        (9, 7, 7, []),
        (8, 7, 7, ["8 rows were read, the file has 9"]),
        (9, 7, 6, ["7 rows expected, 6 written: some were lost or doubled"]),
        (9, 7, 8, ["7 rows expected, 8 written: some were lost or doubled"]),
        (9, 0, 0, ["there is no row in it: upload the whole file again"]),
    ],
)
def test_silver_has_each_different_row_once(read, distinct, written, problems):
    order = Snapshot("s1", "2026-11-21", {"customers": FILE, "accounts": FILE})
    given, table = {"lines": read}, {"rows": written}
    assert list(audit.silver_problems({"rows": 9}, given, distinct, table, order)) == problems


def test_the_joined_table_has_each_account_once_in_one_file_of_its_year():
    assert list(audit.accounts_problems(7, {"rows": 7, "keys": 7})) == []
    assert list(audit.accounts_problems(7, {"rows": 8, "keys": 7})) == [
        "7 accounts, 8 rows written: some were lost or doubled",
        "1 rows repeat an account number",
    ]
    year = {"created_at_year": 2020, "strangers": 0}
    assert list(audit.year_problems(year, 1)) == []
    assert list(audit.year_problems({**year, "strangers": 3}, 2)) == [
        "year 2020: one file is wanted, found 2",
        "year 2020: 3 rows are of another year",
    ]


def test_the_store_holds_what_it_held_with_the_changes_in_it():
    before = {"items": 10, "live": 8}
    done = {"inserted": 3, "changed": 1, "deleted": 2, "restored": 1}
    wanted = {"live": 10, "content": 123}
    after = {"items": 13, "live": 10, "content": 123}
    assert list(audit.store_problems(before, done, wanted, after, 13)) == []
    for change, keys, problem in (
        ({"content": 124}, 13, "live accounts that are not the 10 of this snapshot"),
        ({"items": 12}, 12, "items: 13 expected after the changes, 12 written"),
        ({}, 12, "1 items repeat an account number"),
    ):
        (found,) = audit.store_problems(before, done, wanted, {**after, **change}, keys)
        assert problem in found
    lost = {**after, "live": 9}
    assert list(audit.store_problems(before, done, wanted, lost, 13)) == [
        "the store would hold 9 live accounts that are not the 10 of this snapshot",
        "live: 10 expected after the changes, 9 written",
    ]
