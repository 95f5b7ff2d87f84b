"""Faults under profile `aws`, one by one: what is in the tables afterwards, and what is reported.

Every test also looks through all that was written for secrets when it is done.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.errors import UsageError
from crypto_assets_tests.helpers.cloud import Cloud, hasten, settings_of
from crypto_assets_tests.helpers.emr_scene import hurry
from crypto_assets_tests.helpers.waiting import HANG_S, until

SECRET, TOKEN = "made-up-secret-of-the-faults", "made-up-session-token"
LEAKS = (SECRET, TOKEN, "X-Amz-Signature", "X-Amz-Security-Token")
OLD, NEW = (41, 100.0), (41, 200.0)  # rows and lowest price of files at level 100 and 200
WITHOUT_END = 10**6
PUBLISHED, NONE = ["published"] * 4, ["none"] * 4
START = {"method": "POST", "path": ".*/jobruns"}
COMMAND = """
import pytest
from crypto_assets.cli import main
from crypto_assets_tests.helpers.cloud import hasten
hasten(pytest.MonkeyPatch())
main()
"""


@pytest.fixture
def settings(cloud, home, monkeypatch):
    """Profile `aws`; whatever the test does leaves no secret anywhere."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    hasten(monkeypatch)
    hurry(monkeypatch)
    settings = settings_of(cloud, home, monkeypatch)
    yield settings
    cloud.router.forget()
    assert leaks(cloud, home) == []


def leaks(cloud: Cloud, home: Path) -> list[tuple[str, str]]:
    """Where a secret or a signature is to be read: on this machine, on S3, in job specs and SQL."""
    texts = {
        str(path): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and "artifacts" not in path.parts
    }
    for key in cloud.keys(""):
        if "/_artifacts/" in key:
            continue
        found = cloud.s3.get_object(Bucket=cloud.bucket, Key=key)
        texts[key] = found["Body"].read() + repr(found["Metadata"]).encode()
    for job in cloud.jobs.jobs.values():
        texts[f"job {job.id}"] = json.dumps(job.request).encode() + job.output.encode()
    for statement in cloud.redshift.statements.values():
        texts[f"SQL {statement.id}"] = repr(statement.parts).encode()
    return [(name, leak) for name, text in texts.items() for leak in LEAKS if leak.encode() in text]


def states(run, *tickers: str) -> dict[str, list[str]]:
    documents = json.loads(run("status", *tickers, "--json")[1])["currencies"]
    return {d["ticker"]: [layer["state"] for layer in d["layers"].values()] for d in documents}


def loaded(settings) -> dict[str, tuple[int, float]]:
    """By ticker: rows and lowest price in the warehouse."""
    query = "SELECT ticker, count(*), min(price) FROM market_data.prices GROUP BY ticker"
    try:
        return {
            ticker: (rows, low) for ticker, rows, low in wiring.warehouse(settings).query(query)[1]
        }
    except UsageError:
        return {}


def tables(cloud: Cloud) -> dict[str, str]:
    """The ETag of each published file."""
    keys = [key for key in cloud.keys("lake/") if key.endswith("/data.parquet")]
    return {
        key.removeprefix("lake/"): cloud.s3.head_object(Bucket=cloud.bucket, Key=key)["ETag"]
        for key in keys
    }


