"""What the name of a column says: whether it is a price, of which coin, in which currency.

Belongs here: taking names apart and judging their words (meanings.py has them). Does not: the
column's cells, and which of several columns is taken (choosing.py).
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from .lookup import HEADER_WORDS, plain
from .meanings import (
    CLOSE,
    COIN_QUOTES,
    FIAT,
    GLUED_QUOTES,
    LAGGED,
    NOISE,
    OTHER,
    OTHER_ALONE,
    PERIODS,
    PRICE,
    ROWS,
    TIMES,
    VALUE,
)

Says = Literal["close", "price", "value", "nothing", "other"]
Coin = Literal["ours", "foreign", "none"]
NAMELESS = re.compile(r"(unnamed|column|col|field|var|v|x|c|spalte|colonna|columna)?[\W_]*\d*")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
WORD = re.compile(r"[^\W\d_]+|\d+|[$€£¥₹₩₺₽%]")
BRACKETS = re.compile(r"[(\[].*?[)\]]")
TICKER_LENGTH = range(2, 7)
OTHER_ROLES = ("open", "high", "low", "volume", "change", "market_cap", "partial")
COINBASE = "cb"  # FRED writes CBBTCUSD for the price of BTC at Coinbase
YEARS = range(1990, 2100)


def _single(*roles: str) -> frozenset[str]:
    """The names of words.py with these roles that are one word."""
    return frozenset(
        word for word, known in HEADER_WORDS.items() if known[0][0] in roles and word.isalpha()
    )


_PRICE = (PRICE | _single("close")) - CLOSE
_OTHER = (OTHER | _single(*OTHER_ROLES)) - _PRICE - CLOSE
_TAILS = ("prices", "price", "close", "open", "high", "low", "volume")
_KNOWN = frozenset().union(
    *(CLOSE, _PRICE, _OTHER, OTHER_ALONE, VALUE, NOISE, TIMES, PERIODS, LAGGED, ROWS, FIAT)
)


@dataclass(frozen=True)
class Heading:
    """What a column's name says. `strange`: it has words that nobody here knows.

    `coin` is `ours` only if every word is accounted for: "bitcoin gold" is not Bitcoin.
    """

    says: Says
    coin: Coin
    quotes: frozenset[str]
    strange: bool


def heading(name: str, terms: tuple[str, ...], others: frozenset[str]) -> Heading:
    """Judge a column's name for the currency with the lower-case names `terms`.

    `others` are the names of all other coins.
    """
    if not terms:
        others = frozenset()  # no coin is another one
    says, words, capitals = _read(name)
    if says == "other" or not words:
        return Heading(says, "none", frozenset(), strange=False)
    known = {word for word in words if word in terms or word in others}
    pieces = [piece for word in words for piece in ([word] if word in known else _unglued(word))]
    coin, quotes, unknown = _coins(pieces, terms, others)
    if unknown and (coin == "ours" or (terms and not capitals.isdisjoint(unknown))):
        coin = "foreign"  # a coin's name with more words is another thing's
    return Heading(says, coin, quotes, bool(unknown))


@lru_cache(maxsize=4096)
def _read(name: str) -> tuple[Says, list[str], frozenset[str]]:
    """What a name says whatever the coin, its words, and those written like a ticker."""
    if NAMELESS.fullmatch(name.strip().casefold()):
        return "nothing", [], frozenset()
    role = HEADER_WORDS.get(plain(name), [("", "")])[0][0]
    spelled = [word for part in CAMEL.sub(" ", name).split() for word in WORD.findall(part)]
    words = [_simple(word) for word in spelled]
    says = _says(name, role, [piece for word in words for piece in _unglued(word)])
    capitals = () if name.upper() == name else filter(_like_ticker, spelled)
    return says, words, frozenset(map(_simple, capitals))


def names_another(text: str, terms: tuple[str, ...], others: frozenset[str]) -> bool:
    """Whether a file's name has the name of another coin and not that of this one."""
    words = list(words_of(text))
    found = {_named_at(words, position, terms, others)[0] for position in range(len(words))}
    return "foreign" in found and "ours" not in found


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """The words of a name or a file's name in `lookup.plain` form."""
    return tuple(_simple(word) for word in WORD.findall(CAMEL.sub(" ", text)))


@lru_cache(maxsize=4096)
def _simple(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in letters if not unicodedata.combining(c))


def _like_ticker(word: str) -> bool:
    return word.isascii() and word.isupper() and len(word) in TICKER_LENGTH


def _says(name: str, role: str, words: list[str]) -> Says:
    """Whether the words name a price, something else, or neither."""
    said = set(words)
    if role == "close":
        said -= set(words_of(BRACKETS.sub(" ", name)))
    elif role:
        return "other"
    numbered = any(word.isdigit() and int(word[:9]) not in YEARS for word in said)
    if numbered or "%" in said or said & (_OTHER | LAGGED | TIMES | ROWS):
        return "other"
    if role == "close" or said & (CLOSE | _PRICE):
        return "close" if set(words) & CLOSE else "price"
    if said & (PERIODS | OTHER_ALONE):
        return "other"
    return "value" if said & VALUE else "nothing"


def _coins(
    words: list[str], terms: tuple[str, ...], others: frozenset[str]
) -> tuple[Coin, frozenset[str], set[str]]:
    """Whose name it is, the quote currencies in it, and the words that nobody knows."""
    coin: Coin = "none"
    quotes: set[str] = set()
    unknown: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        named, length = _named_at(words, position, terms, others)
        position += length
        quote = FIAT.get(word) or (word if word in COIN_QUOTES and coin != "none" else None)
        if named == "ours" and coin != "foreign":
            coin = "ours"
        elif quote and named != "ours":
            quotes.add(quote)
            # The word before a quote currency is a coin: `HBAR_USDT`.
            if terms and unknown and position > 1 and words[position - 2] == unknown[-1]:
                coin = "foreign"
        elif named == "foreign" or (terms and word in COIN_QUOTES and named == "none"):
            coin = "foreign"
        elif named == "none" and not _accounted(word):
            unknown.append(word)
    return coin, frozenset(quotes), set(unknown)


def _accounted(word: str) -> bool:
    return word in _KNOWN or word.isdigit() or not word.isalnum()


def _named_at(
    words: list[str], position: int, terms: tuple[str, ...], others: frozenset[str]
) -> tuple[Coin, int]:
    """Whose name begins there, the longest first, and its number of words."""
    for length in range(min(4, len(words) - position), 0, -1):
        name = " ".join(words[position : position + length])
        base = name.removeprefix(COINBASE)
        name = base if base in terms or base in others else name
        if name in terms:
            return "ours", length
        if name in others and (length > 1 or name not in _KNOWN):
            return "foreign", length
    return "none", 1


@lru_cache(maxsize=4096)
def _unglued(word: str) -> list[str]:
    """A word as the ones it was put together from: `btcprice`, `hbarusdt`, `priceusd`."""
    if word in _KNOWN:
        return [word]
    for tail in _TAILS:
        if word.endswith(tail) and len(word) > len(tail) + 1:
            return [*_unglued(word.removesuffix(tail)), tail]
    for quote in GLUED_QUOTES:
        head = word.removesuffix(quote)
        if head != word and len(head) > 1:
            return [head, quote]
    return [word]
