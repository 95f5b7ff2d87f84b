"""Whose a file is, by its names: what its own, its folders' and its search term say.

A name is evidence only if all its words are accounted for: a coin's, a quote currency, words that
say nothing. A coin with words left over is another thing; a name without a coin says nothing. The
coins are in coins.csv, the words that say nothing in name_words.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from crypto_assets.resources.market_data.name_reader import NameReader
from crypto_assets.spark.market_data.coins import Coins
from crypto_assets.spark.printable import printable


@dataclass(frozen=True)
class Evidence:
    """What a name says: the tickers it names, and its words that are not accounted for.

    `meant` are tickers it may mean: by a word with a typing error, or by an everyday word.
    """

    text: str = ""
    tickers: frozenset[str] = frozenset()
    left: tuple[str, ...] = ()
    meant: frozenset[str] = frozenset()

    @property
    def certain(self) -> set[str]:
        """The tickers, unless words left over make it another thing."""
        return set() if self.left else set(self.tickers)

    def allows(self, ticker: str) -> bool:
        """Whether nothing in it speaks against this ticker."""
        return self.tickers | self.meant <= {ticker} and not (self.tickers and self.left)


@dataclass(frozen=True)
class Owner:
    """The ticker a file is of; None with the doubt, and whose it probably is, if not certain."""

    ticker: str | None
    doubt: str = ""
    probably: str | None = None


def read_name(text: str | None, coins: Coins) -> Evidence:
    """What a file's name, a folder's or a search term says."""
    if not text:
        return Evidence()
    reader = NameReader(text, coins)
    left = tuple(map(printable, reader.left))
    return Evidence(printable(text), frozenset(reader.found), left, frozenset(reader.meant))


def read_key(key: str, coins: Coins) -> Evidence:
    """What a file's own name says, else its folders' from the inside out."""
    asked = Evidence()
    for part in reversed(key.removesuffix(".csv").split("/")):
        name = read_name(part, coins)
        if name.tickers:
            return Evidence(name.text, name.tickers, name.left, name.meant | asked.meant)
        if name.meant and not asked.meant:
            asked = name
    return asked


def owner_of(term: Evidence, key: Evidence) -> Owner:
    """Whose a file is by its search term and its key, of which either may say nothing."""
    for name in (term, key):
        if name.tickers and name.left:
            return Owner(None, _another_thing(name))
    named = term.tickers & key.tickers or term.tickers | key.tickers
    meant = (term.meant | key.meant) - named
    if named and (meant or len(named) > 1):
        return Owner(None, f"it names {' and '.join(sorted(named | meant))}")
    if meant:
        name = term if term.meant else key
        probably = min(meant) if len(meant) == 1 else None
        asked = f"did you mean {' or '.join(sorted(meant))}?"
        return Owner(None, f'"{name.text}" is not certain to be a coin ({asked})', probably)
    if not named:
        return Owner(None, "no known coin is named in it, its name or its folder")
    return Owner(min(named))


def _another_thing(name: Evidence) -> str:
    of, words = " and ".join(sorted(name.tickers)), " and ".join(f'"{word}"' for word in name.left)
    makes = "makes" if len(name.left) == 1 else "make"
    return f'"{name.text}" names {of}, but {words} {makes} it another thing'
