"""The table of coins: which words stand for which ticker, and what a user adds to them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from crypto_assets.spark.market_data import coins as coins_module
from crypto_assets.spark.market_data.coins import (
    Coins,
    coin_words,
    phrase_of,
    terms_of,
)
from crypto_assets.spark.market_data.currency import Choices


def _rows() -> list[dict[str, str]]:
    table = Path(coins_module.__file__).with_name("coins.csv").read_text("utf-8")
    return list(csv.DictReader(table.splitlines()))


def test_the_table_has_a_line_a_coin_in_the_tickers_order():
    tickers = [row["ticker"] for row in _rows()]
    assert len(tickers) > 500
    assert tickers == sorted(set(tickers))
    assert all(re.fullmatch(r"[A-Z0-9]{1,20}", ticker) for ticker in tickers)


def test_every_name_of_the_table_is_known_and_names_those_that_have_it():
    having: dict[str, set[str]] = {}
    for row in _rows():
        for name in filter(None, row["names"].split("|")):
            having.setdefault(name, set()).add(row["ticker"])
    words = {name: phrase_of(name).split() for name in having}
    assert {name: Coins().named(words[name]) for name in having} == having


def test_an_everyday_word_is_the_ticker_or_a_name_of_its_line():
    for row in _rows():
        words = {row["ticker"].lower(), *row["names"].split("|")}
        assert set(filter(None, row["everyday"].split("|"))) <= words


@pytest.mark.parametrize(
    ("words", "tickers"),
    [
        ("btc", {"BTC"}),
        ("bitcoin", {"BTC"}),
        ("bitcoin cash", {"BCH"}),
        ("bitcoincash", {"BCH"}),
        ("bit coin", {"BTC"}),
        ("chain link", {"LINK"}),
        ("terra luna", {"LUNA", "LUNC"}),
        ("ethereum max", set()),
        ("terra usd", set()),
        ("sol ana", set()),
        ("s ol", set()),
        ("bitcoin pizza", set()),
    ],
)
def test_words_stand_for_a_ticker_as_one_name(words, tickers):
    assert Coins().named(words.split()) == tickers


def test_an_added_name_is_known_however_it_is_written():
    coins = Coins({"QQQ": ["Cafe\u0301 Münze", "\uff30\uff49 Coin"], "比": ["比特币"]})
    assert coins.named(["caf\u00e9", "münze"]) == {"QQQ"}
    assert coins.named(["pi", "coin"]) == {"QQQ"}
    assert coins.named(["qqq"]) == {"QQQ"}
    assert coins.named(["比特币"]) == {"BTC", "比"}


def test_a_ticker_wins_over_another_coins_name():
    assert Coins().named(["polygon"]) == {"MATIC"}
    assert Coins({"POLYGON": ()}).named(["polygon"]) == {"POLYGON"}
    assert Coins({"POLYGON": ()}).named(["matic"]) == {"MATIC"}


def test_a_name_that_several_have_names_them_all():
    coins = Coins({"AAA": ["gold coin"], "BBB": ["Gold Coin"], "WBTC": ["bitcoin", "btc"]})
    assert coins.named(["gold", "coin"]) == {"AAA", "BBB"}
    assert coins.named(["bitcoin"]) == {"BTC", "WBTC"}
    assert coins.named(["btc"]) == {"BTC", "WBTC"}


@pytest.mark.parametrize("name", ["", "₿", " - "])
def test_a_name_without_letters_is_none(name):
    assert Coins({"ZZZ": [name]}).named([""]) == set()


def test_an_everyday_word_is_plain_once_a_user_made_it_a_name():
    assert Coins().is_everyday("link")
    assert Coins({"LINK": ()}).is_everyday("link")
    assert not Coins({"LINK": ["link"]}).is_everyday("link")
    assert not Coins().is_everyday("chainlink")


@pytest.mark.parametrize(
    ("word", "tickers"),
    [
        *(("etherium", {"ETH"}), ("bitcion", {"BTC"}), ("cardanno", {"ADA"}), ("solna", set())),
        *(("dogcoin", {"DOGE"}), ("dragon", set()), ("weather", set()), ("btx", set())),
    ],
)
def test_a_longer_name_is_nearly_met_by_a_word_with_one_error(word, tickers):
    assert Coins().nearly(word) == tickers


def test_terms_are_the_ticker_its_names_and_those_added():
    assert terms_of("XMC", ["Digital Gold"]) == ("xmc", "monero classic", "digital gold")
    assert terms_of("QQQ") == ("qqq",)


def test_the_columns_of_all_other_coins_are_never_read():
    words = Choices().reading(terms_of("BTC")).others
    assert {"eth", "ethereum", "bitcoin cash", "wbtc", "比特币现金"} <= words
    assert words.isdisjoint({"btc", "bitcoin", "xbt", "比特币", "", "link", "one", "gas"})
    terms = terms_of("WBTC", ("bitcoin",))
    assert Choices().reading(terms).others == coin_words() - {*terms}
    assert Choices().reading(terms_of("QQQ")).others == coin_words()
    assert Choices().reading(()).others == frozenset()
