"""The profile of a snapshot: literal files in, literal counts out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from crypto_assets.spark.accounts.profile import nearest, profile
from crypto_assets.spark.accounts.states import SPELLINGS, STATES, full_name
from crypto_assets_tests.spark.accounts.rows import snapshot_of, stage_bronze

CUSTOMERS = """customer_id,first_name,last_name,gender,state
1,Ann,Lee,female,New Jersey
1,Ann,Lee,female,New Jersey
1,Ann,Lee,female,New Jersey
2,Bob,,male,nj

3,,,,New Jerse
4,Dan,Ray,male,New Jerse
5,Eve,Kim,,Xyzzy
,Fay,Poe,female,"Washington, D.C."
"""
ACCOUNTS = """customer_id,account_number,type_of_account,created_at
1,,legacy,2020-01-02T03:04:05.678Z
2,,Saving,2020-12-31T23:59:59.999Z
2,6f9619ff-8b86-d011-b42d-00c04fc964ff,saving,
2,6f9619ff-8b86-d011-b42d-00c04fc964ff,saving,
,7f9619ff-8b86-d011-b42d-00c04fc964ff,,1969-07-20T20:17:40.000Z
"""


@pytest.fixture
def profiled(session, spec):
    def compute(customers, accounts):
        snapshot = spec(customers, accounts)
        stage_bronze(session, snapshot)
        found = profile(session, snapshot, snapshot_of(snapshot))
        json.dumps(found)
        return found

    return compute


def test_a_profile_counts_what_the_files_hold_before_anything_is_mended(profiled):
    assert profiled(CUSTOMERS, ACCOUNTS) == {
        "customers": {
            "rows": 8,
            "duplicates": 2,
            "nulls": {
                "customer_id": 0.125,
                "first_name": 0.125,
                "last_name": 0.25,
                "gender": 0.25,
                "state": 0.0,
            },
            "states": {"New Jersey": 4, "unknown": 3, "Washington, D.C.": 1},
            "genders": {"female": 4, "male": 2, "unknown": 2},
            "misspelt_rows": 3,
            "misspelt_states": 2,
            "misspelt": [
                {"state": "New Jerse", "rows": 2, "nearest": "New Jersey"},
                {"state": "Xyzzy", "rows": 1, "nearest": None},
            ],
        },
        "accounts": {
            "rows": 5,
            "duplicates": 1,
            "nulls": {
                "customer_id": 0.2,
                "account_number": 0.4,
                "type_of_account": 0.2,
                "created_at": 0.4,
            },
            "legacy_share": 0.4,
            "types": {"saving": 3, "legacy": 1, "unknown": 1},
            "years": {"1969": 1, "2020": 2, "unknown": 2},
        },
    }


def test_a_profile_stays_small_whatever_the_files_hold(profiled):
    customers = CUSTOMERS + "".join(f"{n},a,b,g{n},Uta{n}{'x' * 500}\n" for n in range(3000))
    accounts = ACCOUNTS + "".join(f"{n},,t{n},{n:04}-01-01\n" for n in range(3000))
    found = profiled(customers, accounts)
    people, money = found["customers"], found["accounts"]
    assert len(people["misspelt"]) == 50
    assert people["misspelt"][0] == {"state": "New Jerse", "rows": 2, "nearest": "New Jersey"}
    assert (people["misspelt_states"], people["misspelt_rows"]) == (3002, 3003)
    assert people["genders"]["female"] == 4
    for counts, rows in ((people["genders"], 3008), (money["types"], 3005), (money["years"], 3005)):
        assert len(counts) == 51
        assert sum(counts.values()) == rows
    assert len(json.dumps(found)) < 20_000


def test_files_whose_rows_are_all_forgotten_have_an_empty_profile(session, spec):
    customers = "customer_id,first_name,last_name,gender,state\n1,Ann,Lee,female,Utah\n"
    accounts = "customer_id,account_number,type_of_account,created_at\n1,,legacy,\n"
    snapshot = spec(customers, accounts, forgotten=(1,))
    assert stage_bronze(session, snapshot).passed
    found = profile(session, snapshot, snapshot_of(snapshot))
    assert (found["customers"]["rows"], found["accounts"]["rows"]) == (0, 0)
    assert found["accounts"]["legacy_share"] == 0


def test_a_published_snapshot_is_profiled_among_others(session, spec, tmp_path):
    for name, files in {"A": (CUSTOMERS, ACCOUNTS), "B": (CUSTOMERS + "9,,,,\n", ACCOUNTS)}.items():
        stage_bronze(session, spec(*files, name=name))
        shutil.copytree(tmp_path / "staging", tmp_path / "lake", dirs_exist_ok=True)
    published = spec(CUSTOMERS, ACCOUNTS, name="B", layers=("accounts_silver",))
    shutil.rmtree(published.staging)
    assert len(list(Path(published.lake).rglob("*.parquet"))) == 4
    assert profile(session, published, snapshot_of(published))["customers"]["rows"] == 9


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("NEW JERSE", "New Jersey"),
        ("Californa", "California"),
        ("Wshington DC", "Washington, D.C."),
        ("Texs", "Texas"),
        ("?", None),
    ],
)
def test_the_nearest_state_is_guessed_from_its_spelling(text, state):
    assert nearest(text) == state


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("WA", "Washington"),
        ("wa", "Washington"),
        ("washington", "Washington"),
        ("Washington, D.C.", "Washington, D.C."),
        ("washington  dc", "Washington, D.C."),
        ("D.C.", "Washington, D.C."),
        ("District of Columbia", "Washington, D.C."),
        ("dc", "Washington, D.C."),
        (" north\tCAROLINA ", "North Carolina"),
        ("New Jerse", None),
        ("", None),
        (None, None),
    ],
)
def test_states_are_known_by_name_and_letters_in_any_case(text, state):
    assert full_name(text) == state


def test_there_are_fifty_states_and_a_district():
    assert len(STATES) == len(set(STATES.values())) == 51
    assert set(SPELLINGS.values()) == set(STATES.values())
