"""Which files become a snapshot, and when."""

from __future__ import annotations

import time

import pytest

from crypto_assets.resources.accounts.snapshots import UNPAIRED_SECONDS, SnapshotRegistry
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.spark.accounts.data_set import ACCOUNTS

NOON = 1_700_049_600.0  # 2023-11-15T12:00:00Z


@pytest.fixture
def snapshots(objects):
    return SnapshotRegistry(ACCOUNTS, objects)


@pytest.fixture
def upload(objects):
    """Pins a file that was delivered at this key."""

    def pin(key: str, content: str) -> StoredUpload:
        return Inbox(objects=objects).pin(key, content.encode())

    return pin


@pytest.fixture
def pair(upload):
    """Pins both files of a snapshot."""
    return lambda: {kind: upload(f"{kind}.csv", kind) for kind in ("customers", "accounts")}


def test_a_pair_in_one_folder_becomes_a_snapshot_named_by_the_arrival_of_the_later_file(
    snapshots, upload
):
    assert snapshots.assign_file("customers", upload("bank/customers.csv", "c1"), NOON) is None
    found = snapshots.assign_file("accounts", upload("bank/accounts.csv", "a1"), NOON + 1.5)
    assert found.partition.startswith("20231115T120001500Z-")
    assert found.facts == {"arrived_at": "2023-11-15T12:00:01.500+00:00"}
    assert {kind: file.key for kind, file in found.files.items()} == {
        "customers": "bank/customers.csv",
        "accounts": "bank/accounts.csv",
    }
    assert snapshots.names() == list(snapshots.due()) == [found.partition]
    assert snapshots.snapshot(found.partition) == found


def test_names_are_in_the_order_of_arrival_whichever_was_assigned_first(snapshots, upload):
    late = [
        snapshots.assign_file(kind, upload(f"b/{kind}.csv", f"{kind} 2"), NOON + 60)
        for kind in ("customers", "accounts")
    ][1]
    early = [
        snapshots.assign_file(kind, upload(f"a/{kind}.csv", f"{kind} 1"), NOON)
        for kind in ("accounts", "customers")
    ][1]
    assert snapshots.names() == [early.partition, late.partition]


def test_files_of_different_folders_are_no_pair(snapshots, upload):
    monday = snapshots.assign_file("customers", upload("monday/customers.csv", "c"), NOON)
    tuesday = snapshots.assign_file("accounts", upload("tuesday/accounts.csv", "a"), NOON)
    assert (monday, tuesday) == (None, None)
    waiting = [kind for folder in snapshots.waiting().values() for kind in folder.files]
    assert sorted(waiting) == ["accounts", "customers"]


def test_one_new_file_waits_for_the_other_and_goes_with_the_old_one_if_none_comes(
    snapshots, upload
):
    now = time.time()
    for kind in ("customers", "accounts"):
        first = snapshots.assign_file(kind, upload(f"{kind}.csv", "1"), now - 2 * UNPAIRED_SECONDS)
    assert snapshots.assign_file("accounts", upload("accounts.csv", "2"), now) is None
    assert snapshots.pair_overdue(now + UNPAIRED_SECONDS - 1) == []
    (second,) = snapshots.pair_overdue(now + UNPAIRED_SECONDS + 1)
    assert second.files["customers"] == first.files["customers"]
    assert second.files["accounts"].etag != first.files["accounts"].etag
    assert snapshots.names() == [first.partition, second.partition]
    assert snapshots.waiting() == {}
    assert snapshots.pair_overdue(now + 10 * UNPAIRED_SECONDS) == []


def test_both_files_new_are_a_snapshot_at_once_also_when_one_has_its_old_content(snapshots, upload):
    for at, content in ((NOON, "1"), (NOON + 60, "2")):
        snapshots.assign_file("customers", upload("customers.csv", "same"), at)
        last = snapshots.assign_file("accounts", upload("accounts.csv", content), at)
        assert last == snapshots.snapshot(snapshots.names()[-1])
    assert len(snapshots.names()) == 2


def test_the_pair_that_the_newest_snapshot_has_is_no_other_one(snapshots, upload):
    for at in (NOON, NOON + 60):
        snapshots.assign_file("customers", upload("customers.csv", "c"), at)
        found = snapshots.assign_file("accounts", upload("accounts.csv", "a"), at)
    assert found is None
    assert len(snapshots.names()) == 1
    assert snapshots.waiting() == {}


def test_a_snapshot_is_due_until_its_run_was_requested(snapshots, pair):
    found = snapshots.register(pair())
    assert list(snapshots.due()) == [found.partition]
    snapshots.settle(snapshots.due())
    assert snapshots.due() == {}
    assert snapshots.names() == [found.partition]


def test_an_unknown_snapshot_is_refused_with_the_last_ones(snapshots, pair):
    with pytest.raises(UsageError, match="there is no snapshot 'x'; the last ones: none so far"):
        snapshots.snapshot("x")
    found = snapshots.register(pair())
    with pytest.raises(UsageError, match=f"the last ones: {found.partition}"):
        snapshots.snapshot("../etc/passwd")


def test_a_job_spec_names_the_pinned_files_and_who_was_forgotten(snapshots, pair, accounts):
    found = snapshots.register(pair())
    snapshots.record_forgotten(12, {"customer_id": 12})
    snapshots.record_forgotten(-7, {"customer_id": -7})
    partition = accounts.partition(found)
    assert partition.files["customers"].uri.endswith(f"_contents/{found.files['customers'].etag}")
    assert partition.facts == {**found.facts, "forgotten": (-7, 12), "stored": None}
    snapshots.admit(12)
    assert snapshots.forgotten() == (-7,)


def test_other_contents_take_the_place_of_a_snapshots_files(snapshots, upload):
    for kind in ("customers", "accounts"):
        found = snapshots.assign_file(kind, upload(f"{kind}.csv", "1"), NOON)
    new = upload("accounts.csv", "without somebody")
    snapshots.replace_contents({found.files["accounts"].etag: new})
    changed = snapshots.snapshot(found.partition).files["accounts"]
    assert (changed.key, changed.etag, changed.size) == (new.key, new.etag, new.size)
    assert snapshots.assign_file("customers", upload("customers.csv", "2"), NOON + 60) is None
    (overdue,) = snapshots.pair_overdue(NOON + 60 + UNPAIRED_SECONDS + 1)
    assert overdue.files["accounts"] == changed
