"""How customers and accounts are typed and cleaned: literal rows in, literal rows out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crypto_assets.spark.accounts import transform
from crypto_assets.spark.accounts.states import STATES
from crypto_assets.spark.accounts.tables import (
    SILVER_ACCOUNTS,
    SILVER_CUSTOMERS,
)
from crypto_assets_tests.helpers.account_files import ONE, TWO
from crypto_assets_tests.spark.accounts.rows import frame_of, rows_of

NEW_YEAR = "2024-01-01T00:00:00.000Z"

TIMES = {
    "2024-02-29T13:45:00.123Z": datetime(2024, 2, 29, 13, 45, 0, 123_000, UTC),
    "2024-02-29T13:45:00Z": datetime(2024, 2, 29, 13, 45, tzinfo=UTC),
    "1969-12-31T23:59:59.999Z": datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC),
    "1900-01-01T00:00:00.000Z": datetime(1900, 1, 1, tzinfo=UTC),
    "2100-12-31T23:59:59.999Z": datetime(2100, 12, 31, 23, 59, 59, 999_000, UTC),
}
NO_TIMES = [
    "2024-02-30T00:00:00.000Z",
    "2023-02-29T00:00:00.000Z",
    "2024-04-31T00:00:00.000Z",
    "2024-13-01T00:00:00.000Z",
    "2024-00-10T00:00:00.000Z",
    "20240101-01-01T00:00:00.000Z",
    "20240101T000000Z",
    "12024-01-01T00:00:00.000Z",
    "+2024-01-01T00:00:00.000Z",
    "0000-01-01T00:00:00.000Z",
    "1899-12-31T23:59:59.999Z",
    "2101-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
    "2024-01-01T24:00:00.000Z",
    "2024-01-01T25:00:00.000Z",
    "2024-01-01T23:60:00.000Z",
    "2024-01-01T23:59:60.000Z",
    "2024-01-01T00:00:00.000",
    "2024-01-01T00:00:00.000+01:00",
    "2024-01-01T00:00:00.000000Z",
    "2024-01-01T00:00:00.Z",
    "2024-01-01T00:00Z",
    "2024-01-01 00:00:00.000Z",
    "2024-01-01",
    "1704067200",
    "01/02/2024",
    "٢٠٢٤-01-01T00:00:00.000Z",
    "yesterday",
]


@pytest.fixture
def elsewhere(session):
    """A session whose time zone is not UTC."""
    session.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    yield
    session.conf.set("spark.sql.session.timeZone", "UTC")


def test_a_customer_is_typed_and_keeps_its_names_as_given(customers):
    (found,) = rows_of(
        customers(
            {
                "customer_id": "0042",
                "first_name": "José",
                "last_name": "O'Brien, Jr.\nde Souza",
                "gender": "Polygender",
                "state": "wa",
            }
        )
    )
    assert found == {
        "line": 2,
        "problem": None,
        "dropped": None,
        "customer_id": 42,
        "first_name": "José",
        "last_name": "O'Brien, Jr.\nde Souza",
        "gender": "Polygender",
        "state": "Washington",
    }


def test_what_a_customer_does_not_say_is_unknown(customers):
    (found,) = rows_of(customers({"customer_id": "1"}))
    assert (
        found.items()
        >= dict.fromkeys(("first_name", "last_name", "gender", "state"), "unknown").items()
    )


def test_a_state_becomes_its_full_name_by_any_accepted_spelling_and_else_unknown(customers):
    spellings = {
        "Washington": "Washington",
        "WASHINGTON": "Washington",
        "WA": "Washington",
        "wA": "Washington",
        "Washington, D.C.": "Washington, D.C.",
        "washington dc": "Washington, D.C.",
        "District of  Columbia": "Washington, D.C.",
        "D.C.": "Washington, D.C.",
        "dc": "Washington, D.C.",
        "New\u00a0Jersey": "New Jersey",
        "new \n jersey": "New Jersey",
        "New Jerse": "unknown",
        "W A": "unknown",
        "Puerto Rico": "unknown",
        "Bayern": "unknown",
        **{letters.lower(): name for letters, name in STATES.items()},
        **{name.upper(): name for name in STATES.values()},
    }
    found = customers(*({"customer_id": "1", "state": spelling} for spelling in spellings))
    assert [row["state"] for row in rows_of(found, "line")] == list(spellings.values())


def test_a_customer_id_that_is_no_int_is_refused_and_one_that_is_missing_drops_the_row(customers):
    ids = {
        "7": 7,
        "-7": -7,
        "007": 7,
        "2147483647": 2147483647,
        "2147483648": None,
        "99999999999999999999": None,
        "12.0": None,
        "1,024": None,
        "+7": None,
        "1e3": None,
        "7 8": None,
        "\u0667": None,  # a digit, in Arabic
        "Smith": None,
    }
    found = rows_of(customers(*({"customer_id": text} for text in ids)), "line")
    assert [row["customer_id"] for row in found] == list(ids.values())
    for row in found:
        assert (row["problem"] is None) == (row["customer_id"] is not None)
        assert "Smith" not in (row["problem"] or "")
        assert row["dropped"] is None
    (missing,) = rows_of(customers({"first_name": "Ann"}))
    assert (missing["problem"], missing["dropped"]) == (None, "no customer_id")


def test_a_time_is_read_to_the_millisecond_whatever_the_sessions_time_zone_is(accounts, elsewhere):
    checked = accounts(
        *({"account_number": ONE, "created_at": text} for text in [*TIMES, *NO_TIMES, None])
    )
    found = rows_of(checked, "line")
    good, bad, missing = found[: len(TIMES)], found[len(TIMES) : -1], found[-1]
    assert [row["created_at"] for row in good] == list(TIMES.values())
    assert {row["problem"] for row in [*good, missing]} == {None}
    assert missing["created_at"] is None
    for row, text in zip(bad, NO_TIMES, strict=True):
        assert row["created_at"] is None
        assert row["problem"].startswith(f"created_at '{text[:40]}' is no time like ")


def test_an_accounts_year_is_that_of_utc_whatever_the_sessions_time_zone_is(session, elsewhere):
    customers = frame_of(session, SILVER_CUSTOMERS.ddl, [])
    accounts = frame_of(
        session,
        SILVER_ACCOUNTS.ddl,
        [{"account_number": text, "created_at": time} for text, time in TIMES.items()],
    )
    found = transform.customer_accounts(customers, accounts)
    assert {row["account_number"]: row["created_at_year"] for row in rows_of(found)} == {
        text: int(text[:4]) for text in TIMES
    }


def test_account_numbers_and_types_are_lower_case_and_legacy_becomes_checking(accounts):
    rows = [
        {"account_number": ONE.upper(), "type_of_account": "Forex"},
        {"account_number": TWO, "type_of_account": "LEGACY"},
        {"customer_id": "3", "type_of_account": "Crypto"},
        {"customer_id": "4"},
    ]
    found = rows_of(accounts(*rows), "line")
    assert [(row["account_number"], row["type_of_account"]) for row in found] == [
        (ONE, "forex"),
        (TWO, "checking"),
        (None, "crypto"),
        (None, "unknown"),
    ]
    assert {(row["problem"], row["dropped"]) for row in found} == {(None, None)}


def test_an_account_number_that_is_no_uuid_is_refused(accounts):
    bad = [ONE.replace("-", ""), f"{{{ONE}}}", ONE[:-1], f"{ONE}0", "12345", "5legacy", f"x{ONE}"]
    found = rows_of(accounts(*({"account_number": number} for number in bad)), "line")
    assert [row["problem"] for row in found] == [
        f"account_number '{number[:40]}' is no UUID" for number in bad
    ]


def test_a_row_without_owner_and_number_is_dropped_and_one_with_either_is_kept(accounts):
    found = rows_of(
        accounts({"created_at": NEW_YEAR}, {"customer_id": "1"}, {"account_number": ONE}), "line"
    )
    assert [row["dropped"] for row in found] == [
        "neither customer_id nor account_number",
        None,
        None,
    ]


def test_what_bronze_says_of_a_line_comes_before_what_is_wrong_with_its_cells(accounts):
    (found,) = rows_of(accounts({"customer_id": "x", "problem": "5 cells, 4 are wanted"}))
    assert found["problem"] == "5 cells, 4 are wanted"
