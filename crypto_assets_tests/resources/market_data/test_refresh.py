"""What keeps a currency's published tables although new ones passed their audit."""

from __future__ import annotations

from itertools import chain

import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.data_set import refresh
from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.outcomes import Outcomes
from crypto_assets.resources.engine import local
from crypto_assets.resources.market_data.registry import with_choices
from crypto_assets.resources.storage.lake import Manifest
from crypto_assets.spark.job_spec import Verdict
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets.spark.market_data.data_set import MARKET_DATA

SILVER = Verdict("BTC", "silver", measures={"history": {"rows": 32}, "trend": {"rows": 7}})
GOLD = Verdict("BTC", "gold", measures={"rows": 31})
CURE = (
    "if that is right, say --max-shrink SHARE (with `crypto-assets add`, or max_shrink = SHARE "
    "below [BTC] in {place})"
)


@pytest.mark.parametrize(
    ("verdict", "published", "max_shrink", "refused"),
    [
        (SILVER, {}, 0.2, ""),
        (SILVER, {"silver/history": 40, "silver/trend": 7}, 0.2, ""),
        (
            SILVER,
            {"silver/history": 41, "silver/trend": 7},
            0.2,
            f"silver/history would shrink from 41 to 32 rows, more than 20%; {CURE}",
        ),
        (
            SILVER,
            {"silver/history": 33, "silver/trend": 8},
            0.0,
            (
                "silver/history would shrink from 33 to 32 rows, more than 0%; "
                f"silver/trend would shrink from 8 to 7 rows, more than 0%; {CURE}"
            ),
        ),
        (GOLD, {"gold": 40}, 0.2, f"gold would shrink from 40 to 31 rows, more than 20%; {CURE}"),
        (GOLD, {"gold": 40}, 0.5, ""),
        (Verdict("BTC", "bronze", measures={}), {"gold": 40}, 0.0, ""),
    ],
)
def test_a_table_that_loses_more_rows_than_its_owner_allows_is_refused(
    settings, verdict, published, max_shrink, refused
):
    currencies = wiring.market_data(settings)
    entry = Entry("BTC", {}, with_choices(Choices(max_shrink=max_shrink)))
    place = settings.inbox_folder / "currencies.toml"
    wanted = refused.format(place=place)
    assert currencies.guard(verdict, entry, Manifest(rows=published)) == wanted


def results(settings, tickers, layers=tuple(MARKET_DATA.layers)):
    currencies = wiring.market_data(settings)
    return [*chain.from_iterable(currencies.run(tickers, layers, "run", lambda _: None))]


def test_currencies_are_published_and_loaded_while_others_are_computed(settings, add, monkeypatch):
    tickers = [f"T{number}" for number in range(7)]
    for ticker in tickers:
        add(ticker)
    add("BAD", cells={9: "see mail"})
    monkeypatch.setattr(local, "AT_A_TIME", 1)
    monkeypatch.setattr(refresh, "LOADED_TOGETHER", 2)
    found = results(settings, ["BAD", *tickers])
    layers = [result.layer for result in found]
    assert layers.index("warehouse") < len(layers) - 1 - layers[::-1].index("gold")
    by_layer = {
        layer: sorted(
            v.partition for r in found if r.layer == layer for v in r.verdicts if v.passed
        )
        for layer in MARKET_DATA.layers
    }
    assert by_layer == dict.fromkeys(MARKET_DATA.layers, tickers)
    _, rows = wiring.warehouse(settings).query(
        "SELECT ticker, count(*) FROM market_data.prices GROUP BY 1 ORDER BY 1"
    )
    assert rows == [(ticker, 41) for ticker in tickers]


def test_verdicts_that_are_certain_at_the_same_time_are_recorded_together(
    settings, add, monkeypatch
):
    for ticker in ("AAA", "BBB"):
        add(ticker)
    recorded, record = [], Outcomes.record

    def recording(outcomes, data_set, verdicts):
        verdicts = list(verdicts)
        recorded.append([(verdict.layer, verdict.partition) for verdict in verdicts])
        record(outcomes, data_set, verdicts)

    monkeypatch.setattr(Outcomes, "record", recording)
    assert len(results(settings, ["AAA", "BBB"])) == len(MARKET_DATA.layers)
    bronze, silver, gold, loaded = (
        [(layer, name) for name in ("AAA", "BBB")] for layer in MARKET_DATA.layers
    )
    assert recorded == [[*bronze, *silver, *gold], loaded]


def test_a_currency_has_its_verdict_in_the_warehouse_as_soon_as_it_is_loaded(settings, add):
    add("BTC")
    add("BAD", cells={9: "see mail"})
    currencies, shown = wiring.market_data(settings), "SELECT ticker, verdict FROM currencies"
    known = {}
    for found in currencies.run(["BAD", "BTC"], tuple(MARKET_DATA.layers), "run", lambda _: None):
        if "warehouse" in {result.layer for result in found}:
            known["loaded"] = currencies.warehouse.query(shown)[1]
    known["ended"] = currencies.warehouse.query(f"{shown} ORDER BY ticker")[1]
    assert known == {
        "loaded": [("BTC", "passed")],
        "ended": [("BAD", "failed"), ("BTC", "passed")],
    }


def test_gold_that_another_run_has_replaced_meanwhile_is_not_loaded(settings, add):
    for ticker in ("AAA", "BBB"):
        add(ticker)
    results(settings, ["AAA", "BBB"], ["bronze", "silver", "gold"])
    entries = wiring.market_data(settings).registry.get_all(["AAA", "BBB"])
    add("AAA", level=50.0)
    results(settings, ["AAA"], ["bronze", "silver", "gold"])
    (result,) = wiring.market_data(settings).load(entries, ["warehouse"])
    verdicts = {verdict.partition: verdict for verdict in result.verdicts}
    assert verdicts["BBB"].passed
    assert verdicts["AAA"].problems == ("another run published it meanwhile: run it again",)
    assert verdicts["AAA"].passing
