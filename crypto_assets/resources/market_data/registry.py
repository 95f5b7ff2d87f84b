"""The registry: which currencies there are, which uploads are theirs, and what their owner chose.

One JSON document per currency below the inbox, replaced whole by a rename; a currency of which only
one file has come has its document apart. The files' content is the inbox's matter.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import dagster as dg

from crypto_assets.resources.market_data.coins import terms_of
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.spark.job_spec import KINDS, Currency, Kind, Layer, Missing, Upload
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
        text = repr((code_version("market_data"), layer, etags, settings))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def pinned_key(etag: str) -> str:
    """Where an upload's content is kept for good, below the inbox."""
    return f"_versions/{etag}"


def pinned_upload(objects: Objects, stored: StoredUpload) -> Upload:
    """The line of an order for this upload, at the content that is kept for good."""
    uri = objects.uri(pinned_key(stored.etag))
    return Upload(uri=uri, name=stored.name, etag=stored.etag)


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

    objects: dg.ResourceDependency[Objects]  # the inbox's

    def put(self, entry: Entry) -> None:
        """Registers the currency or replaces its entry, and makes it due for a run."""
        token = f"{entry.version('warehouse')} {datetime.now(UTC).isoformat()}"
        self.objects.write(_due_key(entry.ticker), token.encode())
        self.objects.write(_entry_key(entry.ticker), _document(entry))
        self.objects.delete(_waiting_key(entry.ticker, kind) for kind in KINDS)

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
                self.objects.write(_waiting_key(ticker, kind), _document(upload))
                return None
            self.put(entry)
            return entry

    def upload(self, ticker: str, kind: Kind) -> StoredUpload | None:
        """The file of this kind a currency has, though it may wait for the other one."""
        entry = self.get(ticker)
        return getattr(entry, kind) if entry else self._waiting(ticker, kind)

    def waiting(self) -> dict[str, tuple[Kind, StoredUpload]]:
        """The currencies of which one file has come, with its kind."""
        registered = set(self.tickers())  # a crash may leave the half of one of these behind
        found: dict[str, tuple[Kind, StoredUpload]] = {}
        for kind in KINDS:
            contents = self.objects.read_all(
                key for key in self._keys(f"_waiting/{kind}") if _ticker(key) not in registered
            )
            for key, content in contents.items():
                found[_ticker(key)] = (kind, StoredUpload(**json.loads(content.data)))
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
            contents = self.objects.read_all(self._keys("_due"))
            return {_ticker(key): content.data.decode() for key, content in contents.items()}

    def settle(self, ticker: str, token: str) -> None:
        """The run for this change has been requested; a newer change stays due."""
        with self.changing():
            due = self._read(_due_key(ticker))
            if due is not None and due.decode() == token:
                self.objects.delete([_due_key(ticker)])

    def remove(self, ticker: str) -> None:
        """Forgets the currency; nothing happens if it is unknown."""
        waiting = (_waiting_key(ticker, kind) for kind in KINDS)
        self.objects.delete([*waiting, _due_key(ticker)])
        self.objects.delete([_entry_key(ticker)])

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Lets one process at a time read an entry and replace it."""
        with self.objects.locked("_registry/.lock"):
            yield

    def get(self, ticker: str) -> Entry | None:
        return self.get_all([ticker]).get(ticker)

    def get_all(self, tickers: Iterable[str]) -> dict[str, Entry]:
        """The entries of those tickers that are registered, in the order given."""
        contents = self.objects.read_all(map(_entry_key, tickers))
        return {_ticker(key): _entry(json.loads(found.data)) for key, found in contents.items()}

    def tickers(self) -> list[str]:
        """All registered tickers, in alphabetical order."""
        return [_ticker(key) for key in self._keys("_registry")]

    def order(self, entry: Entry, published_rows: Mapping[str, int]) -> Currency:
        """The line of a job's order for this currency, its files pinned at their content."""
        return Currency(
            ticker=entry.ticker,
            history=pinned_upload(self.objects, entry.history),
            trend=pinned_upload(self.objects, entry.trend),
            missing=entry.missing,
            dates=entry.dates,
            decimal=entry.decimal,
            accept_outliers=entry.accept_outliers,
            terms=terms_of(entry.ticker, entry.names),
            max_shrink=entry.max_shrink,
            published_rows=dict(published_rows),
        )

    def _waiting(self, ticker: str, kind: Kind) -> StoredUpload | None:
        found = self._read(_waiting_key(ticker, kind))
        return StoredUpload(**json.loads(found)) if found else None

    def _read(self, key: str) -> bytes | None:
        found = self.objects.read_all([key]).get(key)
        return found.data if found else None

    def _keys(self, folder: str) -> list[str]:
        """The keys of a folder's documents, in order."""
        found = (found.key for found in self.objects.below(folder))
        return sorted(key for key in found if not key.rpartition("/")[2].startswith("."))


def _entry_key(ticker: str) -> str:
    return f"_registry/{ticker}.json"


def _waiting_key(ticker: str, kind: Kind) -> str:
    return f"_waiting/{kind}/{ticker}.json"


def _due_key(ticker: str) -> str:
    return f"_due/{ticker}"


def _ticker(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".json")


def _document(value: Entry | StoredUpload) -> bytes:
    return json.dumps(asdict(value), indent=1).encode()


def _entry(document: dict[str, Any]) -> Entry:
    uploads: dict[str, Any] = {kind: StoredUpload(**document[kind]) for kind in KINDS}
    return Entry(**{**document, **uploads, "names": tuple(document["names"])})
