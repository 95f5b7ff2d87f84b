"""Sorting uploads: whose each file is, certainly, or the reason why it is nobody's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from crypto_assets.resources.inbox import Arrival, Inbox
from crypto_assets.resources.intake import register, take_in
from crypto_assets.resources.overrides import parse_overrides
from crypto_assets.resources.registry import Entry, Registry, pinned_key
from crypto_assets.resources.uploads import Sorter, Taken, Unclear, apply_overrides
from crypto_assets_tests.exports_text import history_csv, trend_csv

HISTORY, NEWER = history_csv(100.0), history_csv(200.0)
DATES_OPEN = "Date,Close\n03/04/2024,100.5\n04/04/2024,101.5\n"
MARK_OPEN = "Date;Close\n" + "".join(f"2024-01-{d:02};1.{100 + d}\n" for d in range(1, 29))
TWO_TERMS = "Week,bitcoin: (Worldwide),monero: (Worldwide)\n" + "".join(
    f"2024-01-{day:02},{day},{2 * day}\n" for day in (7, 14, 21, 28)
)
CURE = "or use `crypto-assets add`"


@dataclass
class Desk:
    """An inbox people drop files into, and a sorter that is made anew for each look at it."""

    inbox: Inbox
    registry: Registry
    toml: str = ""
    clock: Iterator[int] = field(default_factory=lambda: count(1_700_000_000))

    def drop(self, key: str, content: str | bytes) -> Arrival:
        path = Path(self.inbox.root, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (now := next(self.clock), now))
        arrival = self.inbox.arrival(key)
        assert arrival
        return arrival

    def sorter(self) -> Sorter:
        overrides = parse_overrides(self.toml)
        assert overrides.problems == ()
        return Sorter(self.inbox, self.registry, overrides)

    def take(self, key: str, content: str | bytes) -> Taken | None:
        return self.sorter().take(self.drop(key, content))

    def owner(self, key: str, content: str | bytes) -> str:
        """Whose the file became, as `BTC history`."""
        taken = self.take(key, content)
        assert taken
        assert taken.upload.key == key
        return f"{taken.ticker} {taken.kind}"

    def unclear(self, key: str, content: str | bytes) -> str:
        """Why the file became nobody's, after a check that it did."""
        before = list(self.registry.uploads())
        with pytest.raises(Unclear) as refused:
            self.take(key, content)
        assert list(self.registry.uploads()) == before
        assert "\n" not in str(refused.value)
        return str(refused.value)

    def content(self, ticker: str, kind: str) -> str:
        """What the currency is made from."""
        upload = self.registry.upload(ticker, kind)
        return Path(self.inbox.root, pinned_key(upload.etag)).read_text()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    root = str(tmp_path / "inbox")
    return Desk(Inbox(root=root), Registry(inbox=root))


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


def test_what_is_taken_tells_the_upload_and_what_the_reader_made_of_it(desk):
    taken = desk.take("in/btc.csv", HISTORY)
    assert (taken.ticker, taken.kind, taken.entry) == ("BTC", "history", None)
    assert (taken.upload.key, taken.upload.name) == ("in/btc.csv", "btc.csv")
    assert taken.upload.size == len(HISTORY.encode())
    facts = ("rows", "first_date", "last_date", "source", "date_format", "decimal")
    assert [taken.facts[name] for name in facts] == [
        *(40, "2024-01-25", "2024-03-04", "investing.com", "MM/DD/YYYY", "dot")
    ]
    assert desk.content("BTC", "history") == HISTORY


def test_a_term_and_a_name_that_disagree_are_both_told(desk):
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
        half = desk.take(first, texts[order[0]])
        assert half.entry is None
        assert desk.registry.waiting() == {ticker: (half.kind, half.upload)}
        assert desk.registry.get(ticker) is None
        whole = desk.take(second, texts[order[1]])
        assert whole.entry == desk.registry.get(ticker)
        assert {half.kind: half.upload, whole.kind: whole.upload} == {
            kind: getattr(whole.entry, kind) for kind in ("history", "trend")
        }
        assert desk.registry.waiting() == {}
        assert ticker in desk.registry.due()