def replaced(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables, and the tickers in them, whose files are others than before."""
    changed = [key for key in after if before.get(key) != after[key]]
    return sorted(re.sub("/data.parquet$|kind=|ticker=", "", key) for key in changed)


def job_states(cloud: Cloud) -> list[str]:
    return [job.state for job in cloud.jobs.jobs.values()]


def lines(out: str) -> list[list[str]]:
    return [line.split()[:2] for line in out.splitlines()]


def assert_done(cloud, settings, run, jobs: int, **expected: tuple[int, float]) -> None:
    """All tickers are published everywhere with these rows, by that many jobs, with no rest.

    Six files each: bronze and silver of both kinds, gold, and gold as Redshift loads it.
    """
    assert loaded(settings) == expected
    assert states(run) == dict.fromkeys(expected, PUBLISHED)
    assert len(tables(cloud)) == 6 * len(expected)
    assert cloud.keys("lake/_staging") == cloud.keys("lake/_jobs") == []
    assert len(cloud.jobs.jobs) == jobs


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, which does not live longer than the block."""
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        env={**os.environ, "DAGSTER_HOME": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_job_of_a_process_that_was_killed_is_adopted_by_the_next_run(
    run, add, cloud, settings, home
):
    add("BTC")
    looked = cloud.router.hold("emr-serverless", method="GET", path=".*/jobruns/.*")
    with started("materialize", "BTC") as process:
        until("a job that is recorded", lambda: looked.times == 0, by=process)
        process.kill()
    looked.release.set()
    assert (loaded(settings), tables(cloud)) == ({}, {})
    code, out, err = run("materialize", "BTC")
    assert (code, lines(out)) == (0, [["BTC", "ok"]]), err
    assert cloud.router.count("emr-serverless", **START) == 1
    assert_done(cloud, settings, run, 1, BTC=OLD)


def test_a_start_whose_answer_is_lost_gives_the_same_job(run, add, cloud, settings):
    add("BTC")
    cloud.router.fail("emr-serverless", 2, drop="after", **START)
    assert run("materialize", "BTC")[0] == 0
    assert cloud.router.count("emr-serverless", **START) == 3
    assert_done(cloud, settings, run, 1, BTC=OLD)


def test_a_storm_of_throttling_is_waited_out(run, add, cloud, settings):
    add("BTC")
    limits = [
        cloud.router.fail("emr-serverless", 12, status=429, code="ThrottlingException", **START),
        cloud.router.fail(
            "emr-serverless", 5, status=429, code="ThrottlingException", method="GET"
        ),
        *(
            cloud.router.fail("s3", 5, status=503, code="SlowDown", method=method, path=path)
            for method in ("GET", "PUT")
            for path in (".*/_manifests/.*", ".*/_jobs/.*", ".*/lake/[bsgl].*", f"/{cloud.bucket}")
        ),
    ]
    code, out, err = run("materialize", "BTC")
    assert (code, lines(out)) == (0, [["BTC", "ok"]]), out + err
    assert sum(limit.times == 0 for limit in limits) >= 7
    assert_done(cloud, settings, run, 1, BTC=OLD)


def test_a_job_that_fails_half_way_leaves_what_it_reported_of_published_and_the_next_ends_the_work(
    run, add, cloud, settings
):
    add("BTC")
    add("ETH")
    assert run("materialize", "--all")[0] == 0
    old = tables(cloud)
    add("BTC", level=200.0)
    add("ETH", level=200.0, cells={12: "n.a. see mail"})
    cloud.jobs.faults += ["half-way"] * 3  # the run's own attempts as well
    code, out, _ = run("materialize", "--all")
    assert (code, lines(out)) == (1, [["BTC", "FAILED"], ["ETH", "FAILED"]])
    assert re.search(r"BTC +FAILED +broke off: EMR Serverless job run \w+ ended FAILED", out)
    assert re.search(r"ETH +FAILED +bronze: .*n\.a\. see mail", out)
    assert replaced(old, tables(cloud)) == ["bronze/history/BTC"]
    assert loaded(settings) == {"BTC": OLD, "ETH": OLD}
    stale = ["stale"] * 3
    assert states(run) == {"BTC": ["published", *stale], "ETH": ["failed", *stale]}
    assert job_states(cloud) == ["SUCCESS", *["FAILED"] * 3]
    add("ETH", level=200.0)
    assert run("materialize", "--all")[0] == 0
    assert_done(cloud, settings, run, 5, BTC=NEW, ETH=NEW)


def test_a_file_that_copy_cannot_read_fails_its_currency_alone(run, add, cloud, settings):
    tickers = ("BTC", "ETH", "XMR")
    for ticker in tickers:
        add(ticker)
    assert run("materialize", "--all")[0] == 0
    for ticker in tickers:
        add(ticker, level=200.0)
    cloud.redshift.copier.damaged = "ticker=ETH/"
    code, out, _ = run("materialize", "--all")
    assert (code, lines(out)) == (1, [["BTC", "ok"], ["ETH", "FAILED"], ["XMR", "ok"]])
    assert re.search(r"ETH +FAILED +warehouse: Spectrum Scan Error", out)
    assert loaded(settings) == {"BTC": NEW, "ETH": OLD, "XMR": NEW}
    assert states(run, "ETH") == {"ETH": ["published"] * 3 + ["failed"]}
    cloud.redshift.copier.damaged = ""
    assert run("materialize", "--failed")[0] == 0
    assert_done(cloud, settings, run, 3, **dict.fromkeys(tickers, NEW))


def test_errors_of_s3_while_publishing_are_tried_again(run, add, cloud, settings):
    add("BTC")
    copies = {"method": "PUT", "path": ".*/lake/(bronze|silver|gold)/.*"}
    errors = cloud.router.fail("s3", 5, **copies)
    lost = cloud.router.fail("s3", 2, drop="after", **copies)
    assert run("materialize", "BTC")[0] == 0
    assert (errors.times, lost.times) == (0, 0)
    assert_done(cloud, settings, run, 1, BTC=OLD)


def test_errors_of_s3_that_do_not_end_fail_the_run_and_leave_each_file_old_or_new(
    run, add, cloud, settings
):
    for ticker in ("BTC", "ETH"):
        add(ticker)
    assert run("materialize", "--all")[0] == 0
    old = tables(cloud)
    for ticker in ("BTC", "ETH"):
        add(ticker, level=200.0)
    cloud.router.fail("s3", WITHOUT_END, method="PUT", path=".*/lake/gold/ticker=BTC/.*")
    code, out, err = run("materialize", "--all")
    assert (code, lines(out)) == (1, [["BTC", "FAILED"], ["ETH", "FAILED"]]), err
    assert "InternalError" in out
    assert set(tables(cloud)) == set(old)
    assert "gold/BTC" not in replaced(old, tables(cloud))
    assert loaded(settings) == {"BTC": OLD, "ETH": OLD}
    cloud.router.forget()
    assert run("materialize", "--all")[0] == 0
    tables_of_prices = ("bronze/history", "gold", "load", "silver/history")
    assert replaced(old, tables(cloud)) == [
        f"{t}/{c}" for t in tables_of_prices for c in ("BTC", "ETH")
    ]
    assert_done(cloud, settings, run, len(cloud.jobs.jobs), BTC=NEW, ETH=NEW)


@pytest.mark.parametrize("command", ["add", "materialize", "status", "sql"])
def test_expired_credentials_are_reported_in_one_line_and_change_nothing(
    run, add, cloud, settings, command
):
    add("BTC")
    before = cloud.keys("")
    for service, code in (
        *(("s3", "ExpiredToken"), ("emr-serverless", "ExpiredTokenException")),
        ("redshift-data", "ExpiredTokenException"),
    ):
        cloud.router.fail(service, WITHOUT_END, status=403, code=code)
    words = {
        "materialize": ["materialize", "BTC"],
        "status": ["status"],
        "sql": ["sql", "SELECT 1 AS one"],
    }
    code, out, err = add("BTC", level=200.0) if command == "add" else run(*words[command])
    assert code in (1, 2)
    lines_of_it = [line for line in (out + err).splitlines() if "xpired" in line]
    assert len(lines_of_it) == 1
    assert "such as `aws sso login`" in lines_of_it[0]
    assert "Traceback" not in out + err
    cloud.router.forget()
    assert cloud.keys("") == before
    assert (job_states(cloud), loaded(settings)) == ([], {})
    assert states(run) == {"BTC": NONE}


def test_credentials_that_expire_while_a_job_runs_fail_the_run_with_the_cure(
    run, add, cloud, settings
):
    add("BTC")
    expired = cloud.router.fail(
        "s3", WITHOUT_END, status=400, code="ExpiredToken", path=".*/messages/.*"
    )
    code, out, _ = run("materialize", "BTC")
    assert (code, lines(out)) == (1, [["BTC", "FAILED"]])
    assert "such as `aws sso login`" in out
    assert (loaded(settings), tables(cloud)) == ({}, {})
    expired.times = 0
    assert run("materialize", "BTC")[0] == 0
    assert_done(cloud, settings, run, 2, BTC=OLD)


def test_of_two_homes_the_one_that_works_on_older_files_is_stopped(
    run, add, cloud, settings, home, tmp_path, monkeypatch
):
    add("BTC")
    assert run("materialize", "BTC")[0] == 0
    add("BTC", level=150.0)
    held = cloud.router.hold("s3", method="PUT", path=".*/_manifests/market_data/BTC.json")
    with started("materialize", "BTC") as older:
        until("the held write", lambda: held.times == 0, by=older)
        other = tmp_path / "other"
        other.mkdir()
        (other / "artifacts").symlink_to(home / "artifacts")
        monkeypatch.setenv("CRYPTO_ASSETS_HOME", str(other))
        add("BTC", level=200.0)
        assert run("materialize", "BTC")[0] == 0
        new = tables(cloud)
        held.release.set()
        out, err = older.communicate(timeout=HANG_S)
    assert (older.returncode, lines(out)) == (1, [["BTC", "FAILED"]]), err
    assert "bronze: another process published it meanwhile: run it again" in out
    assert tables(cloud) == new
    assert_done(cloud, settings, run, 3, BTC=NEW)


def test_no_secret_is_left_by_runs_that_fail_and_one_would_be_found(
    run, add, cloud, settings, home
):
    add("BTC")
    add("BAD", cells={12: "n.a. see mail"})
    cloud.jobs.faults += ["half-way"] * 3
    assert run("materialize", "--all")[0] == 1
    cloud.router.fail("s3", WITHOUT_END, drop="before", method="PUT", path=".*/lake/silver/.*")
    assert run("materialize", "BTC")[0] == 1
    cloud.router.forget()
    assert cloud.keys("lake/_manifests/market_data/") != []
    assert cloud.keys("lake/_jobs/") != []
    assert leaks(cloud, home) == []
    for leak in LEAKS:  # what the search would find
        (home / "planted").write_bytes(b"\0" + leak.encode())
        assert leaks(cloud, home) == [(str(home / "planted"), leak)]
    (home / "planted").unlink()
    cloud.s3.put_object(Bucket=cloud.bucket, Key="lake/_jobs/planted", Metadata={"planted": TOKEN})
    assert leaks(cloud, home) == [("lake/_jobs/planted", TOKEN)]
    cloud.s3.delete_object(Bucket=cloud.bucket, Key="lake/_jobs/planted")
