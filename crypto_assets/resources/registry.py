"""The registry: which currencies there are, which uploads are theirs, and what their owner chose.

One JSON document per currency below the inbox, replaced whole by a rename; a currency of which only
one file has come has its document apart. The files' content is the inbox's matter.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import dagster as dg
from filelock import FileLock
from pydantic import Field

from crypto_assets.resources.coins import terms_of
from crypto_assets.resources.files import write_atomically
from crypto_assets.spark.batch import KINDS, Currency, Kind, Layer, Missing, Upload
from crypto_assets.spark.version import code_version

_TICKER = re.compile(r"[A-Z0-9]{1,20}")
_RESERVED = {"PRICES"}


class WrongUse(Exception):  # noqa: N818 - it reads as a sentence to a person
    """The user asked for something that cannot be; the message says what and what to do."""


@dataclass(frozen=True)
class StoredUpload:
    """One upload: its `key` below the inbox, SHA-256 `etag`, size in bytes, UTC ISO time."""

    key: str
    name: str
    etag: str
    size: int
    uploaded_at: str


@dataclass(frozen=True)
class Entry:
    """A registered currency: its two uploads and its settings."""

    ticker: str
    history: StoredUpload
    trend: StoredUpload
    missing: Missing = "fill"
    dates: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: Literal["dot", "comma"] | None = None
    accept_outliers: bool = False
    max_shrink: float = 0.2
    names: tuple[str, ...] = ()

    def version(self, layer: Layer) -> str:
        """What this layer of the currency is made from: code, uploads and settings, as a hash."""
        etags = (self.history.etag, self.trend.etag)
        settings = (self.missing, self.dates, self.decimal, self.accept_outliers, self.names)
        text = repr((code_version(), layer, etags, settings))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def pinned_key(etag: str) -> str:
    """Where an upload's content is kept for good, below the inbox."""
    return f"_versions/{etag}"


def checked_ticker(text: str) -> str:
    """The ticker in capitals; it becomes a path and a view. Raises `WrongUse` if it is none."""
    ticker = text.strip().upper()
    if not _TICKER.fullmatch(ticker):
        raise WrongUse(f"{text!r} is no ticker: use 1 to 20 letters and digits, such as BTC")
    if ticker in _RESERVED:
        raise WrongUse(f"{ticker} is the name of a table of the warehouse: choose another ticker")
    return ticker