def test_a_new_half_replaces_the_one_that_waits(desk):
    desk.take("btc.csv", HISTORY)
    assert desk.owner("btc.csv", NEWER) == "BTC history"
    entry = desk.take("multiTimeline.csv", trend_csv("bitcoin")).entry
    assert entry.history.size == len(NEWER.encode())
    assert desk.content("BTC", "history") == NEWER


def test_the_same_content_again_is_nobodys_news(desk):
    desk.take("btc.csv", HISTORY)
    assert desk.take("btc.csv", HISTORY) is None
    assert desk.take("copy of btc.csv", HISTORY) is None
    desk.take("multiTimeline.csv", trend_csv("bitcoin"))
    due = desk.registry.due()
    assert desk.take("btc.csv", HISTORY) is None
    assert desk.registry.upload("BTC", "history").key == "btc.csv"
    assert desk.registry.due() == due


def test_new_content_under_the_same_key_replaces_the_old(desk):
    old = desk.take("btc.csv", HISTORY)
    desk.take("multiTimeline.csv", trend_csv("bitcoin"))
    due = desk.registry.due()
    new = desk.take("btc.csv", NEWER)
    assert (new.ticker, new.kind, new.entry.history) == ("BTC", "history", new.upload)
    assert new.upload.etag != old.upload.etag
    assert desk.content("BTC", "history") == NEWER
    assert Path(desk.inbox.root, pinned_key(old.upload.etag)).read_text() == HISTORY
    assert desk.registry.due()["BTC"] != due["BTC"]


def test_another_file_while_the_first_still_stands_is_unclear(desk):
    desk.take("btc.csv", HISTORY)
    cure = (
        "upload it under that name, remove that file and upload this one again, or name it in "
        "currencies.toml"
    )
    assert desk.unclear("btc new.csv", NEWER) == f"BTC has its history from btc.csv already: {cure}"
    desk.take("multiTimeline.csv", trend_csv("bitcoin"))
    assert "BTC has its trend from multiTimeline.csv" in desk.unclear("t.csv", trend_csv("btc"))
    assert desk.content("BTC", "history") == HISTORY


def test_another_file_after_the_first_was_removed_replaces_it(desk):
    desk.take("btc.csv", HISTORY)
    Path(desk.inbox.root, "btc.csv").unlink()
    assert desk.owner("btc new.csv", NEWER) == "BTC history"


def test_a_key_that_brings_another_currency_leaves_the_first_its_file(desk):
    bitcoin, monero = trend_csv("bitcoin"), trend_csv("monero")
    assert desk.owner("multiTimeline.csv", bitcoin) == "BTC trend"
    desk.take("btc.csv", HISTORY)
    assert desk.owner("multiTimeline.csv", monero) == "XMR trend"
    assert desk.content("BTC", "trend") == bitcoin
    assert desk.content("XMR", "trend") == monero
    assert desk.take("multiTimeline.csv", monero) is None
    newer = trend_csv("bitcoin", (1, 2, 3))
    assert desk.owner("multiTimeline.csv", newer) == "BTC trend"
    assert desk.content("XMR", "trend") == monero


def test_the_same_change_of_currency_within_one_look(desk):
    sorter = desk.sorter()
    taken = [
        sorter.take(desk.drop("multiTimeline.csv", trend_csv(term)))
        for term in ("bitcoin", "monero", "bitcoin", "ethereum")
    ]
    assert [each and each.ticker for each in taken] == ["BTC", "XMR", None, "ETH"]
    assert sorted(desk.registry.waiting()) == ["BTC", "ETH", "XMR"]


def test_a_file_whose_key_another_currency_took_over_stands_in_nobodys_way(desk):
    desk.take("multiTimeline.csv", trend_csv("bitcoin"))
    desk.take("multiTimeline.csv", trend_csv("monero"))
    assert desk.owner("bitcoin.csv", trend_csv("bitcoin", (1, 2, 3))) == "BTC trend"


