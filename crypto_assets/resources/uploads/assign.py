"""What becomes of each uploaded file: a currency's, a snapshot's, or kept in quarantine and why.

Certain or not at all, nothing is guessed: `currencies.toml` decides, then whose the key was before,
then the words in the file, its name and its folder. What is in a file says the reader.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from crypto_assets.resources.accounts.snapshots import Snapshots, StoredSnapshot
from crypto_assets.resources.inbox.inbox import OVERRIDES, Inbox, etag_of
from crypto_assets.resources.market_data.coins import Coins, terms_of
from crypto_assets.resources.market_data.overrides import Overrides
from crypto_assets.resources.market_data.registry import Entry, Registry, StoredUpload
from crypto_assets.resources.storage.files import printable
from crypto_assets.resources.storage.objects import Object
from crypto_assets.spark.job_spec import AccountKind, Kind

if TYPE_CHECKING:
    from crypto_assets.spark.exports import Export

_READING = ("dates", "decimal", "accept_outliers")


class Unclear(Exception):  # noqa: N818 - it reads as a sentence to a person
    """An upload cannot be given to a currency; the message says why and what to do."""


@dataclass(frozen=True)
class Taken:
    """An upload that became a currency's; `entry` is None while the other file is missing."""

    ticker: str
    kind: Kind
    upload: StoredUpload
    entry: Entry | None
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class TakenHalf:
    """An upload that became half of a snapshot; `snapshot` is None while the other is missing."""

    kind: AccountKind
    upload: StoredUpload
    snapshot: StoredSnapshot | None


