"""Sorting uploads: what `currencies.toml` and `add` decide, over words and places."""

from __future__ import annotations

from pathlib import Path

from crypto_assets.resources.market_data.overrides import parse_overrides
from crypto_assets.resources.market_data.registry import Entry
from crypto_assets.resources.uploads.assign import apply_overrides
from crypto_assets.resources.uploads.register import register, take_in
from crypto_assets_tests.helpers.desk import (
    DATES_OPEN,
    HISTORY,
    MARK_OPEN,
    NEWER,
)
from crypto_assets_tests.helpers.exports_text import trend_csv


def test_a_pattern_decides_over_words_and_earlier_files(desk):
    desk.take("a/bitcoin.csv", HISTORY)
    desk.toml = '[XMR]\nhistory = "*bitcoin*.csv"\ntrend = "t/*"\n'
    assert desk.owner("b/bitcoin.csv", NEWER) == "XMR history"
    assert desk.owner("t/bitcoin", trend_csv("bitcoin")) == "XMR trend"
    assert desk.owner("c/bitcoin.csv", HISTORY) == "XMR history"
    assert desk.content("BTC", "history") == HISTORY


def test_a_pattern_for_the_other_kind_is_unclear(desk):
    desk.toml = '[XMR]\ntrend = "monero.csv"\n'
    reason = desk.unclear("monero.csv", HISTORY)
    assert reason == "it is a history file where the trend file of XMR belongs"


def test_a_key_two_patterns_match_is_unclear(desk):
    desk.toml = '[XMR]\nhistory = "m*.csv"\n[BTC]\nhistory = "*o.csv"\ntrend = "monero.csv"\n'
    assert desk.unclear("monero.csv", HISTORY) == (
        "currencies.toml makes it the history of BTC and the trend of BTC and the history of XMR: "
        "narrow the patterns"
    )


def test_a_name_of_the_overrides_is_known_in_terms_and_names(desk):
    desk.toml = '[QQQ]\nnames = ["Digital Pizza"]\n[BTC]\nnames = ["比特币"]\n'
    assert desk.owner("multiTimeline.csv", trend_csv("digital pizza")) == "QQQ trend"
    entry = desk.take("digital-pizza 2024.csv", HISTORY).entry
    assert entry.names == ("Digital Pizza",)
    assert desk.owner("比特币.csv", HISTORY) == "BTC history"


def test_a_registered_ticker_is_known_though_it_has_no_section(desk, write):
    files = {"history": write("p.csv", HISTORY), "trend": write("t.csv", trend_csv("x"))}
    register(desk.inbox, desk.registry, "QQQ", files, {})
    Path(desk.inbox.objects.root, "QQQ/history/p.csv").unlink()
    assert desk.owner("qqq-usd.csv", NEWER) == "QQQ history"


def test_settings_of_the_overrides_settle_what_a_file_leaves_open(desk):
    for key, content, setting in (
        ("aaa.csv", DATES_OPEN, "dates = 'dmy'"),
        ("bbb.csv", MARK_OPEN, "decimal = 'comma'"),
    ):
        ticker = key[:3].upper()
        desk.toml = f"[{ticker}]\n"
        assert "not certain" in desk.unclear(key, content)
        desk.toml += setting
        assert desk.owner(key, content) == f"{ticker} history"
        desk.toml = f"[{ticker}]\nhistory = 'any name.csv'\n{setting}\n"
        Path(desk.inbox.objects.root, key).unlink()
        assert desk.owner("any name.csv", content + "\n") == f"{ticker} history"


def test_a_setting_that_reads_a_file_wrongly_is_told(desk):
    desk.toml = "[BTC]\ndates = 'mdy'\n"
    assert "monthly, not daily" in desk.unclear("btc.csv", DATES_OPEN)


def test_settings_given_with_add_settle_a_later_file_under_any_key_of_the_currency(desk, write):
    files = (write("p.csv", DATES_OPEN), write("t.csv", trend_csv("bitcoin")))
    take_in(desk.inbox, desk.registry, "BTC", *files, {"dates": "dmy"})
    newer = DATES_OPEN.replace("100", "102")
    assert desk.owner("BTC/history/p.csv", newer) == "BTC history"
    assert desk.registry.get("BTC").dates == "dmy"


def test_settings_stay_when_a_file_is_uploaded_again(desk):
    desk.toml = "[BTC]\nmissing = 'drop'\nmax_shrink = 0.5\nnames = ['gold']\n"
    desk.take("btc.csv", HISTORY)
    desk.take("t.csv", trend_csv("btc"))
    desk.toml = ""
    entry = desk.take("btc.csv", NEWER).entry
    assert (entry.missing, entry.max_shrink, entry.names) == ("drop", 0.5, ("gold",))
    desk.toml = "[BTC]\nmissing = 'fill'\n"
    entry = desk.take("btc.csv", HISTORY).entry
    assert (entry.missing, entry.max_shrink, entry.names) == ("fill", 0.5, ("gold",))


def test_new_settings_reach_registered_currencies_once(desk):
    for ticker in ("btc", "xmr"):
        desk.take(f"{ticker}.csv", HISTORY)
        desk.take(f"{ticker} t.csv", trend_csv(ticker))
    for ticker, token in desk.registry.due().items():
        desk.registry.settle(ticker, token)
    text = "[BTC]\nmissing = 'drop'\n[XMR]\nhistory = 'x'\n[NEW]\nmissing = 'drop'\n"
    changed = list(apply_overrides(desk.registry, parse_overrides(text)))
    assert [(entry.ticker, entry.missing) for entry in changed] == [("BTC", "drop")]
    assert list(desk.registry.due()) == ["BTC"]
    assert isinstance(desk.registry.get("BTC"), Entry)
    assert desk.registry.get("BTC").missing == "drop"
    assert list(apply_overrides(desk.registry, parse_overrides(text))) == []