def test_a_key_keeps_its_currency_where_nothing_in_it_says_otherwise(desk):
    desk.toml = '[QQQ]\nhistory = "prices.csv"\ntrend = "search.csv"\n'
    assert desk.owner("prices.csv", HISTORY) == "QQQ history"
    assert desk.owner("search.csv", trend_csv("some pizza")) == "QQQ trend"
    desk.toml = ""
    assert desk.owner("prices.csv", NEWER) == "QQQ history"
    assert desk.owner("search.csv", trend_csv("other pizza")) == "QQQ trend"
    assert desk.owner("search.csv", trend_csv("monero")) == "XMR trend"


def test_a_key_that_brings_the_other_kind_is_unclear(desk):
    desk.take("btc.csv", HISTORY)
    reason = desk.unclear("btc.csv", trend_csv("bitcoin"))
    assert reason == "it is a trend file where the history file of BTC belongs"


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
    Path(desk.inbox.root, "QQQ/history/p.csv").unlink()
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
        Path(desk.inbox.root, key).unlink()
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
    assert not Path(desk.inbox.root, "_versions").exists()


def test_a_file_that_is_gone_or_became_a_folder_is_unclear(desk):
    gone = desk.drop("btc.csv", HISTORY)
    Path(desk.inbox.root, "btc.csv").unlink()
    with pytest.raises(Unclear, match="it cannot be opened: No such file or directory"):
        desk.sorter().take(gone)
    Path(desk.inbox.root, "btc.csv").mkdir()
    with pytest.raises(Unclear, match="it cannot be opened: Is a directory"):
        desk.sorter().take(gone)


def test_a_file_that_changed_since_it_was_listed_is_not_taken_half_written(desk):
    listed = desk.drop("btc.csv", HISTORY)
    desk.drop("btc.csv", HISTORY[: len(HISTORY) // 2])
    with pytest.raises(Unclear, match="it changed while it was read: it is looked at again"):
        desk.sorter().take(listed)
    assert list(desk.registry.uploads()) == []


def test_files_that_add_put_are_not_taken_again(desk, write):
    files = (write("btc.csv", HISTORY), write("multiTimeline.csv", trend_csv("bitcoin")))
    take_in(desk.inbox, desk.registry, "BTC", *files, {})
    before = desk.registry.get("BTC"), desk.registry.due()
    arrivals = list(desk.inbox.arrivals())
    assert sorted(a.key for a in arrivals) == ["BTC/history/btc.csv", "BTC/trend/multiTimeline.csv"]
    assert [desk.sorter().take(arrival) for arrival in arrivals] == [None, None]
    assert (desk.registry.get("BTC"), desk.registry.due()) == before


def test_files_that_add_gave_a_currency_against_their_names_stay_its_own(desk, write):
    files = (write("ethereum.csv", HISTORY), write("bitcoin.csv", trend_csv("bitcoin")))
    take_in(desk.inbox, desk.registry, "WBTC", *files, {})
    assert [desk.sorter().take(arrival) for arrival in desk.inbox.arrivals()] == [None, None]
    assert list(desk.registry.waiting()) == []
    assert desk.registry.tickers() == ["WBTC"]


def test_a_pinned_copy_that_was_lost_is_restored_when_the_file_comes_again(desk):
    etag = desk.take("btc.csv", HISTORY).upload.etag
    Path(desk.inbox.root, pinned_key(etag)).unlink()
    assert desk.take("btc.csv", HISTORY) is None
    assert desk.content("BTC", "history") == HISTORY


def test_a_crash_before_the_pair_was_registered_leaves_a_file_that_can_be_taken_again(desk):
    desk.take("btc.csv", HISTORY)
    folder = Path(desk.inbox.root, "_due")
    folder.write_text("in the way")  # what registers a pair breaks off at its first step
    arrival = desk.drop("t.csv", trend_csv("bitcoin"))
    with pytest.raises(OSError, match=r"exists|directory"):
        desk.sorter().take(arrival)
    assert desk.registry.get("BTC") is None
    folder.unlink()
    assert desk.sorter().take(arrival).entry == desk.registry.get("BTC")
    assert desk.registry.waiting() == {}


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
