"""Assigning uploads to currencies: whose a file is, certain or not at all.

`currencies.toml` decides, then whose the key was before, then the words in the file, its name and
its folder. What is in a file says the reader.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from crypto_assets.resources.data_set.assign import Assigned, Assigner
from crypto_assets.resources.errors import UnclearError
from crypto_assets.resources.inbox.inbox import OVERRIDES, Inbox, etag_of
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.resources.market_data.coins import Coins, terms_of
from crypto_assets.resources.market_data.overrides import read_overrides
from crypto_assets.resources.market_data.registry import (
    CurrencyRegistry,
    choices_of,
    with_choices,
)
from crypto_assets.resources.storage.files import printable
from crypto_assets.resources.storage.objects import Object
from crypto_assets.spark.market_data.currency import Choices

if TYPE_CHECKING:
    from crypto_assets.spark.exports import Export


class CurrencyAssigner(Assigner):
    """Assigns histories and trends to currencies, by the registry and `currencies.toml`."""

    def __init__(self, registry: CurrencyRegistry, inbox: Inbox) -> None:
        self._inbox, self._registry = inbox, registry
        self._overrides, self.settings = read_overrides(inbox)
        self.problems = self._overrides.problems

    @cached_property
    def _owner_by_key(self) -> dict[str, tuple[str, str]]:
        uploads = sorted(self._registry.uploads(), key=lambda found: found[2].uploaded_at)
        return {upload.key: (ticker, kind) for ticker, kind, upload in uploads}

    @cached_property
    def _coins(self) -> Coins:
        owners = self._owner_by_key.values()
        known: dict[str, tuple[str, ...]] = {ticker: () for ticker, _ in owners}
        named = {ticker: section.names for ticker, section in self._overrides.sections.items()}
        return Coins(known | named)

    def apply_settings(self) -> Iterator[str]:
        sections = self._overrides.sections
        for ticker in self._registry.choose({t: s.choices for t, s in sections.items()}):
            yield f"{ticker}: new settings"

    def assign(self, arrival: Object, content: bytes) -> Assigned | None:
        key, etag = arrival.key, etag_of(content)
        claimed, owner = self._claimed(key), self._owner_by_key.get(key)
        if owner and not claimed and self._has(*owner, etag):
            return self._known(*owner, key, content)
        named = self._named_by_key(key)
        export = self._read(content, claimed or owner, named)
        ticker, kind = claimed or self._worked_out(key, export, named)
        if kind != export.kind:
            raise UnclearError(
                f"it is a {export.kind} file where the {kind} file of {ticker} belongs"
            )
        if self._has(ticker, kind, etag):
            return self._known(ticker, kind, key, content)
        if not claimed:
            self._check_place(ticker, kind, key)
        return self._give(ticker, kind, self._inbox.pin(key, content), export)

    def _upload(self, ticker: str, kind: str) -> StoredUpload | None:
        """The currency's file of this kind, if it has one."""
        entry = self._registry.get(ticker)
        return entry.files.get(kind) if entry else None

    def _has(self, ticker: str, kind: str, etag: str) -> bool:
        """Whether the currency has this content already."""
        present = self._upload(ticker, kind)
        return present is not None and present.etag == etag

    def _known(self, ticker: str, kind: str, key: str, content: bytes) -> Assigned:
        """The currency has this content; it is kept once more in case its copy was lost."""
        self._inbox.pin(key, content)
        present = self._upload(ticker, kind)
        files = {kind: present} if present and present.key == key else {}
        message = "this content is registered already"
        return Assigned(self._registry.data_set, message, ticker, files, known=True)

    def _check_place(self, ticker: str, kind: str, key: str) -> None:
        """Raises `UnclearError` if the currency's file of this kind still stands at another key."""
        present = self._upload(ticker, kind)
        if present is None or present.key == key or not self._inbox.arrival(present.key):
            return
        if self._owner_by_key.get(present.key, (ticker, kind)) == (ticker, kind):
            raise UnclearError(
                f"{ticker} has its {kind} from {present.key} already: upload it under that name, "
                f"remove that file and upload this one again, or name it in {OVERRIDES}"
            )

    def _give(self, ticker: str, kind: str, upload: StoredUpload, export: Export) -> Assigned:
        from crypto_assets.spark.market_data.bronze import reading_facts

        choices = with_choices(self._choices(ticker))
        entry = self._registry.assign(ticker, kind, upload, choices)
        self._owner_by_key[upload.key] = (ticker, kind)
        facts = reading_facts(export)
        facts |= {name: str(getattr(export, name)) for name in ("first_date", "last_date")}
        (other,) = self._registry.data_set.files.keys() - {kind}
        waits = "" if self._registry.is_complete(entry) else f", which waits for its {other}"
        return Assigned(
            self._registry.data_set,
            f"the {kind} of {ticker}{waits}",
            ticker,
            {kind: upload},
            {"rows": export.rows, **facts},
        )

    def _choices(self, ticker: str) -> Choices:
        """What the owner chose, by the registry and then by `currencies.toml`."""
        return replace(choices_of(self._registry.get(ticker)), **self._overrides.choices(ticker))

    def _claimed(self, key: str) -> tuple[str, str] | None:
        """Whose the key is by a pattern of the overrides."""
        claims = self._overrides.claims(key)
        if len(claims) > 1:
            named = " and ".join(f"the {kind} of {ticker}" for ticker, kind in claims)
            raise UnclearError(f"{OVERRIDES} makes it {named}: narrow the patterns")
        return claims[0] if claims else None

    def _named_by_key(self, key: str) -> set[str]:
        """The tickers the file's name names, else those its folder names, from the inside out."""
        parts = reversed(key.removesuffix(".csv").split("/"))
        return next(filter(None, map(self._coins.named_in, parts)), set())

    def _worked_out(self, key: str, export: Export, by_key: set[str]) -> tuple[str, str]:
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
            raise UnclearError(f"it names {' and '.join(sorted(named))}: {cure}")
        raise UnclearError(f"no known coin is named in it, its name or its folder: {cure}")

    def _read(self, content: bytes, known: tuple[str, str] | None, named: set[str]) -> Export:
        """Reads the file with the settings of the one ticker it can be of."""
        from crypto_assets.spark.exports import read_export
        from crypto_assets.spark.problems import ReadError

        ticker = known[0] if known else min(named) if len(named) == 1 else None
        choices = self._choices(ticker) if ticker else Choices()
        terms = terms_of(ticker, choices.names) if ticker else ()
        try:
            return read_export(io.BytesIO(content), choices.reading(terms))
        except ReadError as reason:
            raise UnclearError(str(reason)) from reason
