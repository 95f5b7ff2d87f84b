"""Reads one name word by word: the coins it names, and the words nobody knows.

Belongs here: what the words of a name mean together. Does not: where a word ends (name_split.py),
what follows for a file (names.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache

from crypto_assets.resources.market_data import name_words
from crypto_assets.resources.market_data.name_split import Word, words_of
from crypto_assets.spark.market_data.coins import Coins, coin_words

# A number, a period, a time of day, a version, a hash.
_NUMBER = re.compile(
    r"\d+(?:st|nd|rd|th|[dhmwys]|mins?|hrs?|days?|weeks?|months?|years?)?|\d+t\d+z?|[vq]\d+"
    r"|(?=[a-f]*\d)(?=\d*[a-f])[\da-f]{5,}"
)
_BASE = re.compile(r"(?=.*[A-Z])[A-Z0-9]{2,8}")  # of a pair, where no table has it
_JOINED_BASE = re.compile(r"(?=.*[A-Z])[A-Z0-9]{3,8}")
_GLUE = ("-", "_", "/")
_RANKS = {
    word: rank
    for rank, word in enumerate(
        f"{name_words.FIAT} {name_words.STABLE} {name_words.COIN_QUOTES}".split()
    )
}
_QUOTES = frozenset(_RANKS)
_COIN_QUOTES = frozenset(name_words.COIN_QUOTES.split())
_FIAT = frozenset(name_words.FIAT.split())
_MONEY = _QUOTES - _COIN_QUOTES
_NO_BASES = frozenset(name_words.NO_BASES.split()) | _QUOTES
_JOINED = tuple(name_words.JOINED.split())
_JOINED_TO_ANY = tuple(name_words.JOINED_TO_ANY.split())
_UNHEARD = _QUOTES | {"csv", "tsv", "txt"}  # where capitals are looked for
_ABOUT_COINS = frozenset(name_words.ABOUT_COINS.split())


def is_quote(word: str, coins: Iterable[str]) -> bool:
    """Whether prices of these coins are stated in it; some sites write `BTC_ETH` for ETH in BTC."""
    rank = _RANKS.get(word)
    return rank is not None and all(rank <= _RANKS.get(coin.lower(), rank) for coin in coins)


class NameReader:
    """What one name says: `found` tickers, words `left` over, tickers that may be `meant`."""

    def __init__(self, text: str, coins: Coins) -> None:
        from crypto_assets.spark.exports.lookup import MONTH_NUMBERS, plain

        self.found: set[str] = set()
        self._left: dict[int, str] = {}
        self.meant: set[str] = set()
        self._coins = coins
        self._plain = plain
        # A month is no date without a number: `sol de janeiro`.
        self._months = MONTH_NUMBERS if any(map(str.isdigit, text)) else {}
        self._words = words_of(text, self._is_known, _QUOTES)
        self._plains = [plain(word.low) for word in self._words]
        self._everyday: list[tuple[int, int, bool, frozenset[str]]] = []
        self._titles: set[int] = set()  # the positions where a site's title begins or has ended
        position = 0
        while position < len(self._words):
            position = self._step(position)
        self._settle()

    def _is_known(self, token: str) -> bool:
        """Whether a word means something as it stands."""
        low = token.lower()
        is_name = self._coins.is_part(low) or bool(self._coins.named([low]))
        return is_name or self._is_silent(low) or bool(self._bases(token))

    def _is_silent(self, low: str) -> bool:
        """Whether a word says nothing of a coin."""
        if low in _QUOTES or _NUMBER.fullmatch(low):
            return True
        word = self._plain(low)
        return word in _silent_words() or word in self._months

    def _step(self, position: int) -> int:
        """Reads the longest name or phrase that begins there; returns where the next one begins."""
        for end in range(min(len(self._words), position + self._coins.longest), position, -1):
            if kind := _phrases().get(" ".join(self._plains[position:end])):
                self._titles |= {position, end} if kind == "title" else set()
                return end
            named = self._coins.named([word.low for word in self._words[position:end]])
            after = self._at(end)
            if end == position + 1 and not (named and after and is_quote(after.low, named)):
                named |= self._bases(self._words[position].raw, known=bool(named))
            if named:
                return self._take(position, end, named)
        return self._take_other(position)

    def _take(self, start: int, end: int, named: frozenset[str]) -> int:
        """Notes the coins a name stands for, and passes over the quote currency behind it."""
        after = self._at(end)
        quoted = bool(after and is_quote(after.low, named))
        if after and not after.gap and after.low in _COIN_QUOTES:
            quoted = False  # `ankrETH` is no pair
        if self._is_everyday(start, end):
            self._everyday.append((start, end, quoted, named))
        else:
            self.found |= named
        return end + quoted

    def _take_other(self, position: int) -> int:
        """Reads a word that is no coin's; returns where the next name begins."""
        word, after = self._words[position], self._at(position + 1)
        if after and self._is_base(word, after, self._at(position + 2)):
            self.found.add(word.raw.upper())
            return position + 2
        if after and word.low in _FIAT and after.low in _MONEY:
            return position + 2  # `EUR_USDT` is the price of the euro
        if not self._is_silent(word.low):
            self._left[position] = word.raw
        return position + 1

    def _at(self, position: int) -> Word | None:
        return self._words[position] if position < len(self._words) else None

    def _is_base(self, word: Word, quote: Word, behind: Word | None) -> bool:
        """Whether it is the base of a pair: `XYZ_USD`, or coingecko's `xyz-usd-max`."""
        if quote.low not in _QUOTES or quote.gap not in _GLUE or not self._may_be_base(word.raw):
            return False
        if quote.raw.isupper():
            return bool(_BASE.fullmatch(word.raw))
        is_coingecko = behind and (behind.low, behind.gap, quote.gap) == ("max", "-", "-")
        return bool(is_coingecko and _BASE.fullmatch(word.raw.upper()))

    def _may_be_base(self, base: str) -> bool:
        return base.lower() not in _NO_BASES and not self._is_silent(base.lower())

    def _bases(self, token: str, *, known: bool = False) -> set[str]:
        """The bases of a pair in one word; in capitals also one nobody knows, unless `known`."""
        loud, low = token.isupper(), token.lower()
        if not (loud or token.islower()) or not low.endswith(_JOINED):
            return set()
        pairs = [(low.removesuffix(quote), quote) for quote in _JOINED if low.endswith(quote)]
        found: set[str] = set()
        for base, quote in pairs:
            named = self._coins.named([base])
            sure = loud or quote in _JOINED_TO_ANY or not self._coins.is_everyday(base)
            if sure and len(base) > 1 and is_quote(quote, named):
                found |= named
        if found or known or not loud:
            return found
        bases = {base.upper() for base, quote in pairs if quote in _JOINED_TO_ANY}
        return {base for base in bases if _JOINED_BASE.fullmatch(base) and self._may_be_base(base)}

    def _is_everyday(self, start: int, end: int) -> bool:
        phrase = " ".join(word.low for word in self._words[start:end])
        if self._coins.is_everyday(phrase) or len(phrase) == 1 or phrase in _FIAT:
            return True
        return self._plain(phrase) in _silent_words() and not self._coins.is_given(phrase)

    @property
    def left(self) -> tuple[str, ...]:
        return tuple(word for _, word in sorted(self._left.items()))

    def _settle(self) -> None:
        """Counts the everyday words that something supports, and says what others may mean."""
        doubtful = []
        for start, end, quoted, named in self._everyday:
            if self._is_supported(start, end, quoted):
                self.found |= named
            else:
                doubtful.append((range(start, end), named))
        says_nothing = not self.found and not self._left
        for span, named in doubtful:
            heard = [at for at in span if not self._is_silent(self._words[at].low)]
            words = {at: self._words[at].raw for at in heard}
            if says_nothing and max(map(len, words.values()), default=0) > 1:
                self.meant |= named
            elif not named <= self.found:
                self._left |= words
        near = [self._coins.nearly(word.lower()) for word in self._left.values()]
        if near and all(near) and not self.found:
            self.meant.update(*near)

    def _is_supported(self, start: int, end: int, quoted: bool) -> bool:
        """Whether an everyday word is a coin's here: by a pair, capitals or the words beside it."""
        words, after = self._words[start:end], self._at(end)
        in_pair = bool(quoted and after and after.gap in _GLUE)
        if len(words[0].low) == 1:  # `T-USD`, but not `w-eth`
            return in_pair and words[0].raw.isupper() and self._plains[end] in _MONEY
        if in_pair:
            return True
        if after and after.low in _ABOUT_COINS:
            return not self._is_silent(words[0].low)
        in_title = end in self._titles or start in self._titles
        return in_title or (all(word.raw.isupper() for word in words) and not self._is_loud)

    @cached_property
    def _is_loud(self) -> bool:
        """Whether capitals say nothing, since all words have them."""
        words = [w for w in self._words if w.raw.isalpha() and w.low not in _UNHEARD]
        return len(words) > 1 and all(word.raw.isupper() for word in words)


