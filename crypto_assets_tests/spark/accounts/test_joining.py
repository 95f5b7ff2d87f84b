"""How accounts are numbered and joined with their customers: literal rows in, literal rows out."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from crypto_assets.spark.accounts import audit, transform
from crypto_assets.spark.accounts.tables import (
    CUSTOMER_ACCOUNTS,
    SILVER_ACCOUNTS,
    SILVER_CUSTOMERS,
    STORED,
)
from crypto_assets_tests.helpers.account_files import ONE, TWO
from crypto_assets_tests.spark.accounts.rows import frame_of, rows_of

NEW_YEAR = "2024-01-01T00:00:00.000Z"


def numbers(frame):
    return [
        (row["account_number"], row["customer_id"], row["type_of_account"])
        for row in rows_of(frame, "account_number")
    ]


def test_an_account_without_number_has_its_customers_id_and_its_type_for_one(accounts):
    second = "2020-06-01T00:00:00.000Z"
    found = transform.numbered_accounts(
        accounts(
            {"customer_id": "7", "type_of_account": "saving"},
            {"customer_id": "7", "type_of_account": "saving", "created_at": second},
            {"customer_id": "7", "type_of_account": "SAVING", "created_at": NEW_YEAR},
            {"customer_id": "7", "type_of_account": "legacy", "created_at": second},
            {"customer_id": "7", "account_number": ONE, "created_at": "2001-01-01T00:00:00Z"},
            {"customer_id": "8"},
            {"account_number": TWO},
            {"created_at": NEW_YEAR},
            {"customer_id": "x"},
        ),
        None,
    )
    assert numbers(found) == [
        (ONE, 7, "unknown"),
        (TWO, None, "unknown"),
        ("7legacy", 7, "checking"),
        ("7saving", 7, "saving"),
        ("7saving-1704067200000", 7, "saving"),
        ("7saving-undated", 7, "saving"),
        ("8unknown", 8, "unknown"),
    ]


def test_an_account_keeps_its_number_whatever_becomes_of_the_others_and_however_it_was_made(
    session, accounts
):
    first, second, third = (f"2020-0{month}-01T00:00:00.000Z" for month in (1, 2, 3))
    stored = frame_of(
        session,
        STORED.ddl,
        [
            {"account_number": number, "customer_id": 7, "type_of_account": kind, **times}
            for number, kind, times in (
                ("7legacy", "saving", {"created_at": at(first), "deleted_at": at(third)}),
                ("7legacy-2", "saving", {"created_at": at(second)}),
                ("7legacy-3", "checking", {}),
                ("7forex", "forex", {"created_at": at(first), "deleted_at": at(third)}),
                (ONE, "trading", {"created_at": at(first)}),
            )
        ],
    )
    found = transform.numbered_accounts(
        accounts(
            {"customer_id": "7", "type_of_account": "saving", "created_at": second},
            {"customer_id": "7", "type_of_account": "legacy"},
            {"customer_id": "7", "type_of_account": "saving", "created_at": third},
            {"customer_id": "7", "type_of_account": "forex", "created_at": second},
            {"customer_id": "7", "type_of_account": "trading", "created_at": first},
        ),
        stored,
    )
    assert numbers(found) == [
        ("7forex-1580515200000", 7, "forex"),
        ("7legacy-2", 7, "saving"),
        ("7legacy-3", 7, "checking"),
        ("7saving", 7, "saving"),
        ("7trading", 7, "trading"),
    ]


def at(text):
    return datetime.fromisoformat(text)


def test_identical_rows_collapse_whatever_their_spelling_and_others_are_told_by_line(
    customers, accounts
):
    people = customers(
        {"customer_id": "1", "state": "WA"},
        {"customer_id": "01", "state": "Washington"},
        {"customer_id": "2", "first_name": "Ann"},
        {"customer_id": "3"},
        {"customer_id": "2", "first_name": "Anna"},
    )
    owned = accounts(
        {"customer_id": "1", "account_number": ONE, "created_at": NEW_YEAR},
        {"customer_id": "1", "account_number": ONE.upper(), "created_at": "2024-01-01T00:00:00Z"},
        {"customer_id": "1", "account_number": TWO},
        {"account_number": TWO},
        {"customer_id": "1"},
        {"customer_id": "1", "created_at": NEW_YEAR},
    )
    distinct = rows_of(transform.distinct_customers(people), "customer_id", "first_name")
    assert [(row["customer_id"], row["first_name"]) for row in distinct] == [
        (1, "unknown"),
        (2, "Ann"),
        (2, "Anna"),
        (3, "unknown"),
    ]
    assert audit.distinct_rows(owned, transform.ACCOUNT) == 5
    assert rows_of(audit.conflicts(people, "customer_id", transform.CUSTOMER)) == [
        {"line": 6, "problem": "differs from line 4"}
    ]
    assert rows_of(audit.conflicts(owned, "account_number", transform.ACCOUNT)) == [
        {"line": 5, "problem": "differs from line 4"}
    ]


def test_accounts_get_their_customers_and_those_without_are_kept_as_unknown(session):
    customers = frame_of(
        session,
        SILVER_CUSTOMERS.ddl,
        [
            {
                "customer_id": 1,
                "first_name": "Seán",
                "last_name": "O'Brien",
                "gender": "Male",
                "state": "Washington, D.C.",
            },
            {"customer_id": 5, "first_name": "unknown", "last_name": "Li"},
        ],
    )
    time = datetime(2024, 2, 29, 13, 45, tzinfo=UTC)
    accounts = frame_of(
        session,
        SILVER_ACCOUNTS.ddl,
        [
            {"customer_id": 1, "account_number": "a", "type_of_account": "forex"},
            {"customer_id": 1, "account_number": "b", "created_at": time},
            {"customer_id": 9, "account_number": "c"},
            {"account_number": "d"},
        ],
    )
    found = rows_of(transform.customer_accounts(customers, accounts), "account_number")
    assert ", ".join(found[0]) == re.sub(r" \w+(,|$)", r"\1", CUSTOMER_ACCOUNTS.ddl)
    assert [tuple(row.values()) for row in found] == [
        (1, "Seán O'Brien", "Male", "Washington, D.C.", "a", "forex", None, None),
        (1, "Seán O'Brien", "Male", "Washington, D.C.", "b", None, time, 2024),
        (9, "unknown unknown", "unknown", "unknown", "c", None, None, None),
        (None, "unknown unknown", "unknown", "unknown", "d", None, None, None),
    ]
    assert rows_of(audit.owners(customers, accounts)) == [
        {"accounts": 4, "accounts_without_customer": 2, "customers_without_account": 1}
    ]
