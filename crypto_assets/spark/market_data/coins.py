"""Which coins there are: their tickers, and the names people and sites give them.

The table is coins.csv, a line a coin: `names` separated by `|`, and in `everyday` those of its
words that are everyday words too (`LINK`, `harmony`). To teach it a coin, add a line. What a text
says by these words is names.py's matter.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from types import MappingProxyType

_WHOLE = 6  # letters of a name that is known without its spaces, or with a typing error
_PIECE = 3  # letters of each part of such a name
# Letters, digits and the marks that are part of a letter, and `.e` of a bridged coin (`usdc.e`).
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0e31-\u0e4e"
WORD = re.compile(rf"(?:[^\W_]|[{_MARKS}])+(?:\.[A-Za-z](?![^\W_]))?")


@dataclass(frozen=True)
class _Table:
    names: Mapping[str, tuple[str, ...]]
    everyday: frozenset[str]

    @cached_property
    def tickers_of(self) -> Mapping[str, frozenset[str]]:
        """What each name and ticker stands for; a ticker stands for nothing but itself."""
        found: dict[str, set[str]] = {}
        for ticker, names in self.names.items():
            for name in names:
                found.setdefault(phrase_of(name), set()).add(ticker)
        found |= {ticker.lower(): {ticker} for ticker in self.names}
        return {name: frozenset(tickers) for name, tickers in found.items()}

    @cached_property
    def longest(self) -> int:
        return max(len(name.split()) for name in self.tickers_of)

    @cached_property
    def parts(self) -> frozenset[str]:
        """The single words of all names."""
        return frozenset(word for name in self.tickers_of for word in name.split())

    @cached_property
    def run_together(self) -> Mapping[str, frozenset[str]]:
        """The longer names without their spaces."""
        whole = ((name.replace(" ", ""), tickers) for name, tickers in self.tickers_of.items())
        return {name: tickers for name, tickers in whole if len(name) >= _WHOLE}

    @cached_property
    def with_a_letter_less(self) -> Mapping[str, frozenset[str]]:
        """The longer names, by themselves and by all that is left of them without a letter."""
        found: dict[str, set[str]] = {}
        for name in self.run_together:
            if name not in self.everyday:
                for cut in _cuts(name):
                    found.setdefault(cut, set()).add(name)
        return {cut: frozenset(names) for cut, names in found.items()}


@lru_cache(maxsize=1)
def _table() -> _Table:
    lines = files(__package__).joinpath("coins.csv").read_text(encoding="utf-8").splitlines()
    rows = [(row["ticker"], row["names"], row["everyday"]) for row in csv.DictReader(lines)]
    names = {ticker: tuple(filter(None, names.split("|"))) for ticker, names, _ in rows}
    return _Table(names, frozenset(word for *_, words in rows for word in words.split("|") if word))


def terms_of(ticker: str, added: Iterable[str] = ()) -> tuple[str, ...]:
    """The lower-case words that stand for a ticker, itself first."""
    return (ticker.lower(), *_table().names.get(ticker, ()), *(name.lower() for name in added))


@lru_cache(maxsize=1)
def coin_words() -> frozenset[str]:
    """The lower-case names and tickers of all coins, without those that are everyday words too.

    A name of several words has single spaces.
    """
    return frozenset(_table().tickers_of) - _table().everyday


class Coins:
    """The words that stand for tickers: those of the table and those a user adds.

    `added` maps tickers to names; a ticker stands for itself, also where that is another's name
    in the table. What several stand for by the same word names them all.
    """

    def __init__(self, added: Mapping[str, Iterable[str]] = MappingProxyType({})) -> None:
        self._added = {ticker.lower(): frozenset({ticker}) for ticker in added}
        self._given: set[str] = set()
        for ticker, names in added.items():
            for phrase in filter(None, map(phrase_of, names)):
                others = self._added.get(phrase) or _table().tickers_of.get(phrase, frozenset())
                self._added[phrase] = others | {ticker}
                self._given.add(phrase)
        self._parts = {*self._added, *(word for name in self._given for word in name.split())}

    @cached_property
    def longest(self) -> int:
        """The number of words of the longest name."""
        return max(_table().longest, *(len(name.split()) for name in self._given), 0)

    def is_part(self, word: str) -> bool:
        """Whether a name has this lower-case word, or is it."""
        return word in _table().parts or word in self._parts

    def named(self, words: Sequence[str]) -> frozenset[str]:
        """The tickers that these lower-case words, as one name, stand for."""
        phrase = " ".join(words)
        found = self._added.get(phrase) or _table().tickers_of.get(phrase)
        if found or min(map(len, words)) < _PIECE:
            return found or frozenset()
        if len(words) > 1 and self.named(words[:1]) and not self.is_everyday(words[0]):
            return frozenset()  # `ethereum max` is no EthereumMax
        return _table().run_together.get("".join(words), frozenset())

    def is_given(self, phrase: str) -> bool:
        """Whether a user made it a name."""
        return phrase in self._given

    def is_everyday(self, phrase: str) -> bool:
        """Whether it is an everyday word too, and no user made it a name."""
        return phrase in _table().everyday and phrase not in self._given

    def nearly(self, word: str) -> frozenset[str]:
        """The tickers whose name, of six letters or more, this is but for a letter or a swap."""
        if len(word) < _WHOLE:
            return frozenset()
        table = _table()
        names = {name for cut in _cuts(word) for name in table.with_a_letter_less.get(cut, ())}
        near = (table.run_together[name] for name in names if name[0] == word[0])
        return frozenset().union(*near)


def phrase_of(name: str) -> str:
    """The words of a name in lower case, with single spaces."""
    return " ".join(WORD.findall(composed(name).lower()))


def composed(text: str) -> str:
    """The text with one character for each letter; letters that only look alike stay different.

    Wide Latin letters, as East Asian keyboards write them, become plain ones.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(_WIDE)


_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: " "}


def _cuts(word: str) -> set[str]:
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
