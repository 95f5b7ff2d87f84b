"""Bronze of the customer accounts: what the engine writes, and what its audit lets pass."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crypto_assets.spark.accounts.bronze import (
    BRONZE,
    bronze,
    bronze_measures,
    bronze_problems,
)
from crypto_assets.spark.accounts.tables import BRONZE_ACCOUNTS, BRONZE_CUSTOMERS
from crypto_assets.spark.storage import read
from crypto_assets_tests.helpers.account_files import NAME
from crypto_assets_tests.spark.accounts.rows import snapshot_of, stage_bronze
from sample_data.accounts import write_snapshots

CUSTOMERS = "customer_id,first_name,last_name,gender,state\n"
ACCOUNTS = "customer_id,account_number,type_of_account,created_at\n"
GOOD = (
    CUSTOMERS + '1,José,"O\'Brien",m,"Washington, D.C."\n',
    ACCOUNTS + "1,,legacy,2020-01-02T03:04:05.678Z\n",
)


def rows(session, spec, table):
    frame = read(session, spec.staging, table).orderBy("line")
    return [tuple(row.values()) for row in frame.toArrow().to_pylist()]


def problem(session, spec):
    (problem,) = stage_bronze(session, spec).problems
    assert "\n" not in problem
    return problem


def test_both_tables_are_written_with_a_row_for_the_file(session, spec):
    snapshot = spec(*GOOD)
    verdict = stage_bronze(session, snapshot)
    assert (verdict.partition, verdict.layer) == (NAME, "accounts_bronze")
    assert verdict.passed
    file, row = rows(session, snapshot, BRONZE_CUSTOMERS)
    assert row == (2, "1", "José", "O'Brien", "m", "Washington, D.C.", None, None, NAME)
    assert file[:7] == (0, *[None] * 6)
    assert json.loads(file[7])["rows"] == 1
    _, row = rows(session, snapshot, BRONZE_ACCOUNTS)
    assert row == (2, "1", None, "legacy", "2020-01-02T03:04:05.678Z", None, None, NAME)


def test_the_verdict_counts_every_line_of_each_file(session, spec):
    customers = f'{CUSTOMERS}1,"a\nb",c,d,e\n\n2,a,b,c,d\n,,,,\n7,a,b,c,d\n'
    accounts = ACCOUNTS + "7,,saving,\n2,,,\n7,,forex,\n"
    verdict = stage_bronze(session, spec(customers, accounts, forgotten=(7,)))
    counts = ("lines", "header", "rows", "blank", "forgotten", "continued", "bad")
    measures = {
        kind: [measure[count] for count in counts] for kind, measure in verdict.measures.items()
    }
    assert measures == {"customers": [7, 1, 2, 2, 1, 1, 0], "accounts": [4, 1, 1, 0, 2, 0, 0]}
    assert verdict.measures["customers"]["file"] == "customers.csv"
    assert verdict.passed
    json.dumps(verdict.measures)


def test_a_file_of_many_chunks_is_one_file_with_its_rows_in_order(session, spec):
    accounts = ACCOUNTS + "".join(f"{number},,saving,\n" for number in range(40_000))
    snapshot = spec(GOOD[0], accounts)
    assert stage_bronze(session, snapshot).passed
    folder = f"{snapshot.staging}/{BRONZE_ACCOUNTS.path}/snapshot={NAME}"
    (file,) = Path(folder).glob("*.parquet")
    assert pq.ParquetFile(file).read()["line"].to_pylist() == [*range(2, 40_002), 0]


def test_up_to_ten_bad_rows_are_shown_with_their_lines_and_all_are_counted(session, spec):
    customers = CUSTOMERS + "1,a,b,c,d\n" + "2,a,b\n" * 12
    shown = problem(session, spec(customers, GOOD[1]))
    assert shown.startswith("customers.csv: line 3: 3 cells where the header has 5; line 4: ")
    assert shown.endswith("line 12: 3 cells where the header has 5; and 2 more")


@pytest.mark.parametrize(
    ("customers", "accounts", "messages"),
    [
        ("", ACCOUNTS, ["the file is empty", "there is no row below the header"]),
        (*reversed(GOOD), ["line 1: this is a file of accounts", "this is a file of customers"]),
        (GOOD[0] + '2,"a,b\n', GOOD[1].encode() + b"\xe9", ["line 3: a quote opens", "no UTF-8"]),
    ],
)
def test_a_file_that_cannot_be_read_fails_the_snapshot_with_its_reason(
    session, spec, customers, accounts, messages
):
    problems = stage_bronze(session, spec(customers, accounts)).problems
    for name, problem, message in zip(("customers", "accounts"), problems, messages, strict=True):
        assert problem.startswith(f"{name}.csv: ")
        assert message in problem


def test_a_file_refused_at_its_end_fails_though_rows_were_read_before(session, spec):
    accounts = (ACCOUNTS + "1,,saving,\n" * 20_000).encode() + b"\xff\n"
    assert "accounts.csv: line 20002: bytes there are no UTF-8" in problem(
        session, spec(GOOD[0], accounts)
    )


def test_content_that_is_not_what_was_uploaded_is_not_taken(session, spec, tmp_path):
    snapshot = spec(*GOOD)
    (tmp_path / "accounts.csv").write_text(GOOD[1].replace("1,", "2,"))
    assert "accounts.csv: what is stored of this upload is not what was uploaded" in problem(
        session, snapshot
    )


def test_an_upload_that_is_gone_fails_the_snapshot(session, spec, tmp_path):
    snapshot = spec(*GOOD)
    (tmp_path / "customers.csv").unlink()
    assert "customers.csv: the upload cannot be read" in problem(session, snapshot)


def test_a_lake_that_lost_or_doubled_rows_does_not_pass(session, spec):
    snapshot = spec(GOOD[0] + "2,a,b,c,d\n3,a,b,c,d\n", GOOD[1])
    upload = snapshot_of(snapshot).files["customers"]
    frame = bronze(session, snapshot_of(snapshot), "customers")
    damaged = {
        "2 rows for a file of 3": frame.where("line <> 3"),
        "6 rows for a file of 3": frame.unionByName(frame.where("line > 0")),
        "returned 0 results": frame.where("line > 0"),
        "returned 2 results": frame.unionByName(frame),
    }
    for message, broken in damaged.items():
        found = list(bronze_problems(bronze_measures(broken), upload))
        assert len(found) == 1
        assert message in found[0]


def test_lines_that_are_not_accounted_for_and_another_file_do_not_pass(session, spec):
    snapshot = spec(*GOOD)
    measured = bronze_measures(bronze(session, snapshot_of(snapshot), "accounts"))
    assert not list(bronze_problems(measured, snapshot_of(snapshot).files["accounts"]))
    measured["facts"] |= {"lines": 9}
    found = list(bronze_problems(measured, snapshot_of(snapshot).files["customers"]))
    assert "its 9 lines are not all accounted for: 1 header, 1 rows, 0 blank" in found[0]
    assert "another file's content" in found[1]


def test_three_snapshots_with_every_oddity_are_read_whole(session, spec, tmp_path):
    for written in write_snapshots(tmp_path / "bank", 40, 80, seed=3):
        snapshot = spec(written.customers, written.accounts, name=written.name)
        verdict = stage_bronze(session, snapshot)
        assert verdict.passed
        for kind in BRONZE:
            measures = verdict.measures[kind]
            assert measures["rows"] == written.counts[f"{kind}_rows"]
            assert measures["blank"] == written.counts[f"{kind}_blank"]
