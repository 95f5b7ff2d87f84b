"""The changes that bring the store to a snapshot: literal rows in, literal rows out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crypto_assets.spark.accounts import audit
from crypto_assets.spark.accounts.changes import ITEM, changes, items, stored_after
from crypto_assets.spark.accounts.snapshot import Snapshot
from crypto_assets.spark.accounts.tables import CHANGES, CUSTOMER_ACCOUNTS, STORED
from crypto_assets.spark.job_spec import Upload
from crypto_assets_tests.spark.accounts.rows import frame_of, rows_of

BEFORE = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 15, 36, 27, tzinfo=UTC)
TIME = datetime(2020, 3, 1, 0, 0, 0, 1000, tzinfo=UTC)
FILE = Upload("uri", "name.csv", "etag")


@pytest.fixture
def found(session):
    """The changes from what is stored to these accounts, and what is stored after them."""

    def compute(accounts, stored=None, arrived_at="2026-11-21T15:36:27Z"):
        order = Snapshot("s2", arrived_at, {"customers": FILE, "accounts": FILE})
        now = frame_of(session, CUSTOMER_ACCOUNTS.ddl, accounts)
        before = None if stored is None else frame_of(session, STORED.ddl, stored)
        found = changes(now, before, order)
        return rows_of(found, "account_number"), rows_of(
            stored_after(before, found), "account_number"
        )

    return compute


def account(number, **values):
    """An account as `customer_accounts` has it."""
    return {
        "customer_id": 1,
        "name": "Ann Lee",
        "gender": "Female",
        "state": "Ohio",
        "account_number": number,
        "type_of_account": "saving",
        "created_at": TIME,
        "created_at_year": 2020,
        **values,
    }


def item(number, **values):
    """The same account as an item of the store."""
    return {**account(number), "deleted_at": None, **values}


def test_without_an_earlier_snapshot_everything_is_inserted(found):
    nothing_known = dict.fromkeys(account("z"))
    changed, stored = found([account("a"), {**nothing_known, "account_number": "b"}])
    unknown = {**dict.fromkeys(item("b")), "account_number": "b", "created_at_year": 0}
    assert [(row.pop("operation"), row.pop("previous_year")) for row in changed] == [
        ("insert", None),
        ("insert", None),
    ]
    assert changed == stored == [item("a"), unknown]


def test_each_account_is_inserted_changed_deleted_restored_or_left_alone(found):
    accounts = [
        account("changed", name="Ann O'Brien"),
        account("moved", created_at_year=2021),
        account("new"),
        account("restored"),
        account("restored and moved", created_at_year=None, created_at=None),
        account("same"),
        account("same and all null", **dict.fromkeys(("customer_id", "name", "created_at_year"))),
    ]
    gone = item("gone", name="Old Name", state="Texas")
    left = item("left", deleted_at=BEFORE)
    same_null = item("same and all null", customer_id=None, name=None, created_at_year=0)
    stored = [
        item("changed"),
        gone,
        left,
        item("moved"),
        item("restored", deleted_at=BEFORE),
        item("restored and moved", deleted_at=BEFORE, state="Iowa"),
        item("same"),
        same_null,
    ]
    changed, after = found(accounts, stored)
    moved = item("restored and moved", created_at_year=0, created_at=None)
    written = {
        "changed": ("change", None, item("changed", name="Ann O'Brien")),
        "gone": ("delete", None, {**gone, "deleted_at": NOW}),
        "moved": ("change", 2020, item("moved", created_at_year=2021)),
        "new": ("insert", None, item("new")),
        "restored": ("restore", None, item("restored")),
        "restored and moved": ("restore", 2020, moved),
    }
    assert list(changed[0]) == ["operation", "previous_year", *ITEM]
    assert {
        row["account_number"]: (row.pop("operation"), row.pop("previous_year"), row)
        for row in changed
    } == written
    kept = {"left": left, "same": item("same"), "same and all null": same_null}
    expected = kept | {number: row for number, (_, _, row) in written.items()}
    assert {row["account_number"]: row for row in after} == expected


def test_any_value_that_differs_changes_the_item_in_place_and_null_is_a_value(found):
    differing = {
        "a": {"customer_id": 2},
        "b": {"customer_id": None},
        "c": {"gender": "unknown"},
        "d": {"state": "Texas"},
        "e": {"type_of_account": "forex"},
        "f": {"created_at": TIME.replace(microsecond=2000)},
        "g": {"created_at": None},
    }
    changed, stored = found(
        [account(number, **values) for number, values in differing.items()],
        [item(number) for number in differing],
    )
    assert {(row["operation"], row["previous_year"]) for row in changed} == {("change", None)}
    assert stored == [item(number, **values) for number, values in differing.items()]


def test_the_same_snapshot_again_changes_nothing(found):
    assert found([account("a")], [item("a")]) == ([], [item("a")])


def test_a_snapshot_without_accounts_deletes_those_live_once(found):
    left = item("b", deleted_at=BEFORE)
    (gone,), after = found([], [item("a"), left], "2026-11-21T15:36:27")
    assert (gone["operation"], gone["deleted_at"]) == ("delete", NOW)
    assert after == [item("a", deleted_at=NOW), left]


def test_the_digest_counts_each_operation_and_shows_the_first_ten_numbers_of_each(session):
    rows = [{"operation": "insert", "account_number": f"i{n:02}"} for n in range(12, 0, -1)]
    rows += [{"operation": "delete", "account_number": name} for name in ("d2", "d1")]
    frame = frame_of(session, CHANGES.ddl, rows)
    assert rows_of(audit.done_measures(frame)) == [
        {"inserted": 12, "changed": 0, "deleted": 2, "restored": 0}
    ]
    shown = [tuple(row.values()) for row in rows_of(audit.examples(frame), "account_number")]
    assert shown == [
        ("delete", "d1"),
        ("delete", "d2"),
        *[("insert", f"i{n:02}") for n in range(1, 11)],
    ]


def test_the_audit_compares_all_that_the_live_items_would_say_with_the_snapshot(session):
    accounts = frame_of(session, CUSTOMER_ACCOUNTS.ddl, [account("a"), account("b")])
    (wanted,) = rows_of(audit.live(items(accounts)))
    stores = {
        "same": [item("a"), item("b"), item("c", deleted_at=BEFORE)],
        "another name": [item("a"), item("b", name="Ann")],
        "one deleted": [item("a"), item("b", deleted_at=BEFORE)],
    }
    same = {}
    for name, rows in stores.items():
        (found,) = rows_of(audit.live(frame_of(session, STORED.ddl, rows)))
        same[name] = (found["live"], found["content"]) == (wanted["live"], wanted["content"])
    assert same == {"same": True, "another name": False, "one deleted": False}
