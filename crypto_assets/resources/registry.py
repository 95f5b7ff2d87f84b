"""The registry: which currencies there are, which uploads are theirs, and what their owner chose.

One JSON document per currency below the inbox, replaced whole by a rename, so that any number of
processes may register currencies at once. The files' content is the inbox's matter.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import dagster as dg
from pydantic import Field

from crypto_assets.resources.coins import terms_of
from crypto_assets.resources.files import write_atomically
from crypto_assets.spark.batch import Currency, Layer, Missing, Upload
from crypto_assets.spark.version import code_version

_TICKER = re.compile(r"[A-Z0-9]{1,20}")
_RESERVED = {"PRICES"}


class WrongUse(Exception):  # noqa: N818 - it reads as a sentence to a person
    """The user asked for something that cannot be; the message says what and what to do."""


@dataclass(frozen=True)
class StoredUpload:
    """One file in the inbox: `key` below its root, SHA-256 `etag`, size in bytes, UTC ISO time."""

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

    def version(self, layer: Layer) -> str:
        """What this layer of the currency is made from: code, uploads and settings, as a hash."""
        etags = (self.history.etag, self.trend.etag)
        settings = (self.missing, self.dates, self.decimal, self.accept_outliers)
        text = repr((code_version(), layer, etags, settings))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


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
        """Registers the currency or replaces its entry."""
        write_atomically(self._path(entry.ticker), json.dumps(asdict(entry), indent=1).encode())

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
            terms=terms_of(entry.ticker),
            max_shrink=entry.max_shrink,
            published_rows=dict(published_rows),
        )

    def _upload(self, stored: StoredUpload) -> Upload:
        return Upload(uri=str(Path(self.inbox, stored.key)), name=stored.name, etag=stored.etag)

    @property
    def _folder(self) -> Path:
        return Path(self.inbox, "_registry")

    def _path(self, ticker: str) -> Path:
        return self._folder / f"{ticker}.json"


def _entry(document: dict[str, Any]) -> Entry:
    uploads = {kind: StoredUpload(**document[kind]) for kind in ("history", "trend")}
    return Entry(**{**document, **uploads})
