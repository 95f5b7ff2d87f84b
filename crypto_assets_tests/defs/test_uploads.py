"""Ticks of the uploads sensor on a real instance: what they register, report and request."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from crypto_assets.definitions import defs_of
from crypto_assets.defs import uploads as sensor
from crypto_assets.defs.partitions import RANGE_TAGS
from crypto_assets.resources import wiring
from crypto_assets.resources.inbox import inbox
from crypto_assets.resources.market_data.registry import choices_of
from crypto_assets.spark.job_spec import Verdict
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv
from crypto_assets_tests.helpers.waiting import HANG_S


def test_a_currency_gets_a_run_once_both_its_files_are_there(desk):
    desk.deliver("btc prices.csv", history_csv())
    assert desk.tick() == []
    assert desk.said == ["btc prices.csv: the history of BTC, which waits for its trend"]
    assert desk.instance.get_dynamic_partitions(MARKET_DATA.partition) == []
    desk.deliver("multiTimeline.csv", trend_csv("bitcoin"))
    assert desk.tick() == [["BTC"]]
    assert desk.tick() == []
    assert desk.said == ["nothing new"]
    assert [ticker for ticker, _ in desk.reported("history")] == ["BTC"]
    assert [ticker for ticker, _ in desk.reported("trend")] == ["BTC"]


def test_currencies_complete_in_one_tick_share_a_run_and_a_gap_makes_two(desk):
    for ticker in ("XMR", "BTC", "ETH"):
        desk.deliver_pair(ticker)
    assert desk.tick() == [["BTC", "ETH", "XMR"]]
    desk.deliver_pair("BTC", level=50.0)
    desk.deliver_pair("XMR", level=50.0)
    assert desk.tick() == [["BTC"], ["XMR"]]


def test_the_same_content_again_asks_for_nothing_and_new_content_does(desk):
    desk.deliver_pair("BTC")
    desk.tick()
    desk.deliver_pair("BTC")  # only its time is new
    assert desk.tick() == []
    (said,) = desk.said
    assert said.count("this content is registered already") == 2
    desk.deliver("BTC/BTC Historical Data.csv", history_csv(200.0))
    assert desk.tick() == [["BTC"]]
    assert len({version for _, version in desk.reported("history")}) == 2
    assert len(desk.reported("trend")) == 1


def test_a_tick_that_died_before_its_requests_were_kept_is_made_up_for(desk):
    desk.deliver_pair("BTC")
    assert desk.tick(keep_cursor=False) == [["BTC"]]
    asked = desk.run_keys
    assert desk.tick() == [["BTC"]]
    assert desk.run_keys == asked  # Dagster starts no second run for a key it knows
    assert desk.tick() == []


def test_what_got_no_verdict_is_asked_for_again_after_a_pause(desk, monkeypatch):
    desk.deliver_pair("BTC")
    assert desk.tick() == [["BTC"]]
    first = desk.run_keys
    assert desk.tick() == []  # it is too early
    monkeypatch.setattr(sensor, "FIRST_PAUSE", 0.0)
    assert desk.tick() == [["BTC"]]
    second = desk.run_keys
    assert desk.tick() == [["BTC"]]
    assert len({*first, *second, *desk.run_keys}) == 3  # Dagster starts no run twice for a key
    currencies = wiring.market_data(desk.settings)
    version = currencies.registry.version(currencies.registry.get("BTC"), "bronze")
    refused = Verdict("BTC", "bronze", ("line 3: not a price: 'x'",), version=version)
    currencies.outcomes.record(MARKET_DATA.name, [refused])
    assert desk.tick() == []


def test_the_pauses_between_runs_for_one_change_grow_up_to_an_hour():
    pauses = [sensor.Asked("change", times).pause for times in range(13)]
    assert pauses[:5] == [0.0, 10.0, 20.0, 40.0, 80.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 3600.0


def test_a_daemon_that_was_started_again_asks_at_once(desk, monkeypatch):
    desk.deliver_pair("BTC")
    assert desk.tick() == [["BTC"]]
    first = desk.run_keys
    assert desk.tick() == []  # it is too early
    monkeypatch.setattr(sensor, "PROCESS", "another one")
    assert desk.tick() == [["BTC"]]
    assert desk.run_keys != first
    assert desk.tick() == []


def test_nothing_is_asked_for_while_a_run_covers_it(desk, monkeypatch):
    monkeypatch.setattr(sensor, "FIRST_PAUSE", 0.0)
    for ticker in ("BTC", "ETH"):
        desk.deliver_pair(ticker)
    assert desk.tick() == [["BTC", "ETH"]]
    run = desk.instance.create_run_for_job(
        defs_of(desk.settings).resolve_job_def("refresh_currencies"),
        status=dg.DagsterRunStatus.STARTED,
        tags=dict(zip(RANGE_TAGS, ("BTC", "ETH"), strict=True)),
    )
    assert desk.tick() == []
    desk.instance.report_run_failed(run, "as if it were killed")
    assert desk.tick() == [["BTC", "ETH"]]


def test_the_pause_before_a_run_is_asked_for_again_grows_also_if_runs_covered_it(desk, monkeypatch):
    monkeypatch.setattr(sensor, "FIRST_PAUSE", 0.0)
    desk.deliver_pair("BTC")
    for times in (1, 2, 3):
        assert desk.tick() == [["BTC"]]
        run = desk.instance.create_run_for_job(
            defs_of(desk.settings).resolve_job_def("refresh_currencies"),
            status=dg.DagsterRunStatus.STARTED,
            tags=dict.fromkeys(RANGE_TAGS, "BTC"),
        )
        assert desk.tick() == []
        assert json.loads(desk.cursor)["asked"]["market_data"]["BTC"][1] == times
        desk.instance.report_run_failed(run, "as if it were killed")


def test_a_broken_cursor_begins_anew(desk):
    desk.deliver_pair("BTC")
    desk.cursor = "{no json"
    assert desk.tick() == [["BTC"]]
    desk.cursor = json.dumps({"another": "version"})
    desk.tick()
    assert desk.tick() == []


def test_ticks_are_bounded_and_go_on_where_the_last_one_ended(desk, monkeypatch):
    monkeypatch.setattr(sensor, "TICK_UPLOADS", 3)
    for ticker in ("BTC", "ETH", "XMR"):
        desk.deliver_pair(ticker)
    assert desk.tick() == [["BTC"]]
    assert desk.tick() == [["ETH", "XMR"]]
    assert len(desk.reported("history")) == len(desk.reported("trend")) == 3


def test_what_is_unclear_is_kept_in_quarantine_and_reported_once(desk):
    desk.deliver("未知.csv", history_csv())
    desk.deliver("notes.csv", "just some words\n")
    desk.deliver_pair("BTC")
    assert desk.tick() == [["BTC"]]
    assert set(desk.quarantined()) == {"未知.csv", "notes.csv"}
    assert "no known coin is named" in desk.quarantined()["未知.csv"]
    desk.tick()
    records = desk.instance.fetch_materializations(dg.AssetKey("quarantine"), limit=10).records
    assert [r.asset_materialization.metadata["uploads"].value for r in records] == [2]


def test_a_file_that_leaves_the_inbox_leaves_quarantine(desk):
    path = desk.deliver("notes.csv", "just some words\n")
    desk.tick()
    path.unlink()
    desk.tick()
    assert desk.quarantined() == {}


def test_a_file_still_being_written_is_waited_for(desk, monkeypatch):
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 2 * HANG_S)
    monkeypatch.setattr(inbox, "EMPTY_SECONDS", 4 * HANG_S)
    desk.deliver("btc prices.csv", "", age=3 * HANG_S)
    desk.deliver("btc trend.csv", trend_csv("bitcoin"), age=HANG_S)
    desk.tick()
    assert desk.said == ["2 more uploads wait for the next tick"]
    assert desk.quarantined() == {}
    desk.deliver("btc prices.csv", history_csv(), age=3 * HANG_S)
    desk.deliver("btc trend.csv", trend_csv("bitcoin"), age=3 * HANG_S)
    assert desk.tick() == [["BTC"]]


def test_a_file_from_the_future_is_looked_at(desk):
    desk.deliver("btc prices.csv", history_csv(), age=-3600)
    desk.tick()
    assert desk.said == ["btc prices.csv: the history of BTC, which waits for its trend"]


def test_a_report_a_dying_tick_did_not_make_is_made_up_for(desk, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    desk.deliver_pair("BTC")
    with monkeypatch.context() as patch:
        patch.setattr(sensor, "report_asset_events", die)
        with pytest.raises(KeyboardInterrupt):
            desk.tick()
    desk.tick()
    assert [ticker for ticker, _ in desk.reported("history")] == ["BTC"]
    assert [ticker for ticker, _ in desk.reported("trend")] == ["BTC"]


def test_a_full_disk_is_no_verdict_on_a_file(desk):
    desk.deliver("btc prices.csv", history_csv())
    waiting = wiring.inbox(desk.settings).objects.uri("_registry/market_data/waiting")
    Path(waiting).parent.mkdir(parents=True)
    Path(waiting).write_text("no folder can be made here")
    with pytest.raises(OSError, match="waiting"):
        desk.tick()
    assert desk.quarantined() == {}
    Path(waiting).unlink()
    desk.tick()
    assert desk.said == ["btc prices.csv: the history of BTC, which waits for its trend"]


def test_what_was_registered_before_a_fault_is_reported_and_decided_on(desk):
    desk.deliver("btc prices.csv", history_csv(), age=20)
    desk.deliver("eth prices.csv", history_csv(), age=10)
    waiting = wiring.inbox(desk.settings).objects.uri("_registry/market_data/waiting/ETH.json")
    Path(waiting, "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match="ETH"):
        desk.tick()
    assert [ticker for ticker, _ in desk.reported("history")] == ["BTC"]
    Path(waiting, "in the way").rmdir()
    Path(waiting).rmdir()
    desk.tick()
    assert desk.said == ["eth prices.csv: the history of ETH, which waits for its trend"]
    assert [ticker for ticker, _ in desk.reported("history")] == ["BTC", "ETH"]


def test_the_record_of_a_tick_names_so_many_uploads_and_counts_the_others(desk, monkeypatch):
    monkeypatch.setattr(sensor, "SHOWN_MESSAGES", 1)
    for name in ("btc", "eth", "xmr"):
        desk.deliver(f"{name} prices.csv", history_csv())
    desk.tick()
    assert desk.said == [
        "btc prices.csv: the history of BTC, which waits for its trend; and 2 more"
    ]


def test_a_file_that_stays_empty_is_quarantined(desk):
    desk.deliver("btc prices.csv", "", age=100)
    desk.tick()
    assert set(desk.quarantined()) == {"btc prices.csv"}


def test_overrides_clear_a_quarantine_and_change_settings(desk):
    desk.deliver("mine.csv", history_csv())
    desk.deliver("other.csv", trend_csv("my own coin"))
    desk.tick()
    assert set(desk.quarantined()) == {"mine.csv", "other.csv"}
    desk.deliver("currencies.toml", '[OWN]\nhistory = "mine.csv"\ntrend = "other.csv"\n')
    assert desk.tick() == [["OWN"]]
    assert desk.quarantined() == {}
    desk.deliver(
        "currencies.toml",
        '[OWN]\nhistory = "mine.csv"\ntrend = "other.csv"\nmissing = "drop"\n',
    )
    assert desk.tick() == [["OWN"]]
    assert choices_of(wiring.market_data(desk.settings).registry.get("OWN")).missing == "drop"


def test_broken_overrides_are_reported_with_their_line_and_the_rest_goes_on(desk):
    desk.deliver("currencies.toml", '[BTC]\nmissing = "fill"\n[ETH]\nmissing = "often"\n[X\n')
    desk.deliver_pair("BTC")
    assert desk.tick() == [["BTC"]]
    desk.deliver("currencies.toml", '[BTC]\nmissing = "drop"\n[ETH]\nmissing = "often"\n')
    assert desk.tick() == [["BTC"]]
    records = desk.instance.fetch_materializations(dg.AssetKey("quarantine"), limit=10).records
    newest = records[0].asset_materialization.metadata["list"].value.records[0].data
    assert newest["file"] == "currencies.toml"
    assert "line 4: [ETH] missing" in newest["reason"]


def test_a_currency_refreshed_by_hand_meanwhile_needs_no_run(desk):
    desk.deliver_pair("BTC")
    desk.tick(keep_cursor=False)
    currencies = wiring.market_data(desk.settings)
    version = currencies.registry.version(currencies.registry.get("BTC"), "warehouse")
    verdict = Verdict("BTC", "warehouse", version=version)
    currencies.outcomes.record(MARKET_DATA.name, [verdict])
    assert desk.tick() == []
    desk.deliver_pair("BTC", level=50.0)
    assert desk.tick() == [["BTC"]]


def test_what_a_run_will_refuse_is_said_when_the_file_comes(desk):
    desk.deliver("btc prices.csv", history_csv(cells={5: "x"}))
    desk.tick()
    (said,) = desk.said
    assert said == (
        "btc prices.csv: the history of BTC, which waits for its trend; a run will refuse it: "
        "line 5: not a price: 'x'"
    )
    records = desk.instance.fetch_materializations(dg.AssetKey("history_file"), limit=1).records
    metadata = records[0].asset_materialization.metadata
    assert metadata["problems"].value == "line 5: not a price: 'x'"


def test_namesakes_are_their_own_currencies_and_no_other_ones(desk):
    desk.deliver("a/Ethereum Classic Historical Data.csv", history_csv(20.0))
    desk.deliver("a/multiTimeline.csv", trend_csv("ethereum classic"))
    desk.deliver("b/bitcoin-cash-usd-max.csv", history_csv(300.0))
    desk.deliver("b/multiTimeline.csv", trend_csv("bitcoin cash"))
    desk.deliver("c/bitcoin-private-usd-max.csv", history_csv(3.0))
    desk.deliver("c/multiTimeline.csv", trend_csv("bitcoin loan"))
    assert desk.tick() == [["BCH", "ETC"]]
    assert "another thing" in desk.quarantined()["c/multiTimeline.csv"]
    registered = wiring.market_data(desk.settings).registry
    assert registered.get("BTC") is None
    assert registered.get("ETH") is None


def test_a_trend_of_another_thing_put_over_a_file_leaves_the_currency_as_it_is(desk):
    desk.deliver("eth-usd-max.csv", history_csv())
    desk.deliver("multiTimeline.csv", trend_csv("ethereum"))
    assert desk.tick() == [["ETH"]]
    registry = wiring.market_data(desk.settings).registry
    before = registry.get("ETH")
    desk.deliver("multiTimeline.csv", trend_csv("world coffee"))
    assert desk.tick() == []
    assert registry.get("ETH") == before
    assert "'world coffee'" in desk.quarantined()["multiTimeline.csv"]


def test_a_removed_currency_is_due_no_more(desk):
    desk.deliver_pair("BTC")
    desk.tick(keep_cursor=False)
    wiring.market_data(desk.settings).registry.remove("BTC")
    assert desk.tick() == []
    assert desk.said == ["nothing new"]


def test_files_of_a_currency_that_was_added_are_reported_once_by_the_next_tick(desk, add):
    add("BTC")
    assert desk.reported("history") == []
    assert desk.tick() == [["BTC"]]
    ((ticker, first),) = desk.reported("history")
    assert ticker == "BTC"
    desk.tick()
    add("BTC", level=50.0)
    desk.tick()
    (_, (ticker, second)) = desk.reported("history")
    assert (ticker, first == second) == ("BTC", False)
    assert len(desk.reported("trend")) == 1
