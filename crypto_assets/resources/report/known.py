"""What the records of the product say of a currency and of the accounts, as the report wants it.

Whoever makes the report gathers it. What is counted on the tables themselves is in `series`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class KnownCurrency:
    """A registered currency: its verdict, and what people should know of it.

    `state` is the word of `crypto-assets status`. `history_remarks` is what the reader remarked on
    the price history, `remarks` everything else. `files` and `sources` are the uploads' names and
    the sites they are from. `rows` are those of gold when it was last made, `published_at` (UTC,
    ISO format) is when it last came to the warehouse.
    """

    ticker: str
    state: str
    problems: tuple[str, ...] = ()
    history_remarks: str = ""
    remarks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    rows: int = 0
    published_at: str | None = None


@dataclass(frozen=True)
class KnownAccounts:
    """The newest snapshot of customer accounts: its problems, and what became of how many."""

    snapshot: str
    state: str
    problems: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
