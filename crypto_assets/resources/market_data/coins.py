"""Which ticker a word stands for: the names people and sites give the better-known coins.

Used to guess a file's currency and to pick a column among several search terms. To teach it a coin,
add a line to `NAMES`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType

NAMES: dict[str, tuple[str, ...]] = {
    "AAVE": ("aave",),
    "ADA": ("cardano",),
    "ALGO": ("algorand",),
    "ATOM": ("cosmos",),
    "AVAX": ("avalanche",),
    "BCH": ("bitcoin cash",),
    "BNB": ("binance coin", "binancecoin"),
    "BTC": ("bitcoin", "xbt"),
    "DASH": ("dash",),
    "DOGE": ("dogecoin",),
    "DOT": ("polkadot",),
    "EOS": ("eos",),
    "ETC": ("ethereum classic",),
    "ETH": ("ethereum", "ether"),
    "FIL": ("filecoin",),
    "ICP": ("internet computer",),
    "IOTA": ("iota", "miota"),
    "LINK": ("chainlink",),
    "LTC": ("litecoin",),
    "LUNA": ("terra",),
    "MATIC": ("polygon",),
    "NEAR": ("near protocol",),
    "NEO": ("neo",),
    "PEPE": ("pepe",),
    "SHIB": ("shiba inu", "shiba"),
    "SOL": ("solana",),
    "TRX": ("tron",),
    "UNI": ("uniswap",),
    "USDC": ("usd coin",),
    "USDT": ("tether",),
    "VET": ("vechain",),
    "XEM": ("nem",),
    "XLM": ("stellar", "stellar lumens"),
    "XMR": ("monero",),
    "XRP": ("ripple",),
    "XTZ": ("tezos",),
    "ZEC": ("zcash",),
}
# What prices are stated in, the more usual first: after the word of a coin that is behind it here,
# or not at all, it names no second coin (`ETH_BTC`, `XMRUSDT`).
_QUOTES = ("usd", "usdt", "usdc", "eur", "gbp", "jpy", "inr", "brl", "try", "btc", "eth", "bnb")


def terms_of(ticker: str, added: Iterable[str] = ()) -> tuple[str, ...]:
    """The lower-case words that stand for a ticker, itself first."""
    return (ticker.lower(), *NAMES.get(ticker, ()), *(name.lower() for name in added))


class Coins:
    """The words that stand for tickers: those of `NAMES` and those a user adds.

    `added` maps tickers to names; a ticker stands for itself, also where that is another's name
    in `NAMES`. What several stand for by the same word names them all.
    """

    def __init__(self, added: Mapping[str, Iterable[str]] = MappingProxyType({})) -> None:
        self._by_word: dict[str, set[str]] = {}
        tickers = {*NAMES, *added}
        for ticker in tickers:
            known = (name for name in NAMES.get(ticker, ()) if name.upper() not in tickers)
            for name in (ticker, *known, *added.get(ticker, ())):
                if words := _words(name):
                    self._by_word.setdefault(" ".join(words), set()).add(ticker)
        self._longest = max(len(word.split()) for word in self._by_word)

    def named_in(self, text: str | None) -> set[str]:
        """The tickers a text names.

        A longer name wins: `bitcoin cash` is BCH, and not BTC as well. Of a pair the first counts.
        """
        words = _words(text or "")
        found: set[str] = set()
        position = 0
        while position < len(words):
            named, length = self._named_at(words, position)
            found |= named
            position += length
            if named and position < len(words) and _is_quote(words[position], named):
                position += 1
        return found

    def guess(self, *texts: str | None) -> str | None:
        """The ticker of the first text that names just one; None if none does."""
        named = (self.named_in(text) for text in texts)
        return next((tickers.pop() for tickers in named if len(tickers) == 1), None)

    def _named_at(self, words: list[str], position: int) -> tuple[set[str], int]:
        """What the longest name that begins there stands for, and its number of words."""
        for length in range(self._longest, 0, -1):
            name = " ".join(words[position : position + length])
            if named := self._by_word.get(name) or self._base_of(name):
                return named, length
        return set(), 1

    def _base_of(self, pair: str) -> set[str]:
        """The first coin of a pair written in one word, such as `xmrusdt`."""
        for quote in _QUOTES:
            named = self._by_word.get(pair.removesuffix(quote), set())
            if named and pair.endswith(quote) and _is_quote(quote, named):
                return named
        return set()


def _is_quote(word: str, coins: Iterable[str]) -> bool:
    """Whether prices of these coins are stated in it; some sites write `BTC_ETH` for ETH in BTC."""
    if word not in _QUOTES:
        return False
    before = _QUOTES[: _QUOTES.index(word)]
    return not any(coin.lower() in before for coin in coins)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).lower())
