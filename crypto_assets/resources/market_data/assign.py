"""Assigning uploads to currencies: whose a file is, certain or not at all.

`currencies.toml` decides, then whose the key was before, then the words in the file, its name and
its folder. What is in a file says the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from crypto_assets.resources.data_set.assign import Assigned, Assigner, Proposal
from crypto_assets.resources.data_set.entry import Entry, uploads_in
from crypto_assets.resources.data_set.registry import Claim, Given
from crypto_assets.resources.errors import UnclearError, UsageError
from crypto_assets.resources.inbox.inbox import OVERRIDES, Inbox, uploaded
from crypto_assets.resources.inbox.stored import StoredUpload, pinned_key
from crypto_assets.resources.market_data.cures import as_settings, section
from crypto_assets.resources.market_data.inspection import (
    Inspected,
    Reading,
    inspect,
    inspect_in,
)
from crypto_assets.resources.market_data.name_words import FIAT, STABLE
from crypto_assets.resources.market_data.names import Evidence, owner_of, read_key, read_name
from crypto_assets.resources.market_data.overrides import read_overrides
from crypto_assets.resources.market_data.registry import (
    CurrencyRegistry,
    choices_of,
    new_ticker,
    with_choices,
)
from crypto_assets.resources.storage.objects import Object
from crypto_assets.spark.market_data.coins import Coins, phrase_of, terms_of
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets.spark.problems import ReadError

BATCH = 500  # uploads that are registered under one lock
_QUOTES = frozenset(f"{FIAT} {STABLE}".split())


class CurrencyAssigner(Assigner):
    """Assigns histories and trends to currencies, by the registry and `currencies.toml`."""

    def __init__(self, registry: CurrencyRegistry, inbox: Inbox) -> None:
        self._inbox, self._registry = inbox, registry
        self._overrides, self.settings = read_overrides(inbox)
        self.problems = self._overrides.problems

    @property
    def _place(self) -> str:
        """Where `currencies.toml` is, or belongs."""
        return self._inbox.objects.uri(OVERRIDES)

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        """All that is registered when the first upload is looked at."""
        return self._registry.entries()

    @cached_property
    def _owner_by_key(self) -> dict[str, tuple[str, str]]:
        uploads = sorted(uploads_in(self._entries), key=lambda found: found[2].uploaded_at)
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

    def propose(self, arrival: Object, content: bytes) -> Proposal | None:
        key, upload = arrival.key, uploaded(arrival.key, content)
        claimed, owner = self._claimed(key), self._owner_by_key.get(key)
        if owner and not claimed and self._has(*owner, upload.etag):
            return Proposal(self, arrival, owner[1], upload, content, owner[0])
        named = Evidence() if claimed else read_key(key, self._coins)
        read = self._read(key, content, claimed, claimed or owner, named)
        ticker, kind = claimed or self._worked_out(key, read, named)
        if kind != read.kind:
            raise UnclearError(
                f"it is a {read.kind} file where the {kind} file of {ticker} belongs"
            )
        facts = file_facts(key, read)
        if not claimed and not self._has(ticker, kind, upload.etag):
            self._check_place(ticker, kind, key, facts)
        return Proposal(
            self,
            arrival,
            kind,
            replace(upload, facts=facts),
            content,
            ticker,
            read.facts,
            (ticker, kind),
            f"name the right one in {self._place} ({section(ticker, kind, key)})",
        )

    def accept(
        self, proposals: Mapping[str, Proposal]
    ) -> Iterator[tuple[str, Assigned | Exception]]:
        claims: list[Claim] = []
        for key, each in proposals.items():
            if each.slot:
                claims.append(Claim(each.partition, each.kind, each.upload))
            else:
                yield key, self._known(each.partition, each.kind, key)
        while claims:  # others wait no longer than for some of them
            for claim, given in self._registry.assign_all(claims[:BATCH], self._chosen):
                key = claim.upload.key
                if isinstance(given, Given):
                    yield key, self._given(claim, given, proposals[key].facts)
                else:
                    yield key, given
            del claims[:BATCH]

    def _upload(self, ticker: str, kind: str) -> StoredUpload | None:
        """The currency's file of this kind, if it has one."""
        entry = self._entries.get(ticker)
        return entry.files.get(kind) if entry else None

    def _has(self, ticker: str, kind: str, etag: str) -> bool:
        """Whether the currency has this content already."""
        present = self._upload(ticker, kind)
        return present is not None and present.etag == etag

    def _known(self, ticker: str, kind: str, key: str) -> Assigned:
        """The currency has this content."""
        present = self._upload(ticker, kind)
        files = {kind: present} if present and present.key == key else {}
        message = "this content is registered already"
        return Assigned(self._registry.data_set, message, ticker, files, known=True)

    def _check_place(self, ticker: str, kind: str, key: str, facts: Mapping[str, str]) -> None:
        """Raises `UnclearError` if the currency's file of this kind is another, and still there."""
        present = self._upload(ticker, kind)
        if present is None:
            return
        if present.key == key:
            if differs := contradiction(self._facts_of(ticker, present), facts):
                cure = f"if it is {ticker}'s, name it in {self._place}"
                raise UnclearError(f"{differs}: {cure} ({section(ticker, kind, key)})")
        elif self._inbox.arrival(present.key) and self._owner_by_key.get(
            present.key, (ticker, kind)
        ) == (ticker, kind):
            raise UnclearError(
                f"{ticker} has its {kind} from {present.key} already: upload it under that name, "
                f"remove that file and upload this one again, or name it in {self._place} "
                f"({section(ticker, kind, key)})"
            )

    def _facts_of(self, ticker: str, upload: StoredUpload) -> Mapping[str, str]:
        """What is known of an upload; those of earlier versions say it by their kept content."""
        if upload.facts:
            return upload.facts
        choices = self._choices(ticker)
        terms = terms_of(ticker, choices.names)
        reading = Reading(upload.name, choices, terms, certain=True)
        try:
            content = self._inbox.objects.read(pinned_key(upload.etag))
            return file_facts(upload.key, inspect(content, reading))
        except (OSError, ReadError):
            return {}

    def _given(self, claim: Claim, given: Given, facts: Mapping[str, Any]) -> Assigned:
        ticker, kind, upload = claim
        self._entries[ticker] = given.entry
        if given.known:
            return self._known(ticker, kind, upload.key)
        self._owner_by_key[upload.key] = (ticker, kind)
        problems = facts["problems"]
        (other,) = self._registry.data_set.files.keys() - {kind}
        waits = "" if self._registry.is_complete(given.entry) else f", which waits for its {other}"
        refused = f"; a run will refuse it: {'; '.join(problems)}" if problems else ""
        message = f"the {kind} of {ticker}{waits}{refused}"
        return Assigned(self._registry.data_set, message, ticker, {kind: upload}, facts)

    def _choices(self, ticker: str) -> Choices:
        """What the owner chose, by the registry and then by `currencies.toml`."""
        return replace(choices_of(self._entries.get(ticker)), **self._overrides.choices(ticker))

    def _chosen(self, entry: Entry) -> dict[str, Any]:
        """The facts of an entry that hold its owner's choices as they are now."""
        chosen = self._overrides.choices(entry.partition)
        return with_choices(replace(choices_of(entry), **chosen))

    def _claimed(self, key: str) -> tuple[str, str] | None:
        """Whose the key is by a pattern of the overrides."""
        claims = self._overrides.claims(key)
        if len(claims) > 1:
            named = " and ".join(f"the {kind} of {ticker}" for ticker, kind in claims)
            raise UnclearError(f"{OVERRIDES} makes it {named}: narrow the patterns")
        return claims[0] if claims else None

    def _worked_out(self, key: str, read: Inspected, by_key: Evidence) -> tuple[str, str]:
        """Whose the file is by the words in it and by its key."""
        by_term = read_name(read.term, self._coins)
        if key in self._owner_by_key and by_term.allows(self._owner_by_key[key][0]):
            return self._owner_by_key[key]
        owner = owner_of(by_term, by_key)
        if owner.ticker:
            try:
                return new_ticker(owner.ticker), read.kind
            except UsageError as error:
                raise UnclearError(str(error)) from error
        line = section(owner.probably or "TICKER", read.kind, key)
        cure = f"name it in {self._place} ({line}) or use `crypto-assets add`"
        raise UnclearError(f"{owner.doubt}: {cure}")

    def _read(
        self,
        key: str,
        content: bytes,
        claimed: tuple[str, str] | None,
        known: tuple[str, str] | None,
        named: Evidence,
    ) -> Inspected:
        """Reads the file with the settings of the one ticker it can be of."""
        certain = named.certain
        ticker = known[0] if known else min(certain) if len(certain) == 1 else None
        choices = self._choices(ticker) if ticker else Choices()
        terms = terms_of(ticker, choices.names) if ticker else ()
        kind = claimed[1] if claimed else None
        file = key.rpartition("/")[2]
        reading = Reading(file, choices, terms, kind, certain=claimed is not None)
        try:
            if self.workers:
                return inspect_in(self.workers, content, reading)
            return inspect(content, reading)
        except ReadError as reason:
            said = as_settings(str(reason), self._place, ticker, key)
            raise UnclearError(said) from reason


def file_facts(key: str, read: Inspected) -> dict[str, str]:
    """What tells a file from another one of its kind: search term, site, quote currency, region.

    What it does not say is left out.
    """
    column = read.column or ""
    region = re.search(r"\(([^()]+)\)\s*$", column) if read.kind == "trend" else None
    words = re.findall(r"[a-z]+", f"{key.rpartition('/')[2]} {column}".lower())
    quotes = _QUOTES.intersection(words) if read.kind == "history" else set()
    facts = {
        "term": phrase_of(read.term or ""),
        "site": read.source,
        "quote": " ".join(sorted(quotes)),
        "region": region[1].strip() if region else "",
    }
    return {name: fact for name, fact in facts.items() if fact}


def contradiction(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """In what a new content is of something else than the one before; empty if in nothing."""
    for name, words in (("term", "search term"), ("quote", "quote currency"), ("region", "region")):
        if name in before and name in now and before[name].lower() != now[name].lower():
            return f"its {words} is {now[name]!r}, that of the file before was {before[name]!r}"
    return ""
