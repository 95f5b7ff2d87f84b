"""Which contents of uploads go, and which stay however old they are."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from crypto_assets.resources.accounts.snapshots import SnapshotRegistry
from crypto_assets.resources.data_set.contents import Pruned, prune_contents
from crypto_assets.resources.errors import DataError
from crypto_assets.resources.inbox import inbox as inbox_module
from crypto_assets.resources.inbox.inbox import Inbox, etag_of
from crypto_assets.resources.inbox.stored import pinned_key
from crypto_assets.resources.market_data.registry import CurrencyRegistry
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets.spark.market_data.data_set import MARKET_DATA

DAY = timedelta(days=1)
WHAT = "earlier contents of uploads"


def later() -> datetime:
    """A time before which everything in a test has happened."""
    return datetime.now(UTC) + DAY


@pytest.fixture
def inbox(objects):
    return Inbox(objects=objects)


@pytest.fixture
def currencies(objects):
    return CurrencyRegistry(MARKET_DATA, objects)


@pytest.fixture
def registries(objects, currencies):
    return [currencies, SnapshotRegistry(ACCOUNTS, objects)]


@pytest.fixture
def give(inbox, currencies):
    """Gives a ticker contents of a kind, one after the other."""

    def assign(ticker: str, kind: str, *contents: str) -> None:
        for content in contents:
            upload = inbox.pin(f"{ticker}/{kind}.csv", content.encode())
            currencies.assign(ticker, kind, upload, {})

    return assign


def kept(inbox) -> set[str]:
    return {inbox.objects.read(found.key).decode() for _, found in inbox.contents()}


def test_replaced_contents_go_but_for_the_last_three_of_each_kind(
    inbox, registries, currencies, give
):
    give("BTC", "history", "h1", "h2", "h3", "h4", "h5", "h6")
    give("BTC", "trend", "t1", "t2")
    currencies.settle(currencies.due())
    assert prune_contents(inbox, registries, later()) == Pruned(WHAT, 2, 4)
    assert kept(inbox) == {"h3", "h4", "h5", "h6", "t1", "t2"}
    entry = currencies.get("BTC")
    earlier = {etag: each.kind for etag, each in entry.earlier.items()}
    assert earlier == {
        **{etag_of(content): "history" for content in (b"h3", b"h4", b"h5")},
        etag_of(b"t1"): "trend",
    }
    assert currencies.due() == {}
    assert prune_contents(inbox, registries, later()) == Pruned(WHAT)


def test_what_was_replaced_lately_stays(inbox, registries, give):
    give("BTC", "history", "h1", "h2", "h3", "h4", "h5", "h6")
    assert prune_contents(inbox, registries, datetime.now(UTC) - DAY) == Pruned(WHAT)
    assert len(kept(inbox)) == 6


def test_looking_alone_deletes_nothing_and_says_the_same(inbox, registries, currencies, give):
    give("BTC", "history", "h1", "h2", "h3", "h4", "h5", "h6")
    before = currencies.get("BTC")
    assert prune_contents(inbox, registries, later(), dry_run=True) == Pruned(WHAT, 2, 4)
    assert (len(kept(inbox)), currencies.get("BTC")) == (6, before)


def test_what_another_partition_is_made_from_stays(inbox, registries, give):
    give("BTC", "history", "shared", "h2", "h3", "h4", "h5")
    give("WBTC", "history", "shared")
    assert prune_contents(inbox, registries, later()) == Pruned(WHAT)
    assert "shared" in kept(inbox)


def test_what_waits_for_its_other_file_or_was_paired_last_stays(inbox, registries):
    _, snapshots = registries
    for at, kind in enumerate(("customers", "accounts", "customers")):
        upload = inbox.pin(f"bank/{kind}.csv", f"{kind}{at}".encode())
        snapshots.assign_file(kind, upload, 1_700_000_000.0 + at)
    assert prune_contents(inbox, registries, later()) == Pruned(WHAT)
    assert kept(inbox) == {"customers0", "accounts1", "customers2"}


def test_what_nobody_registered_goes_by_its_age(inbox, registries):
    inbox.pin("notes.csv", b"nobody's")
    assert prune_contents(inbox, registries, datetime.now(UTC) - DAY) == Pruned(WHAT)
    assert prune_contents(inbox, registries, later()) == Pruned(WHAT, 1, 8)
    assert kept(inbox) == set()


@pytest.mark.parametrize("objects", ["local"], indirect=True)  # a bucket's times are in seconds
def test_a_content_that_comes_again_is_young_again(inbox, monkeypatch):
    key = pinned_key(inbox.pin("btc.csv", b"h1").etag)
    first = inbox.objects.find(key)
    inbox.pin("btc.csv", b"h1")
    assert inbox.objects.find(key) == first
    monkeypatch.setattr(inbox_module, "YOUNG_SECONDS", -1.0)
    inbox.pin("btc.csv", b"h1")
    assert inbox.objects.find(key).arrived > first.arrived


def test_nothing_goes_while_an_entry_cannot_be_read(inbox, registries, currencies, give):
    give("BTC", "history", "h1", "h2", "h3", "h4", "h5")
    give("ETH", "history", "e1")
    inbox.objects.write("_registry/market_data/waiting/ETH.json", b"{")
    with pytest.raises(DataError, match=r"waiting/ETH\.json cannot be read .* upload its files"):
        prune_contents(inbox, registries, later())
    assert kept(inbox) == {"h1", "h2", "h3", "h4", "h5", "e1"}


def test_an_entry_of_an_earlier_version_keeps_the_last_three_of_all_kinds(
    inbox, registries, currencies, give
):
    give("BTC", "history", "h1", "h2", "h3", "h4", "h5")
    document = asdict(currencies.get("BTC"))
    document["earlier"] = {
        etag_of(f"h{day}".encode()): f"2026-01-0{day}T00:00:00+00:00" for day in (1, 2, 3, 4)
    }
    key = "_registry/market_data/waiting/BTC.json"
    inbox.objects.write(key, json.dumps(document).encode())
    assert prune_contents(inbox, registries, later()) == Pruned(WHAT, 1, 2)
    assert kept(inbox) == {"h2", "h3", "h4", "h5"}
