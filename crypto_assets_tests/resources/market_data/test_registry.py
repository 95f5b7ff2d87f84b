"""The registry of the currencies: what their owners chose, and what can be a ticker."""

from __future__ import annotations

import pytest

from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.resources.market_data.registry import (
    CurrencyRegistry,
    checked_ticker,
    choices_of,
    coin_name,
    new_ticker,
    with_choices,
)
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets.spark.market_data.data_set import MARKET_DATA

UPLOAD = StoredUpload("btc.csv", "btc.csv", "a" * 64, 9, "2024-01-01T00:00:00+00:00")
DROP = Choices("drop", names=("gold",))


@pytest.fixture
def registry(objects: Objects) -> CurrencyRegistry:
    registry = CurrencyRegistry(MARKET_DATA, objects)
    for kind in ("history", "trend"):
        registry.assign("BTC", kind, UPLOAD, with_choices(DROP))
    return registry


def test_choices_survive_their_document(registry):
    assert choices_of(registry.get("BTC")) == DROP
    assert choices_of(None) == Choices()


def test_choices_named_with_another_file_take_the_place_of_the_old(registry):
    registry.assign("BTC", "trend", UPLOAD, with_choices(Choices(dates="dmy")))
    assert choices_of(registry.get("BTC")) == Choices(dates="dmy")


def test_a_currency_is_made_anew_if_a_choice_shapes_its_tables(registry):
    def version(**choices: object) -> str:
        list(registry.choose({"BTC": {**vars(DROP), **choices}}))
        return registry.version(registry.get("BTC"), "gold")

    assert version() == version(max_shrink=0.5)
    others = {"missing": "fill", "dates": "dmy", "decimal": "dot", "accept_outliers": True}
    shaping = [version(**{name: value}) for name, value in {**others, "names": ()}.items()]
    assert len({version(), *shaping}) == 6


@pytest.mark.parametrize(
    ("ticker", "given", "name"),
    [
        ("BTC", ("Digital Gold",), "bitcoin"),
        ("MINE", ("My Coin", "mc"), "my coin"),
        ("MINE", (), None),
    ],
)
def test_a_coin_is_called_as_our_table_has_it_else_as_its_owner_says(ticker, given, name):
    assert coin_name(Entry(ticker, facts=with_choices(Choices(names=given)))) == name


@pytest.mark.parametrize(
    ("text", "ticker"), [("btc", "BTC"), (" 1Inch ", "1INCH"), ("A" * 20,) * 2]
)
def test_a_ticker_is_letters_and_digits_in_capitals(text, ticker):
    assert checked_ticker(text) == ticker


@pytest.mark.parametrize(
    "text", ["", "B-C", "../X", "A" * 21, "BTC\n\n.", "比", "prices", "\uff22"]
)
def test_what_cannot_be_a_path_and_a_view_is_no_ticker(text):
    with pytest.raises(UsageError):
        new_ticker(text)
