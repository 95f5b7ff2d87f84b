"""The digest of a snapshot's changes in words and numbers, and when deletions are refused."""

from __future__ import annotations

import pytest

from crypto_assets.resources.accounts.digest import Digest, Part, digest_of, too_many_deletes
from crypto_assets_tests.helpers.account_changes import account, batches, change, written
from crypto_assets_tests.helpers.account_files import NAME


@pytest.fixture
def digest(tmp_path):
    """The digest of these changes."""
    path = tmp_path / "changes.parquet"
    return lambda *rows: digest_of(NAME, batches(written(path, list(rows))))


def test_changes_are_counted_by_what_happened_with_ten_examples_of_each(digest):
    rows = [change("insert", account(f"i{n:02}")) for n in range(12)]
    rows += [change("change", account("c1", 2021), previous_year=2020)]
    rows += [change("restore", account(f"r{n}")) for n in range(10)]
    assert digest(*rows) == Digest(
        NAME,
        inserted=Part(12, tuple(f"i{n:02}" for n in range(10))),
        changed=Part(1, ("c1",)),
        restored=Part(10, tuple(f"r{n}" for n in range(10))),
    )


def test_counts_go_on_from_one_batch_of_rows_to_the_next():
    import pyarrow as pa

    rows = [{"operation": "delete", "account_number": f"d{n}"} for n in range(25)]
    parts = (pa.RecordBatch.from_pylist(rows[n : n + 7]) for n in range(0, 25, 7))
    assert digest_of(NAME, parts).deleted == Part(25, tuple(f"d{n}" for n in range(10)))


def test_people_learn_what_happened_and_nothing_personal(digest):
    rows = [change("insert", account(f"i{n}")) for n in range(1234)]
    rows += [change("delete", account("d1"))]
    found = digest(*rows)
    assert found.subject() == "customer accounts: 1,234 inserted, 1 deleted"
    assert found.text() == (
        f"Snapshot {NAME}\n"
        "1,234 accounts were inserted: i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, and 1,224 more\n"
        "1 account was deleted: d1"
    )
    assert found.as_metadata() == {
        "inserted": 1234,
        "changed": 0,
        "deleted": 1,
        "restored": 0,
        "inserted_such_as": "i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, and 1,224 more",
        "deleted_such_as": "d1",
    }


def test_an_unchanged_snapshot_says_so(digest):
    found = digest()
    assert found.subject() == "customer accounts: nothing changed"
    assert found.text() == f"Snapshot {NAME}\nNo account changed."


@pytest.mark.parametrize(
    ("deleted", "live", "share"),
    [(0, 0, 0), (0, 5, 0), (1, 5, 0.2), (29, 100, 0.29), (200_000, 1_000_000, 0.2), (5, 5, 1)],
)
def test_deletions_up_to_the_limit_pass(deleted, live, share):
    assert too_many_deletes(deleted, live, share) is None


@pytest.mark.parametrize(
    ("deleted", "live", "share"),
    [(1, 5, 0), (2, 5, 0.2), (30, 100, 0.29), (200_001, 1_000_000, 0.2), (5, 5, 0.999)],
)
def test_one_more_is_refused(deleted, live, share):
    assert too_many_deletes(deleted, live, share)


def test_the_refusal_names_the_numbers_the_limit_and_both_cures():
    assert too_many_deletes(1_234, 4_000, 0.2) == (
        "1,234 of 4,000 live accounts (30.9%) are missing and would be deleted; max_deleted_share "
        "allows 20%: upload a whole snapshot, or, if they are gone indeed, run `crypto-assets "
        "accounts --confirm-mass-delete` (run config confirm_mass_delete: true)"
    )
