"""The job from two uploads to the changes for the store: every row, verdict and measure of it.

One job, for every engine; what else becomes of snapshots is `test_job_cases`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from crypto_assets.spark.accounts.data_set import ACCOUNTS as DATA_SET
from crypto_assets.spark.accounts.tables import CHANGES, CUSTOMER_ACCOUNTS, STORED
from crypto_assets_tests.helpers.account_files import ACCOUNTS, CUSTOMERS, ONE, TWO
from crypto_assets_tests.spark.accounts.rows import published_rows


def test_a_snapshot_goes_from_its_uploads_to_the_changes_for_the_store(spec, run, tmp_path):
    snapshot = spec(CUSTOMERS, ACCOUNTS, tuple(DATA_SET.layers))
    verdicts = run(snapshot)
    assert [problem for verdict in verdicts.values() for problem in verdict.problems] == []
    assert list(verdicts) == list(DATA_SET.layers)
    found = published_rows(tmp_path / "staging", CUSTOMER_ACCOUNTS)
    jose, sean, nobody = "José García, Jr.", "Seán O'Brien", "unknown unknown"
    assert [tuple(row.values())[:6] for row in found] == [
        (9, nobody, "unknown", "unknown", ONE, "trading"),
        (3, jose, "Male", "Washington, D.C.", TWO, "saving"),
        (1, sean, "unknown", "Washington", "1legacy", "checking"),
        (1, sean, "unknown", "Washington", "1legacy-1588291200000", "checking"),
        (1, sean, "unknown", "Washington", "1unknown", "unknown"),
    ]
    assert [(row["created_at"], row["created_at_year"]) for row in found] == [
        (datetime(2020, 1, 1, tzinfo=UTC), 2020),
        (datetime(2020, 12, 31, 23, 59, 59, 999_000, UTC), 2020),
        (datetime(2019, 5, 1, tzinfo=UTC), 2019),
        (datetime(2020, 5, 1, tzinfo=UTC), 2020),
        (None, None),
    ]
    items = [
        {
            **row,
            "created_at_year": row["created_at_year"] or 0,
            "deleted_at": None,
            "snapshot": snapshot.partitions[0].name,
        }
        for row in found
    ]
    assert published_rows(tmp_path / "staging", STORED) == items
    assert published_rows(tmp_path / "staging", CHANGES) == [
        {"operation": "insert", "previous_year": None, **item} for item in items
    ]
    profile = verdicts["accounts_silver"].measures.pop("profile")
    assert (profile["customers"]["rows"], profile["accounts"]["rows"]) == (5, 6)
    assert verdicts["accounts_silver"].measures == {
        "customers": {
            "lines": 5,
            "rows": 3,
            "duplicates": 1,
            "dropped": 1,
            "dropped_lines": ["line 8: no customer_id"],
            "unknown_first_name": 0,
            "unknown_last_name": 0,
            "unknown_gender": 1,
            "unknown_state": 1,
        },
        "accounts": {
            "lines": 6,
            "rows": 5,
            "duplicates": 0,
            "dropped": 1,
            "dropped_lines": ["line 7: neither customer_id nor account_number"],
            "unknown_type_of_account": 1,
            "unlisted_type_of_account": 0,
            "no_customer_id": 0,
            "no_created_at": 1,
        },
    }
    assert verdicts["customer_accounts"].measures == {
        "rows": 5,
        "years": {
            "unknown": {"files": 1, "rows": 1},
            "2019": {"files": 1, "rows": 1},
            "2020": {"files": 1, "rows": 3},
        },
        "accounts_without_customer": 1,
        "customers_without_account": 1,
        "legacy": 3,
    }
    assert verdicts["customer_account_store"].measures == {
        "inserted": 5,
        "changed": 0,
        "deleted": 0,
        "restored": 0,
        "unchanged": 0,
        "live_before": 0,
        "examples": {
            "inserted": [ONE, TWO, "1legacy", "1legacy-1588291200000", "1unknown"],
            "changed": [],
            "deleted": [],
            "restored": [],
        },
    }
