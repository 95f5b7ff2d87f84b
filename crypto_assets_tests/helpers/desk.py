"""A desk at which uploads are assigned, and contents to deliver to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from crypto_assets.resources.accounts.assign import SnapshotAssigner
from crypto_assets.resources.accounts.snapshots import SnapshotRegistry
from crypto_assets.resources.data_set.assign import (
    Assigned,
    Assigner,
    Proposal,
    accept,
    kept,
    propose,
)
from crypto_assets.resources.errors import UnclearError
from crypto_assets.resources.inbox.inbox import OVERRIDES, Inbox
from crypto_assets.resources.inbox.stored import StoredUpload, pinned_key
from crypto_assets.resources.market_data.assign import CurrencyAssigner
from crypto_assets.resources.market_data.registry import CurrencyRegistry
from crypto_assets.resources.storage.objects import Object
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets_tests.helpers.exports_text import history_csv

HISTORY, NEWER = history_csv(100.0), history_csv(200.0)
DATES_OPEN = "Date,Close\n03/04/2024,100.5\n04/04/2024,101.5\n"
MARK_OPEN = "Date;Close\n" + "".join(f"2024-01-{d:02};1.{100 + d}\n" for d in range(1, 29))
TWO_TERMS = "Week,bitcoin: (Worldwide),monero: (Worldwide)\n" + "".join(
    f"2024-01-{day:02},{day},{2 * day}\n" for day in (7, 14, 21, 28)
)
CURE = "or use `crypto-assets add`"


def assigned(arrival: Object, inbox: Inbox, assigners: Sequence[Assigner]) -> Assigned:
    """What becomes of an upload; raises what is wrong with it."""
    ((_, proposal),) = kept(inbox, [(arrival, propose(arrival, inbox, assigners))])
    assert isinstance(proposal, Proposal)
    ((_, given),) = accept({arrival.key: proposal})
    if isinstance(given, Exception):
        raise given
    return given


@dataclass
class Desk:
    """An inbox people deliver files to, and assigners that are made anew for each look at it.

    `toml` is what `currencies.toml` says then.
    """

    inbox: Inbox
    registry: CurrencyRegistry
    toml: str = ""
    clock: Iterator[int] = field(default_factory=lambda: count(1_700_000_000))

    def deliver(self, key: str, content: str | bytes) -> Object:
        path = Path(self.inbox.objects.root, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (now := next(self.clock), now))
        arrival = self.inbox.arrival(key)
        assert arrival
        return arrival

    def assigners(self) -> list[Assigner]:
        self.inbox.objects.write(OVERRIDES, self.toml.encode())
        currencies = CurrencyAssigner(self.registry, self.inbox)
        assert currencies.problems == ()
        snapshots = SnapshotRegistry(ACCOUNTS, self.inbox.objects)
        return [SnapshotAssigner(snapshots, self.inbox), currencies]

    def assign(self, arrival: Object) -> Assigned:
        return assigned(arrival, self.inbox, self.assigners())

    def delivered(self, key: str, content: str | bytes) -> Assigned:
        return self.assign(self.deliver(key, content))

    def owner(self, key: str, content: str | bytes) -> str:
        """Whose the file became, as `BTC history`."""
        assigned = self.delivered(key, content)
        assert not assigned.known
        ((kind, upload),) = assigned.files.items()
        assert upload.key == key
        return f"{assigned.partition} {kind}"

    def unclear(self, key: str, content: str | bytes) -> str:
        """Why the file became nobody's, after a check that it did; `currencies.toml` by name."""
        before = list(self.registry.uploads())
        with pytest.raises(UnclearError) as refused:
            self.delivered(key, content)
        assert list(self.registry.uploads()) == before
        assert "\n" not in str(refused.value)
        return str(refused.value).replace(self.inbox.objects.uri(OVERRIDES), OVERRIDES)

    def upload(self, ticker: str, kind: str) -> StoredUpload:
        """The currency's file of this kind."""
        entry = self.registry.get(ticker)
        assert entry
        return entry.files[kind]

    def content(self, ticker: str, kind: str) -> str:
        """What the currency is made from."""
        key = pinned_key(self.upload(ticker, kind).etag)
        return Path(self.inbox.objects.root, key).read_text()
