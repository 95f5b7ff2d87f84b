"""Which files become a snapshot, and when."""

from __future__ import annotations

import time

import pytest

from crypto_assets.resources.accounts.snapshots import LONE_FILE_SECONDS, Snapshots
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.market_data.registry import StoredUpload, WrongUse

NOON = 1_700_049_600.0  # 2023-11-15T12:00:00Z


@pytest.fixture
def snapshots(objects):
    return Snapshots(objects=objects)


@pytest.fixture
def upload(objects):
    """Pins a file that was dropped at this key."""

    def pin(key: str, content: str) -> StoredUpload:
        return Inbox(objects=objects).pin(key, content.encode())

    return pin


def test_a_pair_in_one_folder_becomes_a_snapshot_named_by_the_arrival_of_the_later_file(
    snapshots, upload
):
    assert snapshots.take("customers", upload("bank/customers.csv", "c1"), NOON) is None
    found = snapshots.take("accounts", upload("bank/accounts.csv", "a1"), NOON + 1.5)
    assert found.name.startswith("20231115T120001500Z-")
    assert found.arrived_at == "2023-11-15T12:00:01.500+00:00"
    assert (found.customers.key, found.accounts.key) == ("bank/customers.csv", "bank/accounts.csv")
    assert snapshots.names() == snapshots.due() == [found.name]
    assert snapshots.get(found.name) == found


def test_names_are_in_the_order_of_arrival_whichever_was_taken_first(snapshots, upload):
    late = [
        snapshots.take(kind, upload(f"b/{kind}.csv", f"{kind} 2"), NOON + 60)
        for kind in ("customers", "accounts")
    ][1]
    early = [
        snapshots.take(kind, upload(f"a/{kind}.csv", f"{kind} 1"), NOON)
        for kind in ("accounts", "customers")
    ][1]
    assert snapshots.names() == [early.name, late.name]


def test_files_of_different_folders_are_no_pair(snapshots, upload):
    assert snapshots.take("customers", upload("monday/customers.csv", "c"), NOON) is None
    assert snapshots.take("accounts", upload("tuesday/accounts.csv", "a"), NOON) is None
    assert [kind for kind, _ in snapshots.waiting()] == ["customers", "accounts"]


def test_one_new_file_waits_for_the_other_and_goes_with_the_old_one_if_none_comes(
    snapshots, upload
):
    now = time.time()
    for kind in ("customers", "accounts"):
        first = snapshots.take(kind, upload(f"{kind}.csv", "1"), now - 2 * LONE_FILE_SECONDS)
    assert snapshots.take("accounts", upload("accounts.csv", "2"), now) is None
    assert snapshots.pair_lone(now + LONE_FILE_SECONDS - 1) == []
    (second,) = snapshots.pair_lone(now + LONE_FILE_SECONDS + 1)
    assert second.customers == first.customers
    assert second.accounts.etag != first.accounts.etag
    assert snapshots.names() == [first.name, second.name]
    assert snapshots.waiting() == []
    assert snapshots.pair_lone(now + 10 * LONE_FILE_SECONDS) == []


def test_both_files_new_are_a_snapshot_at_once_also_when_one_has_its_old_content(snapshots, upload):
    for at, content in ((NOON, "1"), (NOON + 60, "2")):
        snapshots.take("customers", upload("customers.csv", "same"), at)
        last = snapshots.take("accounts", upload("accounts.csv", content), at)
        assert last.accounts == snapshots.get(snapshots.names()[-1]).accounts
    assert len(snapshots.names()) == 2


def test_the_pair_that_the_newest_snapshot_has_is_no_other_one(snapshots, upload):
    for at in (NOON, NOON + 60):
        snapshots.take("customers", upload("customers.csv", "c"), at)
        found = snapshots.take("accounts", upload("accounts.csv", "a"), at)
    assert found is None
    assert len(snapshots.names()) == 1
    assert snapshots.waiting() == []


def test_a_snapshot_is_due_until_its_run_was_requested(snapshots, upload):
    found = snapshots.put(upload("customers.csv", "c"), upload("accounts.csv", "a"))
    assert snapshots.due() == [found.name]
    snapshots.settle(found.name)
    assert snapshots.due() == []
    assert snapshots.names() == [found.name]


def test_an_unknown_snapshot_is_told_with_the_last_ones(snapshots, upload):
    with pytest.raises(WrongUse, match="there is no snapshot 'x'; the last ones: none so far"):
        snapshots.get("x")
    found = snapshots.put(upload("customers.csv", "c"), upload("accounts.csv", "a"))
    with pytest.raises(WrongUse, match=f"the last ones: {found.name}"):
        snapshots.get("../etc/passwd")


def test_an_order_names_the_pinned_files_and_who_was_forgotten(snapshots, upload):
    found = snapshots.put(upload("customers.csv", "c"), upload("accounts.csv", "a"))
    snapshots.note_forgotten(12, {"customer_id": 12})
    snapshots.note_forgotten(-7, {"customer_id": -7})
    order = snapshots.order(found, ("accounts_silver", "accounts_bronze"), "/s", "/lake", None)
    assert order.layers == ("accounts_bronze", "accounts_silver")
    assert order.customers.uri.endswith(f"_versions/{found.customers.etag}")
    assert order.forgotten == (-7, 12)
    snapshots.admit(12)
    assert snapshots.forgotten() == (-7,)


def test_other_contents_take_the_place_of_a_snapshots_files(snapshots, upload):
    for kind in ("customers", "accounts"):
        found = snapshots.take(kind, upload(f"{kind}.csv", "1"), NOON)
    new = upload("accounts.csv", "without somebody")
    snapshots.replace_uploads(found, found.customers, new)
    assert snapshots.get(found.name).accounts == new
    assert snapshots.take("customers", upload("customers.csv", "2"), NOON + 60) is None
    (lone,) = snapshots.pair_lone(NOON + 60 + LONE_FILE_SECONDS + 1)
    assert lone.accounts == new
