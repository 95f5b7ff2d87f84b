"""Assigning uploads: whose each file is, certainly, or the reason why it is nobody's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crypto_assets.resources.errors import UnclearError
from crypto_assets.resources.inbox.stored import pinned_key
from crypto_assets.resources.uploads.register import add_currency
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets_tests.helpers.desk import (
    CURE,
    HISTORY,
    NEWER,
    TWO_TERMS,
    assigned,
)
from crypto_assets_tests.helpers.exports_text import trend_csv


@pytest.mark.parametrize(
    ("key", "content", "owner"),
    [
        ("multiTimeline.csv", trend_csv("bitcoin"), "BTC trend"),
        ("a/b/multiTimeline (3).csv", trend_csv("Bitcoin Cash"), "BCH trend"),
        ("multiTimeline.csv", trend_csv("btc price"), "BTC trend"),
        ("XMR.csv", HISTORY, "XMR history"),
        ("xmr_eur.csv", HISTORY, "XMR history"),
        ("Binance_XMRUSDT_d.csv", HISTORY, "XMR history"),
        ("ETH_BTC Historical Data.CSV", HISTORY, "ETH history"),
        ("Monero Historical Data - Investing.com.csv", HISTORY, "XMR history"),
        ("bitcoin cash.csv", HISTORY, "BCH history"),
        ("monero/prices.csv", HISTORY, "XMR history"),
        ("btc/monero/export/prices.csv", HISTORY, "XMR history"),
        ("monero/btc.csv", HISTORY, "BTC history"),
        ("monero/multiTimeline.csv", trend_csv("pizza"), "XMR trend"),
        ("数据 比特币/BTC 历史数据.csv", HISTORY, "BTC history"),
        ("b\udcff/ btc \udcfe.csv", HISTORY, "BTC history"),
        ("bitcoin and monero.csv", trend_csv("monero"), "XMR trend"),
    ],
)
def test_a_file_is_whose_term_name_or_folder_names_it(desk, key, content, owner):
    assert desk.owner(key, content) == owner


def test_what_is_assigned_has_the_upload_and_what_the_reader_made_of_it(desk):
    assigned = desk.delivered("in/btc.csv", HISTORY)
    message = "the history of BTC, which waits for its trend"
    assert (assigned.partition, assigned.message) == ("BTC", message)
    assert assigned.files == {"history": desk.upload("BTC", "history")}
    upload = assigned.files["history"]
    assert (upload.key, upload.name) == ("in/btc.csv", "btc.csv")
    assert upload.size == len(HISTORY.encode())
    facts = ("rows", "first_date", "last_date", "source", "date_format", "decimal")
    assert [assigned.facts[name] for name in facts] == [
        *(40, "2024-01-25", "2024-03-04", "investing.com", "MM/DD/YYYY", "dot")
    ]
    assert desk.content("BTC", "history") == HISTORY


def test_a_term_and_a_name_that_disagree_are_both_named(desk):
    reason = desk.unclear("bitcoin trend.csv", trend_csv("monero"))
    assert reason == (
        "it names BTC and XMR: name it in currencies.toml "
        f'([TICKER] trend = "bitcoin trend.csv") {CURE}'
    )


def test_a_name_of_two_coins_is_unclear(desk):
    assert desk.unclear("btc vs eth.csv", HISTORY).startswith("it names BTC and ETH: ")


def test_a_pair_written_the_other_way_round_is_unclear(desk):
    assert desk.unclear("USDT_BTC.csv", HISTORY).startswith("it names BTC and USDT: ")


@pytest.mark.parametrize("key", ["prices.csv", "country/industry solar.csv", "table 2024.csv"])
def test_a_file_that_names_no_coin_is_unclear_and_the_cure_is_named(desk, key):
    assert desk.unclear(key, HISTORY) == (
        "no known coin is named in it, its name or its folder: name it in currencies.toml "
        f'([TICKER] history = "{key}") {CURE}'
    )


@pytest.mark.parametrize("key", ["prices [1].csv", 'a "b" \\c.csv', "what?/*.csv", "价格 é.csv"])
def test_the_cure_named_in_the_reason_cures(desk, key):
    line = re.search(r"\[TICKER\] (.*?)\) or use", desk.unclear(key, HISTORY))[1]
    desk.toml = f"[QQQ]\n{line}\n"
    assert desk.owner(key, HISTORY) == "QQQ history"


def test_both_files_in_either_order_make_the_currency(desk):
    files = {"btc.csv": HISTORY, "multiTimeline.csv": trend_csv("bitcoin")}
    for ticker, order in (("BTC", list(files)), ("XMR", list(reversed(files)))):
        texts = {key: content.replace("bitcoin", ticker.lower()) for key, content in files.items()}
        first, second = (f"{ticker}/{key.replace('btc', ticker)}" for key in order)
        one = desk.delivered(first, texts[order[0]])
        assert {t: entry.files for t, entry in desk.registry.waiting().items()} == {
            ticker: one.files
        }
        assert ticker not in desk.registry.names()
        other = desk.delivered(second, texts[order[1]])
        assert desk.registry.get_all([ticker])[ticker].files == {**one.files, **other.files}
        assert desk.registry.waiting() == {}
        assert ticker in desk.registry.due()


def test_a_new_file_replaces_the_one_that_waits(desk):
    desk.delivered("btc.csv", HISTORY)
    assert desk.owner("btc.csv", NEWER) == "BTC history"
    desk.delivered("multiTimeline.csv", trend_csv("bitcoin"))
    assert desk.registry.names() == ["BTC"]
    assert desk.upload("BTC", "history").size == len(NEWER.encode())
    assert desk.content("BTC", "history") == NEWER


def test_the_same_content_again_is_nobodys_news(desk):
    desk.delivered("btc.csv", HISTORY)
    assert desk.delivered("btc.csv", HISTORY).known
    assert desk.delivered("copy of btc.csv", HISTORY).known
    desk.delivered("multiTimeline.csv", trend_csv("bitcoin"))
    due = desk.registry.due()
    assert desk.delivered("btc.csv", HISTORY).known
    assert desk.upload("BTC", "history").key == "btc.csv"
    assert desk.registry.due() == due


def test_new_content_under_the_same_key_replaces_the_old(desk):
    old = desk.delivered("btc.csv", HISTORY).files["history"]
    desk.delivered("multiTimeline.csv", trend_csv("bitcoin"))
    due = desk.registry.due()
    new = desk.delivered("btc.csv", NEWER)
    assert (new.partition, new.files) == ("BTC", {"history": desk.upload("BTC", "history")})
    assert new.files["history"].etag != old.etag
    assert desk.content("BTC", "history") == NEWER
    assert Path(desk.inbox.objects.root, pinned_key(old.etag)).read_text() == HISTORY
    assert desk.registry.due()["BTC"] != due["BTC"]


def test_another_file_while_the_first_is_still_there_is_unclear(desk):
    desk.delivered("btc.csv", HISTORY)
    cure = (
        "upload it under that name, remove that file and upload this one again, or name it in "
        'currencies.toml ([BTC] history = "btc new.csv")'
    )
    assert desk.unclear("btc new.csv", NEWER) == f"BTC has its history from btc.csv already: {cure}"
    desk.delivered("multiTimeline.csv", trend_csv("bitcoin"))
    assert "BTC has its trend from multiTimeline.csv" in desk.unclear("t.csv", trend_csv("btc"))
    assert desk.content("BTC", "history") == HISTORY


def test_another_file_after_the_first_was_removed_replaces_it(desk):
    desk.delivered("btc.csv", HISTORY)
    Path(desk.inbox.objects.root, "btc.csv").unlink()
    assert desk.owner("btc new.csv", NEWER) == "BTC history"


def test_a_key_that_brings_another_currency_leaves_the_first_its_file(desk):
    bitcoin, monero = trend_csv("bitcoin"), trend_csv("monero")
    assert desk.owner("multiTimeline.csv", bitcoin) == "BTC trend"
    desk.delivered("btc.csv", HISTORY)
    assert desk.owner("multiTimeline.csv", monero) == "XMR trend"
    assert desk.content("BTC", "trend") == bitcoin
    assert desk.content("XMR", "trend") == monero
    assert desk.delivered("multiTimeline.csv", monero).known
    newer = trend_csv("bitcoin", (1, 2, 3))
    assert desk.owner("multiTimeline.csv", newer) == "BTC trend"
    assert desk.content("XMR", "trend") == monero


def test_the_same_change_of_currency_within_one_look(desk):
    assigners = desk.assigners()
    given = [
        assigned(desk.deliver("multiTimeline.csv", trend_csv(term)), desk.inbox, assigners)
        for term in ("bitcoin", "monero", "bitcoin", "ethereum")
    ]
    assert [each.partition for each in given] == ["BTC", "XMR", "BTC", "ETH"]
    assert [each.known for each in given] == [False, False, True, False]
    assert sorted(desk.registry.waiting()) == ["BTC", "ETH", "XMR"]


def test_a_file_whose_key_another_currency_has_by_now_is_in_nobodys_way(desk):
    desk.delivered("multiTimeline.csv", trend_csv("bitcoin"))
    desk.delivered("multiTimeline.csv", trend_csv("monero"))
    assert desk.owner("bitcoin.csv", trend_csv("bitcoin", (1, 2, 3))) == "BTC trend"


def test_a_key_keeps_its_currency_where_nothing_in_it_says_otherwise(desk):
    desk.toml = '[QQQ]\nhistory = "prices.csv"\ntrend = "search.csv"\n'
    assert desk.owner("prices.csv", HISTORY) == "QQQ history"
    assert desk.owner("search.csv", trend_csv("some pizza")) == "QQQ trend"
    desk.toml = ""
    assert desk.owner("prices.csv", NEWER) == "QQQ history"
    assert desk.owner("search.csv", trend_csv("some pizza", (1, 2, 3))) == "QQQ trend"
    assert desk.unclear("search.csv", trend_csv("other pizza")) == (
        "its search term is 'other pizza', that of the file before was 'some pizza': if it is "
        'QQQ\'s, name it in currencies.toml ([QQQ] trend = "search.csv")'
    )
    assert desk.owner("search.csv", trend_csv("monero")) == "XMR trend"


def test_a_key_that_brings_the_other_kind_is_unclear(desk):
    desk.delivered("btc.csv", HISTORY)
    reason = desk.unclear("btc.csv", trend_csv("bitcoin"))
    assert reason == "it is a trend file where the history file of BTC belongs"


def test_of_several_terms_the_currencys_own_is_taken(desk):
    assert "2 terms in one file ('bitcoin', 'monero')" in desk.unclear("both.csv", TWO_TERMS)
    assert desk.owner("monero.csv", TWO_TERMS) == "XMR trend"
    assert desk.owner("btc/multiTimeline.csv", TWO_TERMS + "\n") == "BTC trend"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (HISTORY.encode() + b"\0", "NUL byte"),
        (b"PK\3\4" + bytes(99), "ZIP archive"),
        (b"hello\n", "not a table"),
        (HISTORY + "\n" + "1,2,3,4,5,6\n" * (1 << 20) + "," * (6 << 20), "larger than 16 MB"),
    ],
    ids=["empty", "binary", "zip", "text", "large"],
)
def test_a_file_that_cannot_be_read_is_unclear_with_the_readers_reason(desk, content, reason):
    assert reason in desk.unclear("btc.csv", content)
    assert not Path(desk.inbox.objects.root, "_contents").exists()


def test_a_file_that_is_gone_or_became_a_folder_is_unclear(desk):
    gone = desk.deliver("btc.csv", HISTORY)
    Path(desk.inbox.objects.root, "btc.csv").unlink()
    with pytest.raises(UnclearError, match="it cannot be opened: No such file or directory"):
        desk.assign(gone)
    Path(desk.inbox.objects.root, "btc.csv").mkdir()
    with pytest.raises(UnclearError, match="it cannot be opened: Is a directory"):
        desk.assign(gone)


def test_a_file_that_changed_since_it_was_listed_is_not_assigned_half_written(desk):
    listed = desk.deliver("btc.csv", HISTORY)
    desk.deliver("btc.csv", HISTORY[: len(HISTORY) // 2])
    with pytest.raises(UnclearError, match="it changed while it was read: it is looked at again"):
        desk.assign(listed)
    assert list(desk.registry.uploads()) == []


def test_files_that_add_put_are_not_assigned_again(desk, write):
    trend = write("multiTimeline.csv", trend_csv("bitcoin"))
    sources = {"history": write("btc.csv", HISTORY), "trend": trend}
    add_currency(desk.inbox, desk.registry, "BTC", sources, Choices())
    before = desk.registry.get("BTC"), desk.registry.due()
    arrivals = list(desk.inbox.arrivals())
    assert sorted(a.key for a in arrivals) == ["BTC/history/btc.csv", "BTC/trend/multiTimeline.csv"]
    assert all(desk.assign(arrival).known for arrival in arrivals)
    assert (desk.registry.get("BTC"), desk.registry.due()) == before


def test_files_that_add_gave_a_currency_against_their_names_stay_its_own(desk, write):
    trend = write("bitcoin.csv", trend_csv("bitcoin"))
    sources = {"history": write("ethereum.csv", HISTORY), "trend": trend}
    add_currency(desk.inbox, desk.registry, "WBTC", sources, Choices(term="2"))
    assert [desk.assign(arrival).known for arrival in desk.inbox.arrivals()] == [True, True]
    assert list(desk.registry.waiting()) == []
    assert desk.registry.names() == ["WBTC"]


def test_a_pinned_copy_that_was_lost_is_restored_when_the_file_comes_again(desk):
    desk.delivered("btc.csv", HISTORY)
    etag = desk.upload("BTC", "history").etag
    Path(desk.inbox.objects.root, pinned_key(etag)).unlink()
    assert desk.delivered("btc.csv", HISTORY).known
    assert desk.content("BTC", "history") == HISTORY


def test_a_crash_before_the_pair_was_registered_leaves_a_file_that_can_be_assigned_again(desk):
    desk.delivered("btc.csv", HISTORY)
    folder = Path(desk.inbox.objects.root, "_registry/market_data/due")
    folder.write_text("in the way")  # what registers a pair breaks off at its first step
    arrival = desk.deliver("t.csv", trend_csv("bitcoin"))
    with pytest.raises(OSError, match=r"exists|directory"):
        desk.assign(arrival)
    assert desk.registry.names() == []
    folder.unlink()
    assert desk.assign(arrival).files == {"trend": desk.upload("BTC", "trend")}
    assert desk.registry.names() == ["BTC"]
    assert desk.registry.waiting() == {}
