"""Which ticker a word stands for: the names people and sites give the better-known coins.

Used to guess a file's currency and to pick a column among several search terms. To teach it a coin,
add a line to `NAMES`.
"""

from __future__ import annotations

import re

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
_BY_WORD = {word: ticker for ticker, names in NAMES.items() for word in (ticker.lower(), *names)}
_LONGEST = max(len(word.split()) for word in _BY_WORD)


def terms_of(ticker: str) -> tuple[str, ...]:
    """The lower-case words that stand for a ticker, itself first."""
    return (ticker.lower(), *NAMES.get(ticker, ()))


def guess_ticker(*texts: str | None) -> str | None:
    """The ticker the texts name, the first text that names just one deciding; None if none does.

    A longer name wins: `bitcoin cash` is BCH, and not BTC as well.
    """
    for text in texts:
        words = re.findall(r"[^\W_]+", (text or "").lower())
        found: set[str] = set()
        position = 0
        while position < len(words):
            for length in range(_LONGEST, 0, -1):
                name = " ".join(words[position : position + length])
                if name in _BY_WORD:
                    found.add(_BY_WORD[name])
                    position += length
                    break
            else:
                position += 1
        if len(found) == 1:
            return found.pop()
    return None
