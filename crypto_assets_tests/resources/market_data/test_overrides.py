"""`currencies.toml`: what is right in it holds, what is wrong is reported with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.market_data.overrides import (
    Overrides,
    parse_overrides,
    read_overrides,
)
from crypto_assets.resources.market_data.sections import Override
from crypto_assets.resources.storage.local import LocalObjects

EVERYTHING = """
[BTC]
history = "btc/*.csv"
trend = "multiTimeline.csv"
names = ["Bitcoin", "digital gold"]
missing = "drop"
dates = "dmy"
decimal = "comma"
accept_outliers = true
max_shrink = 0.5
"""


def problems(text: str) -> tuple[str, ...]:
    return parse_overrides(text).problems


def test_every_field_is_read():
    overrides = parse_overrides(EVERYTHING)
    assert overrides.problems == ()
    assert overrides.sections == {
        "BTC": Override(
            history="btc/*.csv",
            trend="multiTimeline.csv",
            names=("Bitcoin", "digital gold"),
            missing="drop",
            dates="dmy",
            decimal="comma",
            accept_outliers=True,
            max_shrink=0.5,
        )
    }
    assert overrides.choices("BTC") == {
        "names": ("Bitcoin", "digital gold"),
        "missing": "drop",
        "dates": "dmy",
        "decimal": "comma",
        "accept_outliers": True,
        "max_shrink": 0.5,
    }
    assert overrides.choices("ETH") == {}


def test_only_what_is_said_is_chosen():
    text = "[BTC]\n[ETH]\nnames = []\naccept_outliers = false\nmax_shrink = 0\nhistory = 'x'\n"
    overrides = parse_overrides(text)
    assert overrides.problems == ()
    assert overrides.choices("BTC") == {}
    assert overrides.choices("ETH") == {"names": (), "accept_outliers": False, "max_shrink": 0}


@pytest.mark.parametrize(
    "text",
    [
        "[btc]\nmissing = 'drop'",
        'btc.missing = "drop"',
        "btc = {missing = 'drop'}",
        "['btc']\nmissing='drop'",
    ],
)
def test_a_section_may_be_written_in_any_way_toml_has(text):
    assert parse_overrides(text).choices("BTC") == {"missing": "drop"}


@pytest.mark.parametrize("text", ["", "\n# nothing yet\n", "[BTC]\r\nmissing = 'drop'\r\n"])
def test_an_empty_or_windows_file_has_no_problem(text):
    assert problems(text) == ()


def test_a_syntax_error_is_reported_with_its_line_and_leaves_no_section():
    overrides = parse_overrides('[BTC]\nmissing = "drop"\n[ETH\n')
    assert overrides.sections == {}
    (problem,) = overrides.problems
    assert problem.startswith("currencies.toml: ")
    assert "line 3" in problem


@pytest.mark.parametrize(
    "text", ["x = " + "[" * 5000, "x = " + "1" * 5000, "d = 2024-13-45", "[BTC]\n[BTC]\n", "\0"]
)
def test_text_no_parser_takes_is_one_problem(text):
    assert len(problems(text)) == 1
    assert parse_overrides(text).sections == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "\n[BTC]\nmising = 'drop'",
            "line 3: [BTC] mising: there is no such setting: did you mean missing?",
        ),
        (
            "[BTC]\n\n'deci mal' = 1",
            "line 3: [BTC] deci mal: there is no such setting: did you mean decimal?",
        ),
        (
            "[BTC]\nmissing = 'maybe'",
            "line 2: [BTC] missing: it must be 'fill' or 'drop', not 'maybe'",
        ),
        (
            "[BTC]\ndates = 'DMY'",
            "line 2: [BTC] dates: it must be 'dmy', 'mdy' or 'ymd', not 'DMY'",
        ),
        ("[BTC]\nnames = 'bitcoin'", "line 2: [BTC] names: it must be a list, not 'bitcoin'"),
        ("[BTC]\nnames = ['a', 1]", "line 2: [BTC] names: it must be a valid string, not '1'"),
        ("[BTC]\nhistory = 7", "line 2: [BTC] history: it must be a valid string, not '7'"),
        (
            "[BTC.history]\na = 1",
            "line 1: [BTC] history: it must be a valid string, not '{'a': 1}'",
        ),
        (
            "[BTC]\naccept_outliers = 'yes'",
            "line 2: [BTC] accept_outliers: it must be a valid boolean, not 'yes'",
        ),
        (
            "[BTC]\nmax_shrink = true",
            "line 2: [BTC] max_shrink: it must be a valid number, not 'True'",
        ),
        (
            "[BTC]\nmax_shrink = '0.5'",
            "line 2: [BTC] max_shrink: it must be a valid number, not '0.5'",
        ),
        (
            "[BTC]\nmax_shrink = -0.1",
            "line 2: [BTC] max_shrink: it must be greater than or equal to 0, not '-0.1'",
        ),
        (
            "[BTC]\nmax_shrink = 20",
            "line 2: [BTC] max_shrink: it must be less than or equal to 1, not '20'",
        ),
        (
            "[BTC]\nmax_shrink = nan",
            "line 2: [BTC] max_shrink: it must be less than or equal to 1, not 'nan'",
        ),
        ("\nmissing = 'drop'\n[BTC]", "line 2: missing stands outside a section such as [BTC]"),
        (
            '[ETH]\n["B-C"]',
            "line 2: 'B-C' is no ticker: use 1 to 20 letters and digits, such as BTC",
        ),
        (
            "[prices]",
            (
                "line 1: PRICES is the name of a table of the warehouse: choose another "
                "ticker, such as PRICES1"
            ),
        ),
        ("[btc]\n[BTC]", "line 2: [BTC] is a second section of BTC"),
        (
            "BTC = {missing = 'x'}\n[ETH]\nmissing = 'fill'",
            "line 1: [BTC] missing: it must be 'fill' or 'drop', not 'x'",
        ),
        (
            "# a\u2028b\n[BTC]\nmissing = 1",
            "line 3: [BTC] missing: it must be 'fill' or 'drop', not '1'",
        ),
        (
            "[BTCX]\n[BTC] # x\n missing=1",
            "line 3: [BTC] missing: it must be 'fill' or 'drop', not '1'",
        ),
    ],
)
def test_what_is_wrong_is_reported_with_its_line(text, problem):
    assert problems(text) == (f"currencies.toml {problem}",)


def test_a_broken_section_leaves_the_others_and_each_fault_is_reported():
    overrides = parse_overrides(
        "stray = 1\n[BTC]\nmissing = 'x'\ndates = 'x'\n[ETH]\nmissing = 'drop'\n[X-Y]\n[XMR]\n"
    )
    assert sorted(overrides.sections) == ["ETH", "XMR"]
    assert overrides.choices("ETH") == {"missing": "drop"}
    lines = [problem.removeprefix("currencies.toml ")[:6] for problem in overrides.problems]
    assert lines == ["line 1", "line 3", "line 4", "line 7"]


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("btc/*.csv", "btc/a b.csv", True),
        ("btc/*.csv", "btc/2024/prices.csv", True),
        ("btc/*.csv", "BTC/prices.csv", False),
        ("btc/*.csv", "old/btc/prices.csv", False),
        ("btc/*.csv", "btc/prices.csv.txt", False),
        ("历史*", "历史数据.csv", True),
        ("history-????.csv", "history-2024.csv", True),
        ("prices [1].csv", "prices [1].csv", True),
        ("prices [12].csv", "prices 2.csv", True),
        ("b?rse.csv", "b\udcffrse.csv", True),
        ("", "", False),
        ("", "btc.csv", False),
    ],
)
def test_a_pattern_is_matched_to_the_whole_key(pattern, key, matches):
    overrides = Overrides({"BTC": Override(history=pattern)})
    assert overrides.claims(key) == ([("BTC", "history")] if matches else [])


def test_every_pattern_that_matches_is_found():
    overrides = parse_overrides("[BTC]\nhistory='*.csv'\ntrend='b*'\n[ETH]\nhistory='bt?.csv'")
    assert overrides.claims("btc.csv") == [
        ("BTC", "history"),
        ("BTC", "trend"),
        ("ETH", "history"),
    ]


def test_of_many_patterns_those_that_match_a_key_are_found():
    sections = [f"[T{n}]\nhistory = '*/T{n} prices.csv'\ntrend = 't{n}/*'" for n in range(1_000)]
    overrides = parse_overrides("\n".join(sections))
    for number in range(1_000):
        history, trend = ("T" + str(number), "history"), ("T" + str(number), "trend")
        assert overrides.claims(f"in/T{number} prices.csv") == [history]
        assert overrides.claims(f"t{number}/T{number} prices.csv") == [history, trend]


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(objects=LocalObjects(root=str(tmp_path)))


def test_an_inbox_without_the_file_has_no_overrides(inbox, tmp_path):
    assert read_overrides(inbox) == (Overrides(), "")
    assert read_overrides(Inbox(objects=LocalObjects(root=str(tmp_path / "none")))) == (
        Overrides(),
        "",
    )


def test_the_file_may_begin_with_a_byte_order_mark(inbox, tmp_path):
    (tmp_path / "currencies.toml").write_bytes(b"\xef\xbb\xbf[BTC]\nmissing = 'drop'\n")
    overrides, _ = read_overrides(inbox)
    assert (overrides.choices("BTC"), overrides.problems) == ({"missing": "drop"}, ())


@pytest.mark.parametrize("content", ["[BTC]".encode("utf-16"), "[BTC]\n# é".encode("cp1252")])
def test_a_file_in_another_encoding_says_what_to_do(inbox, tmp_path, content):
    (tmp_path / "currencies.toml").write_bytes(content)
    overrides, etag = read_overrides(inbox)
    assert overrides.sections == {}
    assert overrides.problems[0].endswith("save it as UTF-8")
    assert etag


def test_a_folder_in_the_place_of_the_file_is_a_problem(inbox, tmp_path):
    (tmp_path / "currencies.toml").mkdir()
    assert read_overrides(inbox)[0].problems == ("currencies.toml: Is a directory",)


def test_the_etag_changes_with_the_content_only(inbox, tmp_path):
    etags = []
    for content in ("[BTC]", "[ETH]", "[BTC]", "["):
        (tmp_path / "currencies.toml").write_text(content)
        etags.append(read_overrides(inbox)[1])
    assert etags[0] == etags[2]
    assert len({"", *etags}) == 4