class Registry(dg.ConfigurableResource):
    """The registered currencies, kept in the inbox's `_registry` folder."""

    inbox: str = Field(description="Root folder of the inbox.")

    def put(self, entry: Entry) -> None:
        """Registers the currency or replaces its entry, and makes it due for a run."""
        token = f"{entry.version('warehouse')} {datetime.now(UTC).isoformat()}"
        write_atomically(self._due_path(entry.ticker), token.encode())
        write_atomically(self._path(entry.ticker), _document(entry))
        for kind in KINDS:
            self._waiting_path(entry.ticker, kind).unlink(missing_ok=True)

    def take(
        self, ticker: str, kind: Kind, upload: StoredUpload, choices: Mapping[str, Any]
    ) -> Entry | None:
        """Gives a currency one of its two files; returns its entry once it has both.

        `choices` are settings of an entry; those not named stay as they are.
        """
        with self.changing():
            if entry := self.get(ticker):
                changes: dict[str, Any] = {kind: upload, **choices}
                entry = replace(entry, **changes)
            elif other := self._waiting(ticker, "trend" if kind == "history" else "history"):
                both = (upload, other) if kind == "history" else (other, upload)
                entry = Entry(ticker, *both, **choices)
            else:
                write_atomically(self._waiting_path(ticker, kind), _document(upload))
                return None
            self.put(entry)
            return entry

    def upload(self, ticker: str, kind: Kind) -> StoredUpload | None:
        """The file of this kind a currency has, though it may wait for the other one."""
        entry = self.get(ticker)
        return getattr(entry, kind) if entry else self._waiting(ticker, kind)

    def waiting(self) -> dict[str, tuple[Kind, StoredUpload]]:
        """The currencies of which one file has come, with its kind."""
        found: dict[str, tuple[Kind, StoredUpload]] = {}
        for kind in KINDS:
            for path in sorted(Path(self.inbox, "_waiting", kind).glob("*.json")):
                registered = self._path(path.stem).exists()  # a crash may leave its half behind
                if not registered and (upload := self._waiting(path.stem, kind)):
                    found[path.stem] = (kind, upload)
        return found

    def uploads(self) -> Iterator[tuple[str, Kind, StoredUpload]]:
        """Every upload that is a currency's, also of those that wait for their other file."""
        for ticker, (kind, upload) in self.waiting().items():
            yield ticker, kind, upload
        for ticker, entry in self.get_all(self.tickers()).items():
            yield from ((ticker, kind, getattr(entry, kind)) for kind in KINDS)

    def due(self) -> dict[str, str]:
        """The currencies that changed and no run was requested for since, each with a token."""
        with self.changing():
            paths = sorted(self._due_path("").glob("[!.]*"))
            return {path.name: path.read_text() for path in paths}

    def settle(self, ticker: str, token: str) -> None:
        """The run for this change has been requested; a newer change stays due."""
        with self.changing():
            path = self._due_path(ticker)
            if path.exists() and path.read_text() == token:
                path.unlink()

    def remove(self, ticker: str) -> None:
        """Forgets the currency; nothing happens if it is unknown."""
        waiting = (self._waiting_path(ticker, kind) for kind in KINDS)
        for path in (*waiting, self._due_path(ticker), self._path(ticker)):
            path.unlink(missing_ok=True)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Lets one process at a time read an entry and replace it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder / ".lock"):
            yield

    def get(self, ticker: str) -> Entry | None:
        try:
            return _entry(json.loads(self._path(ticker).read_bytes()))
        except FileNotFoundError:
            return None

    def get_all(self, tickers: Iterable[str]) -> dict[str, Entry]:
        """The entries of those tickers that are registered."""
        entries = {ticker: self.get(ticker) for ticker in tickers}
        return {ticker: entry for ticker, entry in entries.items() if entry}

    def tickers(self) -> list[str]:
        """All registered tickers, in alphabetical order."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def order(self, entry: Entry, published_rows: Mapping[str, int]) -> Currency:
        """The line of a job's order for this currency, its files pinned at their content."""
        return Currency(
            ticker=entry.ticker,
            history=self._upload(entry.history),
            trend=self._upload(entry.trend),
            missing=entry.missing,
            dates=entry.dates,
            decimal=entry.decimal,
            accept_outliers=entry.accept_outliers,
            terms=terms_of(entry.ticker, entry.names),
            max_shrink=entry.max_shrink,
            published_rows=dict(published_rows),
        )

    def _upload(self, stored: StoredUpload) -> Upload:
        uri = str(Path(self.inbox, pinned_key(stored.etag)))
        return Upload(uri=uri, name=stored.name, etag=stored.etag)

    def _waiting(self, ticker: str, kind: Kind) -> StoredUpload | None:
        try:
            return StoredUpload(**json.loads(self._waiting_path(ticker, kind).read_bytes()))
        except FileNotFoundError:
            return None

    def _waiting_path(self, ticker: str, kind: Kind) -> Path:
        return Path(self.inbox, "_waiting", kind, f"{ticker}.json")

    def _due_path(self, ticker: str) -> Path:
        return Path(self.inbox, "_due", ticker)

    @property
    def _folder(self) -> Path:
        return Path(self.inbox, "_registry")

    def _path(self, ticker: str) -> Path:
        return self._folder / f"{ticker}.json"


def _document(value: Entry | StoredUpload) -> bytes:
    return json.dumps(asdict(value), indent=1).encode()


def _entry(document: dict[str, Any]) -> Entry:
    uploads: dict[str, Any] = {kind: StoredUpload(**document[kind]) for kind in KINDS}
    return Entry(**{**document, **uploads, "names": tuple(document["names"])})
