"""Coins: a text names the currencies it names, and what is inside another word is no name."""

from __future__ import annotations

import pytest

from crypto_assets.resources.market_data.coins import NAMES, Coins, terms_of


@pytest.mark.parametrize(
    ("text", "tickers"),
    [
        (None, set()),
        ("", set()),
        ("multiTimeline.csv", set()),
        ("bitcoin", {"BTC"}),
        ("BITCOIN Historical Data", {"BTC"}),
        ("xbt", {"BTC"}),
        ("bitcoin: (Worldwide)", {"BTC"}),
        ("bitcoin cash", {"BCH"}),
        ("Bitcoin_Cash-prices", {"BCH"}),
        ("bitcoin  cash vs bitcoin", {"BCH", "BTC"}),
        ("bitcoin and cash", {"BTC"}),
        ("ethereum classic", {"ETC"}),
        ("ethereum", {"ETH"}),
        ("usd coin", {"USDC"}),
        ("XMR_EUR", {"XMR"}),
        ("ETH_BTC", {"ETH"}),
        ("BTC-USD", {"BTC"}),
        ("BTC/USDT", {"BTC"}),
        ("XMRUSDT", {"XMR"}),
        ("Binance_XMRUSDT_1d", {"XMR"}),
        ("BTCEUR", {"BTC"}),
        ("ethbtc", {"ETH"}),
        ("xbtusd", {"BTC"}),
        ("bitcoin eur", {"BTC"}),
        ("USDCUSDT", {"USDC"}),
        ("usdt-usd", {"USDT"}),
        ("btc vs xmr", {"BTC", "XMR"}),
        ("btc xmr", {"BTC", "XMR"}),
        ("btc usd eth", {"BTC", "ETH"}),
        ("\uff22\uff34\uff23 prices", {"BTC"}),
    ],
)
def test_a_text_names_the_coins_it_names(text, tickers):
    assert Coins().named_in(text) == tickers


@pytest.mark.parametrize("pair", ["USDT_BTC", "BTC_ETH", "USDT-ETH", "BTC/BNB"])
def test_a_pair_some_sites_write_the_other_way_round_names_both(pair):
    assert len(Coins().named_in(pair)) == 2


@pytest.mark.parametrize("pair", ["USDTBTC", "BTCETH"])
def test_such_a_pair_in_one_word_names_neither(pair):
    assert Coins().named_in(pair) == set()


@pytest.mark.parametrize(
    "text",
    [
        *("solar", "dotted", "unify", "linked", "tokens", "nearly", "adapter", "dashboard"),
        *("btcx", "xbtc", "bitcoins", "bitcoincash", "btc2024", "usd", "eur usd", "usdeur", "try"),
        *("country", "industry", "together", "比特币", "\udcff", "---", "_"),
    ],
)
def test_words_inside_other_words_and_quotes_alone_name_nothing(text):
    assert Coins().named_in(text) == set()


def test_an_added_name_is_known_however_it_is_written():
    coins = Coins({"WBTC": ["Wrapped Bitcoin"], "GOLD": ["Cafe\u0301 Münze"], "比": ["比特币"]})
    assert coins.named_in("wrapped_BITCOIN-usd.csv") == {"WBTC"}
    assert coins.named_in("wbtceur") == {"WBTC"}
    assert coins.named_in("bitcoin") == {"BTC"}
    assert coins.named_in("CAF\u00c9 Mu\u0308nze") == {"GOLD"}
    assert coins.named_in("比特币 2024") == {"比"}


def test_a_ticker_without_names_stands_for_itself():
    assert Coins({"QQQ1": ()}).named_in("qqq1usdt") == {"QQQ1"}


def test_a_ticker_wins_over_another_coins_usual_name():
    assert Coins().named_in("polygon") == {"MATIC"}
    assert Coins({"POLYGON": ()}).named_in("polygon") == {"POLYGON"}
    assert Coins({"POLYGON": ()}).named_in("matic") == {"MATIC"}


def test_a_word_that_stands_for_several_names_them_all():
    coins = Coins({"AAA": ["gold coin"], "BBB": ["Gold Coin"], "WBTC": ["bitcoin", "btc"]})
    assert coins.named_in("gold coin") == {"AAA", "BBB"}
    assert coins.named_in("bitcoin usd") == {"BTC", "WBTC"}
    assert coins.named_in("btcusd") == {"BTC", "WBTC"}


@pytest.mark.parametrize("name", ["", "₿", " - "])
def test_a_name_without_letters_names_nothing(name):
    coins = Coins({"ZZZ": [name]})
    for text in ("usd", "eur prices", "", "₿", "btcusd"):
        assert "ZZZ" not in coins.named_in(text)


def test_a_guess_is_the_first_text_that_names_just_one():
    coins = Coins()
    assert coins.guess(None, "prices", "btc eur", "eth") == "BTC"
    assert coins.guess("btc vs eth", "eth") == "ETH"
    assert coins.guess("btc vs eth", None) is None


def test_every_known_name_names_its_ticker():
    coins = Coins()
    assert {name: coins.named_in(name) for names in NAMES.values() for name in names} == {
        name: {ticker} for ticker, names in NAMES.items() for name in names
    }


def test_terms_are_the_ticker_its_names_and_those_added():
    assert terms_of("BTC", ["Digital Gold"]) == ("btc", "bitcoin", "xbt", "digital gold")
    assert terms_of("QQQ") == ("qqq",)
