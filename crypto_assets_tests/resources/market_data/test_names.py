"""What a name says: a coin, another thing, nothing, or something to ask about."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_assets.resources.market_data.names import (
    Evidence,
    Owner,
    owner_of,
    read_key,
    read_name,
)
from crypto_assets.spark.market_data.coins import Coins

# ruff: noqa: RUF001 - letters that look alike

NOTHING = "no known coin is named in it, its name or its folder"


def _read(text: str | None, coins: Coins | None = None) -> Evidence:
    return read_name(text, coins or Coins())


def _owner(term: str | None, key: str) -> Owner:
    return owner_of(_read(term), read_key(key, Coins()))


@pytest.mark.parametrize(
    ("text", "tickers"),
    [
        ("BITCOIN Historical Data", {"BTC"}),
        ("bitcoin: (Worldwide)", {"BTC"}),
        ("Bitcoin_Cash-prices", {"BCH"}),
        ("bitcoin  cash vs bitcoin", {"BCH", "BTC"}),
        ("XMR_EUR", {"XMR"}),
        ("ETH_BTC", {"ETH"}),
        ("BTC/USDT", {"BTC"}),
        ("XMRUSDT", {"XMR"}),
        ("Binance_xmrusdt_1d", {"XMR"}),
        ("bitcoin eur", {"BTC"}),
        ("usdt-usd", {"USDT"}),
        ("USDCUSDT", {"USDC"}),
        ("btc xmr", {"BTC", "XMR"}),
        ("btc usd eth", {"BTC", "ETH"}),
        ("USD_BTC", {"BTC"}),
        ("\uff22\uff34\uff23 prices", {"BTC"}),
    ],
)
def test_a_name_of_known_words_names_its_coins(text, tickers):
    assert _read(text) == Evidence(text, frozenset(tickers))


@pytest.mark.parametrize(
    "text",
    [None, "", "---", "_", "usd", "eur usd", "prices 2024", "Downloads", "EUR_USDT", "\udcff"],
)
def test_a_name_without_a_coin_names_none(text):
    assert _read(text).tickers == _read(text).meant == set()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("bitcoin pizza", ("pizza",)),
        ("Bitcoin Platinum and Gold.csv", ("Platinum", "Gold")),
        ("staked-ether-usd-max", ("staked",)),
        ("btc 3x long", ("3x", "long")),
        ("link bitcoin", ("link",)),
        ("比特币期货 CME历史数据", ("期货", "CME")),
    ],
)
def test_words_left_over_are_named_in_their_order_as_they_stand(text, left):
    assert _read(text).left == left
    assert _read(text).tickers
    assert not _read(text).certain


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("BitcoinHistoricalData2023", {"BTC"}),
        ("BTCPrices", {"BTC"}),
        ("btcUSD", {"BTC"}),
        ("btc2024", {"BTC"}),
        ("2024btc", {"BTC"}),
        ("bitcoinprice", {"BTC"}),
        ("比特币历史数据", {"BTC"}),
        ("btc历史数据", {"BTC"}),
        ("UNI7083-USD", {"UNI"}),
        ("BTC2-USD", {"BTC2"}),
        ("SOL2-USD", {"SOL2"}),
        ("1000SHIBUSDT", {"1000SHIB"}),
        ("stETH", {"STETH"}),
        ("mBTC", set()),
        ("xBTC price", set()),
        ("BTC.D", set()),
        ("tBTCUSD", set()),
    ],
)
def test_words_written_together_are_told_apart(text, words):
    assert _read(text).certain == words


@pytest.mark.parametrize("pair", ["USDT_BTC", "BTC_ETH", "USDT-ETH", "BTC/BNB", "ankrETH"])
def test_a_pair_some_sites_write_the_other_way_round_names_both(pair):
    assert len(_read(pair).tickers) == 2


@pytest.mark.parametrize(
    ("pair", "base"),
    [
        ("QZX-USD", "QZX"),
        ("QZX_USDT Binance Historical Data.csv", "QZX"),
        ("QZXUSDT_1d", "QZX"),
        ("QZX_BTC", "QZX"),
        ("qzx-usd-max", "QZX"),
        ("T-USD", "T"),
        ("qzx-usd", None),
        ("qzx usd", None),
        ("QZX USD", None),
        ("QZXINR", None),
        ("PRICES-USD", None),
        ("DAILY_USD", None),
        ("GOLD-USD", None),
        ("XAU_USD", None),
        ("EURUSD", None),
        ("MARKETPRICE-USD", None),
        ("w-eth", None),
        ("2024-USD", None),
    ],
)
def test_a_pair_names_its_base_though_no_table_has_it(pair, base):
    assert _owner(None, pair).ticker == base


@pytest.mark.parametrize(
    ("text", "ticker"),
    [
        ("LINK.csv", "LINK"),
        ("LINK prices", "LINK"),
        ("LINKUSDT", "LINK"),
        ("link-usd-max", "LINK"),
        ("link/usd", "LINK"),
        ("link coin", "LINK"),
        ("Link Historical Data", "LINK"),
        ("Dados Históricos - Link", "LINK"),
        ("chainlink link", "LINK"),
        ("link", None),
        ("link price", None),
        ("LINK PRICES", None),
        ("link usd", None),
        ("historical link prices", None),
        ("hot summer data", None),
        ("wintry", None),
    ],
)
def test_an_everyday_word_is_a_coins_only_where_something_says_so(text, ticker):
    assert owner_of(_read(text), Evidence()).ticker == ticker


def test_an_everyday_word_a_user_made_a_name_is_as_good_as_any():
    coins = Coins({"LINK": ["link"], "DATA": (), "QZX": ["qz4 Coin"]})
    assert _read("QZ4-coin.csv", coins).certain == {"QZX"}
    assert _read("link prices", coins).certain == {"LINK"}
    assert _read("link data", coins).certain == {"LINK"}
    assert _read("DATA-USD", coins).certain == {"DATA"}


@pytest.mark.parametrize("text", ["sól", "ſol", "sôl", "ВТС", "ßTC", "ℬTC", "gás", "BİT"])
def test_letters_that_look_or_fold_alike_are_not_the_same(text):
    assert _read(text).tickers == _read(text).meant == set()


def test_a_near_miss_is_asked_and_never_taken():
    for term in ("Etherium", "etherium price", "Bitcóin", "bitсoin"):
        owner = _owner(term, "multiTimeline.csv")
        ticker = "ETH" if "ether" in term.lower() else "BTC"
        assert owner.ticker is None
        assert owner.probably == ticker
        assert owner.doubt == f'"{term}" is not certain to be a coin (did you mean {ticker}?)'
    assert _owner("Etherium", "btc.csv") == Owner(None, "it names BTC and ETH")
    assert _owner("Etherium", "eth/multiTimeline.csv") == Owner("ETH")
    assert _owner("Etherium wallet", "multiTimeline.csv") == Owner(None, NOTHING)
    assert _owner("gas link", "t.csv").probably is None


def test_a_coin_with_words_left_over_is_another_thing():
    assert _owner("bitcoin", "Bitcoin Pizza.csv") == Owner(
        None, '"Bitcoin Pizza" names BTC, but "Pizza" makes it another thing'
    )
    assert _owner("bitcoin cash trust fund", "bch.csv") == Owner(
        None,
        '"bitcoin cash trust fund" names BCH, but "trust" and "fund" make it another thing',
    )


@pytest.mark.parametrize(
    ("term", "key", "ticker"),
    [
        (None, "monero/prices.csv", "XMR"),
        (None, "btc/monero/export/prices 2024.csv", "XMR"),
        (None, "monero/btc.csv", "BTC"),
        ("pizza", "monero/multiTimeline.csv", "XMR"),
        ("monero", "bitcoin and monero.csv", "XMR"),
        ("monero", "my downloads/multiTimeline.csv", "XMR"),
        ("terra luna", "lunc/terra-luna.csv", None),
        ("terra luna", "lunc/multiTimeline.csv", "LUNC"),
        ("monero", "bitcoin.csv", None),
        (None, "bitcoin pizza/prices.csv", None),
        (None, "prices.csv", None),
    ],
)
def test_a_term_and_a_key_together_name_the_owner(term, key, ticker):
    assert _owner(term, key).ticker == ticker


def test_evidence_allows_a_ticker_that_it_does_not_speak_against():
    assert all(_read(text).allows("ETH") for text in (None, "prices", "pizza", "eth", "Etherium"))
    assert not any(
        _read(text).allows("ETH") for text in ("btc", "eth vs btc", "eth pizza", "Bitcon")
    )


@settings(deadline=None)
@given(
    st.text(st.characters(codec="utf-8")) | st.text("BTCbtcUSDusd-_/. 0123eE(比特币)", max_size=16)
)
def test_whatever_a_text_names_is_a_ticker(text):
    assert all(re.fullmatch(r"[A-Z0-9]{1,20}", ticker) for ticker in _read(text).tickers)