class Sorter:
    """Gives uploads to currencies and snapshots, by the registry and overrides of one moment."""

    def __init__(
        self, inbox: Inbox, registry: Registry, snapshots: Snapshots, overrides: Overrides
    ) -> None:
        self._inbox, self._registry, self._overrides = inbox, registry, overrides
        self._snapshots = snapshots

    @cached_property
    def _owner_by_key(self) -> dict[str, tuple[str, Kind]]:
        uploads = sorted(self._registry.uploads(), key=lambda found: found[2].uploaded_at)
        return {upload.key: (ticker, kind) for ticker, kind, upload in uploads}

    @cached_property
    def _coins(self) -> Coins:
        owners = self._owner_by_key.values()
        known: dict[str, tuple[str, ...]] = {ticker: () for ticker, _ in owners}
        named = {ticker: section.names for ticker, section in self._overrides.sections.items()}
        return Coins(known | named)

    def take(self, arrival: Object) -> Taken | TakenHalf | None:
        """Gives the upload to its currency or a snapshot; None if a currency has this content.

        Raises `Unclear` if the file cannot be read or it is not certain whose it is.
        """
        from crypto_assets.spark.accounts.reading import kind_of
        from crypto_assets.spark.exports.text import HEAD_BYTES

        key, content = arrival.key, self._content(arrival)
        if kind := kind_of(content[:HEAD_BYTES], key.rpartition("/")[2]):
            return self._take_half(kind, arrival, content)
        return self._take(key, content)

    def _take_half(self, kind: AccountKind, arrival: Object, content: bytes) -> TakenHalf:
        """Gives the upload to a snapshot; `content` may be only its beginning."""
        from crypto_assets.spark.accounts.lines import MAX_BYTES

        if len(content) < arrival.size <= MAX_BYTES:
            content = self._content(arrival, MAX_BYTES)
        if arrival.size > MAX_BYTES:
            raise Unclear(f"it has {arrival.size:,} bytes, more than the {MAX_BYTES:,} we take")
        upload = self._inbox.pin(arrival.key, content)
        return TakenHalf(kind, upload, self._snapshots.take(kind, upload, arrival.arrived))

    def _take(self, key: str, content: bytes) -> Taken | None:
        etag = etag_of(content)
        claimed, owner = self._claimed(key), self._owner_by_key.get(key)
        if owner and not claimed and self._has(*owner, etag):
            self._inbox.pin(key, content)  # in case its copy was lost
            return None
        named = self._named_by_key(key)
        export = self._read(content, claimed or owner, named)
        ticker, kind = claimed or self._worked_out(key, export, named)
        if kind != export.kind:
            raise Unclear(f"it is a {export.kind} file where the {kind} file of {ticker} belongs")
        if self._has(ticker, kind, etag):
            self._inbox.pin(key, content)
            return None
        if not claimed:
            self._check_place(ticker, kind, key)
        return self._give(ticker, kind, self._inbox.pin(key, content), export)

    def owner_of(self, key: str) -> tuple[str, Kind, StoredUpload] | None:
        """The currency whose file stands at this key."""
        ticker, kind = self._owner_by_key.get(key, ("", "history"))
        upload = self._registry.upload(ticker, kind) if ticker else None
        return (ticker, kind, upload) if upload else None

    def _content(self, arrival: Object, limit: int | None = None) -> bytes:
        from crypto_assets.spark.exports.text import MAX_BYTES

        try:
            content = self._inbox.read(arrival.key, limit or MAX_BYTES + 1)
        except OSError as error:
            raise Unclear(f"it cannot be opened: {error.strerror or error}") from error
        present = self._inbox.arrival(arrival.key)
        if present is None or present.stamp != arrival.stamp:
            raise Unclear("it changed while it was read: it is looked at again")
        return content

    def _has(self, ticker: str, kind: Kind, etag: str) -> bool:
        """Whether the currency has this content already."""
        present = self._registry.upload(ticker, kind)
        return present is not None and present.etag == etag

    def _check_place(self, ticker: str, kind: Kind, key: str) -> None:
        """Raises `Unclear` if the currency's file of this kind still stands at another key."""
        present = self._registry.upload(ticker, kind)
        if present is None or present.key == key or not self._inbox.arrival(present.key):
            return
        if self._owner_by_key.get(present.key, (ticker, kind)) == (ticker, kind):
            raise Unclear(
                f"{ticker} has its {kind} from {present.key} already: upload it under that name, "
                f"remove that file and upload this one again, or name it in {OVERRIDES}"
            )

    def _give(self, ticker: str, kind: Kind, upload: StoredUpload, export: Export) -> Taken:
        from crypto_assets.spark.market_data.bronze import reading_facts

        entry = self._registry.take(ticker, kind, upload, self._overrides.choices(ticker))
        self._owner_by_key[upload.key] = (ticker, kind)
        facts = reading_facts(export)
        facts |= {name: str(getattr(export, name)) for name in ("first_date", "last_date")}
        return Taken(ticker, kind, upload, entry, {"rows": export.rows, **facts})

    def _claimed(self, key: str) -> tuple[str, Kind] | None:
        """Whose the key is by a pattern of the overrides."""
        claims = self._overrides.claims(key)
        if len(claims) > 1:
            named = " and ".join(f"the {kind} of {ticker}" for ticker, kind in claims)
            raise Unclear(f"{OVERRIDES} makes it {named}: narrow the patterns")
        return claims[0] if claims else None

    def _named_by_key(self, key: str) -> set[str]:
        """The tickers the file's name names, else those its folder names, from the inside out."""
        parts = reversed(key.removesuffix(".csv").split("/"))
        return next(filter(None, map(self._coins.named_in, parts)), set())

    def _worked_out(self, key: str, export: Export, by_key: set[str]) -> tuple[str, Kind]:
        """Whose the file is by the words in it and by the tickers its key names."""
        by_term = self._coins.named_in(export.term)
        if key in self._owner_by_key and not (by_term - {self._owner_by_key[key][0]}):
            return self._owner_by_key[key]
        named = by_term & by_key or by_term | by_key
        if len(named) == 1:
            return named.pop(), export.kind
        section = f"[TICKER] {export.kind} = {json.dumps(printable(key), ensure_ascii=False)}"
        cure = f"name it in {OVERRIDES} ({section}) or use `crypto-assets add`"
        if named:
            raise Unclear(f"it names {' and '.join(sorted(named))}: {cure}")
        raise Unclear(f"no known coin is named in it, its name or its folder: {cure}")

    def _read(self, content: bytes, known: tuple[str, Kind] | None, named: set[str]) -> Export:
        """Reads the file with the settings of the one ticker it can be of."""
        from crypto_assets.spark.exports import Options, Refused, read_export

        ticker = known[0] if known else min(named) if len(named) == 1 else None
        entry = self._registry.get(ticker) if ticker else None
        choices = {name: getattr(entry, name) for name in _READING} if entry else {}
        names: tuple[str, ...] = entry.names if entry else ()
        if ticker:
            said = self._overrides.choices(ticker)
            choices |= {name: said[name] for name in _READING if name in said}
            names = said.get("names", names)
        try:
            return read_export(
                io.BytesIO(content),
                Options(**choices, terms=terms_of(ticker, names) if ticker else ()),
            )
        except Refused as reason:
            raise Unclear(str(reason)) from reason


def apply_overrides(registry: Registry, overrides: Overrides) -> Iterator[Entry]:
    """Gives registered currencies the settings their sections name; yields those that change."""
    for ticker, section in overrides.sections.items():
        with registry.changing():
            entry = registry.get(ticker)
            if entry and (changed := replace(entry, **section.choices)) != entry:
                registry.put(changed)
                yield changed
