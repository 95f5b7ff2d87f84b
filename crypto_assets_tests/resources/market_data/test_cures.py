"""Cures in the words of the command become lines of `currencies.toml`."""

from __future__ import annotations

import pytest

from crypto_assets.resources.market_data.cures import as_arguments, as_settings, with_places
from crypto_assets.resources.market_data.overrides import parse_overrides
from crypto_assets.spark.exports.refusals import REASONS

PLACE = "/inbox/currencies.toml"


@pytest.mark.parametrize(
    ("cure", "line"),
    [
        ("say it with --price COLUMN, its name", 'say it with price = "COLUMN", its name'),
        ("say --duplicates first|last", 'say duplicates = "first" or "last"'),
        ("say --accept-outliers if this is real", "say accept_outliers = true if this is real"),
        ("say --day next if it is", 'say day = "next" if it is'),
        ("add it with --trend FILE", 'add it with trend = "a/b \\"c\\".csv"'),
    ],
)
def test_an_option_becomes_the_line_that_says_the_same(cure, line):
    assert as_settings(cure, PLACE, "BTC", 'a/b "c".csv') == f"{line} (in {PLACE}, below [BTC])"


@pytest.mark.parametrize(
    ("cure", "argument"),
    [
        ("say it with --price COLUMN, its name", 'say it with price="COLUMN", its name'),
        ("say which with --term NUMBER", "say which with term=NUMBER"),
        ("say --duplicates first|last", 'say duplicates="first" or duplicates="last"'),
        ("say --accept-outliers if this is real", "say accept_outliers=True if this is real"),
        ("add it with --trend FILE, or download it", 'say kind="trend", or download it'),
    ],
)
def test_an_option_becomes_the_argument_that_says_the_same(cure, argument):
    assert as_arguments(cure) == argument


def test_a_reason_without_an_option_stays_as_it_is():
    assert as_settings("download it again", PLACE, None, "a.csv") == "download it again"
    assert with_places("download it again", PLACE, "BTC") == "download it again"


def test_a_runs_problem_names_the_command_and_the_line():
    problem = "not certain; say --decimal dot|comma"
    assert with_places(problem, PLACE, "BTC") == (
        f'{problem} (with `crypto-assets add`, or decimal = "dot" or "comma" below [BTC] in '
        f"{PLACE})"
    )


def test_no_option_of_a_reason_is_left_for_people_who_cannot_give_it():
    for reason in REASONS.values():
        if "{option}" not in reason.cure:
            assert "--" not in as_settings(reason.cure, PLACE, "BTC", "a.csv")
            assert "--" not in as_arguments(reason.cure)


def test_the_lines_are_taken_by_the_file():
    said = as_settings("--price X --term Y --day next --accept-outliers", "", "BTC", "a.csv")
    lines = said.partition(" (in")[0].replace("true", "true\n").replace('" ', '"\n')
    assert parse_overrides("[BTC]\n" + lines).problems == ()
