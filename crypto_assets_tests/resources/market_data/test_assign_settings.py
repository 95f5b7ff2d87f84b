"""Assigning uploads: what `currencies.toml` and `add` decide, over words and places."""

from __future__ import annotations

from pathlib import Path

from crypto_assets.resources.market_data.registry import choices_of
from crypto_assets.resources.uploads.register import add_currency, register
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets_tests.helpers.desk import (
    DATES_OPEN,
    HISTORY,
    MARK_OPEN,
    NEWER,
    Desk,
)
from crypto_assets_tests.helpers.exports_text import trend_csv


def choices(desk: Desk, ticker: str) -> Choices:
    return choices_of(desk.registry.get(ticker))


def test_a_pattern_decides_over_words_and_earlier_files(desk):
    desk.delivered("a/bitcoin.csv", HISTORY)
    desk.toml = '[XMR]\nhistory = "*bitcoin*.csv"\ntrend = "t/*"\n'
    reason = desk.unclear("t/bitcoin", trend_csv("bitcoin"))
    assert 'say which it is with term = "COLUMN"' in reason
    assert reason.endswith("(in currencies.toml, below [XMR])")
    desk.toml += 'term = "bitcoin: (Worldwide)"\n'
    assert desk.owner("b/bitcoin.csv", NEWER) == "XMR history"
    assert desk.owner("t/bitcoin", trend_csv("bitcoin")) == "XMR trend"
    assert desk.owner("c/bitcoin.csv", HISTORY) == "XMR history"
    assert desk.content("BTC", "history") == HISTORY


def test_a_pattern_for_the_other_kind_is_unclear(desk):
    desk.toml = '[XMR]\ntrend = "monero.csv"\n'
    reason = desk.unclear("monero.csv", HISTORY)
    assert reason.startswith("this is a price history, not search interest (1 'Date', 2 'Price'")
    assert 'add it with history = "monero.csv", or say term = "COLUMN"' in reason


def test_the_line_named_for_a_file_that_leaves_a_choice_settles_it(desk):
    two = "date,price_gbp,price_usd\n" + "".join(
        f"2024-01-{day:02},{100 + day}.5,{130 + day}.5\n" for day in range(1, 29)
    )
    reason = desk.unclear("new/file.csv", two)
    assert 'say which it is with price = "COLUMN", its name or its number' in reason
    assert reason.endswith(
        '(in currencies.toml, below [TICKER], beside history = "new/file.csv" or '
        'trend = "new/file.csv")'
    )
    desk.toml = '[QZX]\nhistory = "new/file.csv"\nprice = "price_gbp"\n'
    assert desk.owner("new/file.csv", two) == "QZX history"


def test_a_key_two_patterns_match_is_unclear(desk):
    desk.toml = '[XMR]\nhistory = "m*.csv"\n[BTC]\nhistory = "*o.csv"\ntrend = "monero.csv"\n'
    assert desk.unclear("monero.csv", HISTORY) == (
        "currencies.toml makes it the history of BTC and the trend of BTC and the history of XMR: "
        "narrow the patterns"
    )


def test_a_name_of_the_overrides_is_known_in_terms_and_names(desk):
    desk.toml = '[QQQ]\nnames = ["Digital Pizza"]\n[BTC]\nnames = ["比特币"]\n'
    assert desk.owner("multiTimeline.csv", trend_csv("digital pizza")) == "QQQ trend"
    desk.delivered("digital-pizza 2024.csv", HISTORY)
    assert desk.registry.names() == ["QQQ"]
    assert choices(desk, "QQQ").names == ("Digital Pizza",)
    assert desk.owner("比特币.csv", HISTORY) == "BTC history"


def test_a_registered_ticker_is_known_though_it_has_no_section(desk, write):
    files = {"history": write("p.csv", HISTORY), "trend": write("t.csv", trend_csv("x"))}
    register(desk.inbox, desk.registry, "QQQ", files, {})
    Path(desk.inbox.objects.root, "QQQ/history/p.csv").unlink()
    assert desk.owner("qqq-usd.csv", NEWER) == "QQQ history"


def test_settings_of_the_overrides_decide_what_a_file_leaves_open(desk):
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


def test_a_setting_that_reads_a_file_wrongly_is_reported(desk):
    desk.toml = "[BTC]\ndates = 'mdy'\n"
    assert "monthly, not daily" in desk.unclear("btc.csv", DATES_OPEN)


def test_settings_given_with_add_decide_on_a_later_file_under_any_key_of_the_currency(desk, write):
    sources = {"history": write("p.csv", DATES_OPEN), "trend": write("t.csv", trend_csv("btc"))}
    add_currency(desk.inbox, desk.registry, "BTC", sources, Choices(dates="dmy"))
    newer = DATES_OPEN.replace("100", "102")
    assert desk.owner("BTC/history/p.csv", newer) == "BTC history"
    assert choices(desk, "BTC").dates == "dmy"


def test_settings_stay_when_a_file_is_uploaded_again(desk):
    desk.toml = "[BTC]\nmissing = 'drop'\nmax_shrink = 0.5\nnames = ['gold']\n"
    desk.delivered("btc.csv", HISTORY)
    desk.delivered("t.csv", trend_csv("btc"))
    desk.toml = ""
    desk.delivered("btc.csv", NEWER)
    assert choices(desk, "BTC") == Choices("drop", max_shrink=0.5, names=("gold",))
    desk.toml = "[BTC]\nmissing = 'fill'\n"
    desk.delivered("btc.csv", HISTORY)
    assert choices(desk, "BTC") == Choices("fill", max_shrink=0.5, names=("gold",))


def test_new_settings_reach_registered_currencies_once(desk):
    for ticker in ("btc", "xmr"):
        desk.delivered(f"{ticker}.csv", HISTORY)
        desk.delivered(f"{ticker} t.csv", trend_csv(ticker))
    desk.registry.settle(desk.registry.due())
    desk.toml = "[BTC]\nmissing = 'drop'\n[XMR]\nhistory = 'x'\n[NEW]\nmissing = 'drop'\n"
    changed = [line for each in desk.assigners() for line in each.apply_settings()]
    assert changed == ["BTC: new settings"]
    assert list(desk.registry.due()) == ["BTC"]
    assert choices(desk, "BTC") == Choices("drop")
    assert [line for each in desk.assigners() for line in each.apply_settings()] == []
