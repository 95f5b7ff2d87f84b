"""Ticks with many uploads: what they register and say is what ticks with few do."""

from __future__ import annotations

import dagster as dg
import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.data_set import assign
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv


@pytest.fixture(params=[1, 1000], ids=["in processes", "in the sensor's own"])
def desk(desk, monkeypatch, request):
    monkeypatch.setattr(assign, "MANY", request.param)
    return desk


def test_good_refused_and_unclear_files_of_one_tick(desk):
    desk.deliver("btc prices.csv", history_csv(), age=90)
    desk.deliver("btc trend.csv", trend_csv("bitcoin"), age=80)
    desk.deliver("eth prices.csv", history_csv(cells={5: "x"}), age=70)
    desk.deliver("notes.csv", "just some words\n", age=60)
    desk.deliver("未知.csv", history_csv(), age=50)
    desk.deliver("one/xmr prices.csv", history_csv(1.0), age=40)
    desk.deliver("two/xmr prices.csv", history_csv(2.0), age=30)
    desk.deliver("currencies.toml", '[LTC]\ntrend = "l*e.csv"\ndates = "dmy"\nnames = ["lite"]\n')
    desk.deliver("litecoine.csv", history_csv(), age=20)
    assert desk.tick() == [["BTC"]]
    reasons = desk.quarantined()
    assert sorted(reasons) == [
        "litecoine.csv",
        "notes.csv",
        "one/xmr prices.csv",
        "two/xmr prices.csv",
        "未知.csv",
    ]
    assert "this is a price history, not search interest" in reasons["litecoine.csv"]
    assert "came for the same place" in reasons["one/xmr prices.csv"]
    assert "no known coin is named in it" in reasons["未知.csv"]
    registry = wiring.market_data(desk.settings).registry
    assert (registry.names(), sorted(registry.waiting())) == (["BTC"], ["ETH"])
    records = desk.instance.fetch_materializations(dg.AssetKey("history_file"), limit=9).records
    events = {record.partition_key: record.asset_materialization for record in records}
    assert events.keys() == {"BTC", "ETH"}
    assert events["ETH"].metadata["problems"].value == "line 5: not a price: 'x'"
    assert events["BTC"].metadata["rows"].value == 40
    desk.tick()
    assert desk.said == ["nothing new"]


def test_messages_are_in_the_order_in_which_the_files_came(desk):
    for age, name in enumerate(("xmr", "btc", "eth")):
        desk.deliver(f"{name} prices.csv", history_csv(), age=100 - age)
    desk.tick()
    (said,) = desk.said
    assert said == (
        "xmr prices.csv: the history of XMR, which waits for its trend; "
        "btc prices.csv: the history of BTC, which waits for its trend; "
        "eth prices.csv: the history of ETH, which waits for its trend"
    )


def test_a_currency_whose_two_files_come_in_one_tick_is_registered_once(desk):
    desk.deliver_pair("BTC")
    desk.tick()
    registry = wiring.market_data(desk.settings).registry
    ((_, changes),) = registry.due().items()
    assert len(changes.split()) == 1
    assert registry.waiting() == {}
