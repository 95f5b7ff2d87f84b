"""Which currencies are late on a day: literal measures in, literal lateness out."""

from __future__ import annotations

from datetime import date

import pytest

from crypto_assets.resources.market_data.freshness import Late, last_price, late
from crypto_assets.resources.market_data.overrides import Overrides, parse_overrides

TODAY = date(2026, 3, 20)


def measured(day: str) -> dict[str, str]:
    return {"history/last_observed": day, "history/last_date": "2026-03-20"}


@pytest.mark.parametrize(
    ("last", "found"),
    [
        ("2026-03-13", []),
        ("2026-03-12", [Late("BTC", date(2026, 3, 12), 8, 7)]),
        ("2026-03-20", []),
        ("2026-03-21", []),  # a site in another time zone has a day more
    ],
)
def test_a_currency_is_late_once_its_last_price_is_older_than_seven_days(last, found):
    assert late({"BTC": measured(last)}, Overrides(), TODAY) == found


def test_each_currency_has_the_days_its_section_allows_and_the_most_overdue_comes_first():
    overrides = parse_overrides("[BTC]\nlate_after_days = 30\n[ETH]\nlate_after_days = 1\n")
    measures = {
        "BTC": measured("2026-02-17"),  # 31 days of 30
        "DOGE": measured("2026-03-10"),  # 10 days of 7
        "ETH": measured("2026-03-16"),  # 4 days of 1
        "SHIB": measured("2026-03-14"),
        "XMR": measured("2026-02-01"),
    }
    found = [
        (each.ticker, each.days, each.allowed_days) for each in late(measures, overrides, TODAY)
    ]
    assert found == [("XMR", 47, 7), ("DOGE", 10, 7), ("ETH", 4, 1), ("BTC", 31, 30)]


def test_a_currency_that_was_never_made_is_not_late():
    assert late({"BTC": {}}, Overrides(), TODAY) == []


def test_what_an_earlier_version_measured_has_the_day_of_the_last_row():
    assert last_price({"history/last_date": "2026-03-01"}) == date(2026, 3, 1)


@pytest.mark.parametrize("value", ["0", "-7", "7.5", '"a week"', "true"])
def test_an_allowance_is_a_number_of_days_from_1_on(value):
    overrides = parse_overrides(f"[BTC]\nlate_after_days = {value}\n")
    (problem,) = overrides.problems
    assert problem.startswith("currencies.toml line 2: [BTC] late_after_days: it must be ")
    assert overrides.late_after_days("BTC") is None


def test_an_allowance_is_no_choice_of_the_tables():
    overrides = parse_overrides("[BTC]\nlate_after_days = 30\nmissing = 'drop'\n")
    assert (overrides.late_after_days("BTC"), overrides.choices("BTC")) == (30, {"missing": "drop"})
