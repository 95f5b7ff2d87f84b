"""A desk at which uploads are sorted, and contents to drop on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from crypto_assets.resources.accounts.snapshots import Snapshots
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.market_data.overrides import parse_overrides
from crypto_assets.resources.market_data.registry import Registry, pinned_key
from crypto_assets.resources.storage.objects import Object
from crypto_assets.resources.uploads.assign import Sorter, Taken, Unclear
from crypto_assets_tests.helpers.exports_text import history_csv

HISTORY, NEWER = history_csv(100.0), history_csv(200.0)
DATES_OPEN = "Date,Close\n03/04/2024,100.5\n04/04/2024,101.5\n"
MARK_OPEN = "Date;Close\n" + "".join(f"2024-01-{d:02};1.{100 + d}\n" for d in range(1, 29))
TWO_TERMS = "Week,bitcoin: (Worldwide),monero: (Worldwide)\n" + "".join(
    f"2024-01-{day:02},{day},{2 * day}\n" for day in (7, 14, 21, 28)
)
CURE = "or use `crypto-assets add`"


@dataclass
class Desk:
    """An inbox people drop files into, and a sorter that is made anew for each look at it."""

    inbox: Inbox
    registry: Registry
    toml: str = ""
    clock: Iterator[int] = field(default_factory=lambda: count(1_700_000_000))

    def drop(self, key: str, content: str | bytes) -> Object:
        path = Path(self.inbox.objects.root, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (now := next(self.clock), now))
        arrival = self.inbox.arrival(key)
        assert arrival
        return arrival

    def sorter(self) -> Sorter:
        overrides = parse_overrides(self.toml)
        assert overrides.problems == ()
        snapshots = Snapshots(objects=self.inbox.objects)
        return Sorter(self.inbox, self.registry, snapshots, overrides)

    def take(self, key: str, content: str | bytes) -> Taken | None:
        return self.sorter().take(self.drop(key, content))

    def owner(self, key: str, content: str | bytes) -> str:
        """Whose the file became, as `BTC history`."""
        taken = self.take(key, content)
        assert taken
        assert taken.upload.key == key
        return f"{taken.ticker} {taken.kind}"

    def unclear(self, key: str, content: str | bytes) -> str:
        """Why the file became nobody's, after a check that it did."""
        before = list(self.registry.uploads())
        with pytest.raises(Unclear) as refused:
            self.take(key, content)
        assert list(self.registry.uploads()) == before
        assert "\n" not in str(refused.value)
        return str(refused.value)

    def content(self, ticker: str, kind: str) -> str:
        """What the currency is made from."""
        upload = self.registry.upload(ticker, kind)
        return Path(self.inbox.objects.root, pinned_key(upload.etag)).read_text()
