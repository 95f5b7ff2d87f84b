"""Which ticker a word stands for: the names people and sites give the better-known coins.

Used to guess a file's currency and to pick a column among several search terms. To teach it a coin,
add a line to `NAMES`.
"""

from __future__ import annotations

import re
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
# What prices are stated in: after a coin's word it names no second coin (`ETH_BTC`, `XMRUSDT`).
_QUOTES = ("usd", "usdt", "usdc", "eur", "gbp", "jpy", "inr", "brl", "try", "btc", "eth", "bnb")


def terms_of(ticker: str, added: Iterable[str] = ()) -> tuple[str, ...]:
    """The lower-case words that stand for a ticker, itself first."""
    return (ticker.lower(), *NAMES.get(ticker, ()), *(name.lower() for name in added))


class Coins:
    """The words that stand for tickers: those of `NAMES` and those a user adds.

    `added` maps tickers to lower-case names; a ticker stands for itself.
    """

    def __init__(self, added: Mapping[str, Iterable[str]] = MappingProxyType({})) -> None:
        self._by_word: dict[str, str] = {}
        for ticker in dict.fromkeys((*NAMES, *added)):
            for word in terms_of(ticker, added.get(ticker, ())):
                self._by_word.setdefault(" ".join(_words(word)), ticker)
        self._longest = max(len(word.split()) for word in self._by_word)

    def named_in(self, text: str | None) -> set[str]:
        """The tickers a text names.

        A longer name wins: `bitcoin cash` is BCH, and not BTC as well. Of a pair the first counts.
        """
        words = _words(text or "")
        found: set[str] = set()
        position = 0
        while position < len(words):
            for length in range(self._longest, 0, -1):
                name = " ".join(words[position : position + length])
                if ticker := self._by_word.get(name) or self._base_of(name):
                    found.add(ticker)
                    position += length
                    break
            else:
                length = 0
                position += 1
            if length and position < len(words) and words[position] in _QUOTES:
                position += 1
        return found

    def guess(self, *texts: str | None) -> str | None:
        """The ticker of the first text that names just one; None if none does."""
        named = (self.named_in(text) for text in texts)
        return next((tickers.pop() for tickers in named if len(tickers) == 1), None)

    def _base_of(self, pair: str) -> str | None:
        """The first coin of a pair written in one word, such as `xmrusdt`."""
        bases = (pair.removesuffix(quote) for quote in _QUOTES if pair.endswith(quote))
        return next((self._by_word[base] for base in bases if base in self._by_word), None)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())
