"""`currencies.toml` of ten thousand currencies, and one that is beyond all measure."""

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

KNOWN = (
    "there are history, trend, names, max_shrink, late_after_days, missing, dates, decimal, "
    "price, term, day, duplicates, accept_outliers"
)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(objects=LocalObjects(root=str(tmp_path)))


def test_ten_thousand_sections_are_all_read(inbox, tmp_path):
    sections = "".join(
        f'[T{n}]\nhistory = "some/folder/of currency {n}/prices *.csv"\nmissing = "drop"\n'
        "# a comment that says why this currency is dealt with in this way\n"
        for n in range(10_000)
    )
    (tmp_path / "currencies.toml").write_text(sections)
    overrides, _ = read_overrides(inbox)
    assert overrides.problems == ()
    assert len(overrides.sections) == 10_000
    assert overrides.claims("some/folder/of currency 77/prices 1.csv") == [("T77", "history")]


def test_ten_thousand_faults_are_all_reported_each_with_its_line():
    text = "".join(f"[T{n}]\nwhy = {n}\nmissing = 1\n" for n in range(10_000))
    found = parse_overrides(text).problems
    assert len(found) == 20_000
    assert found[-2:] == (
        "currencies.toml line 30000: [T9999] missing: it must be 'fill' or 'drop', not '1'",
        f"currencies.toml line 29999: [T9999] why: there is no such setting: {KNOWN}",
    )


def test_ten_thousand_currencies_with_every_setting_are_read(inbox, tmp_path):
    sections = "".join(
        f'[COIN{n:06}]\nhistory = "kraken/2024/coin {n:06}/Coin {n:06} Historical Data.csv"\n'
        f'trend = "google/2024/coin {n:06}/multiTimeline.csv"\nnames = ["coin number {n}"]\n'
        'missing = "drop"\ndates = "dmy"\ndecimal = "comma"\nprice = "Closing Price (USD)"\n'
        f'term = "coin {n}: (Worldwide)"\nday = "stated"\nduplicates = "first"\n'
        "accept_outliers = true\nmax_shrink = 0.5\nlate_after_days = 30\n"
        for n in range(10_000)
    )
    (tmp_path / "currencies.toml").write_text(sections)
    overrides, _ = read_overrides(inbox)
    assert (overrides.problems, len(overrides.sections)) == ((), 10_000)
    no_choices = {"history", "trend", "late_after_days"}
    assert set(overrides.choices("COIN000001")) | no_choices == set(Override.model_fields)


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * 250_000) + " = 1",
        " . ".join(["a"] * 250_000) + " = 1",
        ".".join(['"a"', "'b'"] * 121_000) + " = 1",
        "[" + ".".join(["a"] * 250_000) + "]",
        "x = {" + ".".join(["a"] * 250_000) + " = 1}",
    ],
    ids=["dotted", "spaced", "quoted", "heading", "inline"],
)
def test_names_nested_without_end_are_refused_before_they_are_parsed(text):
    assert parse_overrides(f"[BTC]\n{text}\n").problems == (
        "currencies.toml line 2: too many names within each other",
    )


@pytest.mark.parametrize(
    "line", ["history = 'a.b.c.d.e.f.csv'", 'trend = """a.b.c.d.e.f"""', "# a.b.c.d.e.f = 1"]
)
def test_dots_in_patterns_and_comments_are_no_nesting(line):
    assert parse_overrides(f"[BTC]\n{line}\n").problems == ()


def test_a_hundred_thousand_sections_without_a_heading_are_each_looked_up_at_once():
    found = parse_overrides("".join(f"t{n}.a.b = 1\n" for n in range(100_000))).problems
    assert len(found) == 100_000
    assert found[-1].startswith("currencies.toml line 100000: [t99999] a: there is no such setting")


def test_a_file_beyond_all_measure_is_a_problem_and_not_cut_short(inbox, tmp_path):
    (tmp_path / "currencies.toml").write_text("[BTC]\n" * (3 << 18))
    assert read_overrides(inbox)[0] == Overrides(
        problems=("currencies.toml: it is larger than 4 MB",)
    )
