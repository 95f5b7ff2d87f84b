"""Sorting uploads by their names: namesakes and near misses are nobody's, or their own coin's."""

from __future__ import annotations

import pytest

from crypto_assets_tests.helpers.desk import CURE, HISTORY
from crypto_assets_tests.helpers.exports_text import trend_csv


@pytest.mark.parametrize(
    ("key", "content", "owner"),
    [
        ("btg/Bitcoin Gold Historical Data.csv", HISTORY, "BTG history"),
        ("btg/multiTimeline.csv", trend_csv("bitcoin gold"), "BTG trend"),
        ("xaut/tether-gold-usd-max.csv", HISTORY, "XAUT history"),
        ("xaut/multiTimeline.csv", trend_csv("tether gold"), "XAUT trend"),
        ("lunc/multiTimeline.csv", trend_csv("terra classic"), "LUNC trend"),
        ("new/WrappedBitcoinHistoricalData.csv", HISTORY, "WBTC history"),
        ("CAKE-USD.csv", HISTORY, "CAKE history"),
        ("QZX_USDT Binance Historical Data.csv", HISTORY, "QZX history"),
        ("BitcoinHistoricalData (1).csv", HISTORY, "BTC history"),
    ],
)
def test_a_namesake_is_its_own_coins(desk, key, content, owner):
    assert desk.owner(key, content) == owner


@pytest.mark.parametrize(
    ("key", "term", "doubt"),
    [
        (
            "btc/Bitcoin Pizza.csv",
            None,
            '"Bitcoin Pizza" names BTC, but "Pizza" makes it another thing',
        ),
        ("btc/multiTimeline.csv", "buy bitcoin", '"buy bitcoin" names BTC, but "buy" makes it'),
        ("bitcoin fund/prices.csv", None, '"bitcoin fund" names BTC, but "fund" makes it'),
        ("lunc/terra-luna-usd-max.csv", None, "it names LUNA and LUNC"),
        ("multiTimeline.csv", "pi network", "no known coin is named in it, its name or its folder"),
    ],
)
def test_another_thing_is_nobodys_and_its_words_and_the_cure_are_named(desk, key, term, doubt):
    kind, content = ("trend", trend_csv(term)) if term else ("history", HISTORY)
    reason = desk.unclear(key, content)
    assert reason.startswith(doubt)
    assert reason.endswith(f': name it in currencies.toml ([TICKER] {kind} = "{key}") {CURE}')


def test_a_near_miss_is_asked_with_the_line_that_settles_it(desk):
    reason = desk.unclear("multiTimeline.csv", trend_csv("Etherium"))
    assert reason == (
        '"Etherium" is not certain to be a coin (did you mean ETH?): name it in currencies.toml '
        f'([ETH] trend = "multiTimeline.csv") {CURE}'
    )
    desk.toml = '[ETH]\nnames = ["Etherium"]\n'
    assert desk.owner("multiTimeline.csv", trend_csv("Etherium")) == "ETH trend"


def test_a_name_given_in_the_overrides_makes_a_namesake_known(desk):
    key = "Bitcoin Pizza.csv"
    assert "another thing" in desk.unclear(key, HISTORY)
    desk.toml = '[PIZZA]\nnames = ["bitcoin pizza"]\n'
    assert desk.owner(key, HISTORY) == "PIZZA history"


def test_a_term_of_another_thing_takes_the_key_from_nobody(desk):
    bitcoin = trend_csv("bitcoin")
    assert desk.owner("multiTimeline.csv", bitcoin) == "BTC trend"
    assert "another thing" in desk.unclear("multiTimeline.csv", trend_csv("bitcoin pizza"))
    assert desk.content("BTC", "trend") == bitcoin