@lru_cache(maxsize=1)
def _silent_words() -> frozenset[str]:
    """The words that say nothing, in the reader's plain form."""
    from crypto_assets.spark.exports.lookup import plain
    from crypto_assets.spark.exports.words import HEADERS, TREND_TIMES

    headers = [
        names
        for role in ("date", "time", "unix", "close", "open", "high", "low", "symbol")
        for names in HEADERS[role].values()
    ]
    groups = (*headers, *TREND_TIMES.values(), *name_words.TITLES.values())
    words = " ".join(groups).replace("|", " ").split()
    fillers = " ".join((*name_words.FILLERS.values(), name_words.SITES, name_words.ABOUT_COINS))
    known = set(map(plain, (*words, *fillers.split())))
    return frozenset(word for word in known if len(word) == 1 or word not in coin_words())


@lru_cache(maxsize=1)
def _phrases() -> dict[str, str]:
    """The phrases that say nothing, in the reader's plain form, and whether each is a title."""
    from crypto_assets.spark.exports.lookup import plain

    others = dict.fromkeys(name_words.PHRASES.split("|"), "other")
    titles = dict.fromkeys("|".join(name_words.TITLES.values()).split("|"), "title")
    phrases = {**others, **titles}
    return {" ".join(map(plain, name.split())): kind for name, kind in phrases.items()}
