"""Splits a name into words: `BitcoinHistoricalData`, `btc_usd-2024`, `比特币历史数据`.

Belongs here: where one word ends and the next begins. Does not: what a word means (names.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import NamedTuple

from crypto_assets.spark.market_data.coins import WORD, composed

_COPY = re.compile(r"\(\d{1,2}\)")  # what browsers add to the name of a second download
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_LONGEST_UNSPACED = 12
_PARTS = re.compile(r"U+(?!l)|U?l+|d+|c+")  # of a word's kinds of letters
_NUMBERED = re.compile(r"[^\W\d_]+\d{1,3}")  # `BTC2`, but not `UNI7083`, as Yahoo numbers coins
_DATE = re.compile(r"0\d?|[0-3]\d|(?:19|20)\d\d(?:\d\d)*")
# Shorter words than these are not looked for in words written together.
_LONG, _SHORT = 6, 4


class Word(NamedTuple):
    """A word as it stands, in lower case, and what is between it and the word before."""

    raw: str
    low: str
    gap: str


def words_of(text: str, known: Callable[[str], bool], quotes: frozenset[str]) -> list[Word]:
    """The words of a name. What is `known` as it stands is not split further.

    A coin's number stays with it before one of `quotes`: `BTC2-USD` is no bitcoin.
    """
    text = _COPY.sub(" ", composed(text))
    found = list(WORD.finditer(text))
    words: list[Word] = []
    end = 0
    for match, after in zip_longest(found, found[1:]):
        gap, end = text[end : match.start()], match.end()
        token = match[0]
        is_base = after is not None and after[0].lower() in quotes and after.start() == end + 1
        whole = is_base and _NUMBERED.fullmatch(token)
        for part in (token,) if whole else _parts(token, known):
            words.append(Word(part, part.lower(), gap))
            gap = ""
    return words


def _parts(token: str, known: Callable[[str], bool]) -> Iterator[str]:
    """The words of which a token is made; itself if that is not certain."""
    if known(token) or "." in token:
        yield token
    elif _UNSPACED.search(token):
        yield from _unspaced(token, known)
    else:
        parts = _by_case(token)
        if _is_certain(parts):
            for part in parts:
                yield from _run_together(part, known)
        else:
            yield token


def _by_case(token: str) -> list[str]:
    """Split where small letters turn into capitals and letters into digits."""
    kinds = "".join("d" if c.isdigit() else "U" if c.isupper() else "l" for c in token)
    return [token[part.start() : part.end()] for part in _PARTS.finditer(kinds)]


def _is_certain(parts: list[str]) -> bool:
    """`mBTC` and `1000PEPE` are things of their own, `2024btc` is dated."""
    if any(len(part) == 1 and part.isalpha() for part in parts):
        return False
    return len(parts) == 1 or not parts[0].isdigit() or bool(_DATE.fullmatch(parts[0]))


def _run_together(token: str, known: Callable[[str], bool]) -> Iterator[str]:
    """`bitcoinprice` as two words, where one of them is long."""
    if not known(token):
        for at in range(_SHORT, len(token) - _SHORT + 1):
            head, tail = token[:at], token[at:]
            if max(len(head), len(tail)) >= _LONG and known(head) and known(tail):
                yield from (head, tail)
                return
    yield token


def _unspaced(token: str, known: Callable[[str], bool]) -> Iterator[str]:
    """The words of a script without spaces, the longest known first; the rest in one piece."""
    start = 0
    for match in _UNSPACED.finditer(token):
        if match.start() > start:
            yield from _parts(token[start : match.start()], known)
        yield from _longest_known(match[0], known)
        start = match.end()
    if start < len(token):
        yield from _parts(token[start:], known)


def _longest_known(text: str, known: Callable[[str], bool]) -> Iterator[str]:
    rest, at = "", 0
    while at < len(text):
        ends = range(min(len(text), at + _LONGEST_UNSPACED), at, -1)
        word = next((text[at:end] for end in ends if known(text[at:end])), "")
        if word and rest:
            yield rest
            rest = ""
        if word:
            yield word
        rest += "" if word else text[at]
        at += len(word) or 1
    if rest:
        yield rest
