"""Uploads and lake in a bucket, and everything else on this machine: no EMR, no Redshift."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import crypto_assets
from crypto_assets_tests.helpers.aws_fixtures import on_a_bucket
from crypto_assets_tests.helpers.report_page import currencies
from crypto_assets_tests.helpers.roles import ORCHESTRATOR
from sample_data.accounts import write_snapshots

COMMAND = [sys.executable, "-P", "-m", "crypto_assets.cli", "materialize", "--all"]


@pytest.fixture
def behind_router(router, bucket, home, monkeypatch):
    """The settings of profile `local` with uploads and lake in a bucket behind the router."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    key_file = home.parent / "key.csv"
    key_file.write_text(f"Access key ID,Secret access key\n{ORCHESTRATOR},made-up-secret\n")
    settings = on_a_bucket(bucket, router.url) | {"CRYPTO_ASSETS_AWS_KEY_FILE": str(key_file)}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return router


@pytest.mark.parametrize("engine", ["sail", "spark"])
def test_currencies_are_computed_from_a_bucket_and_loaded_here(
    run, add, admin, bucket, home, behind_router, monkeypatch, engine
):
    monkeypatch.setenv("CRYPTO_ASSETS_ENGINE", engine)
    assert add("BTC")[0] == 0
    assert add("BAD", cells={12: "n.a. see mail"})[0] == 0
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False)
    assert (done.returncode, [line.split()[:2] for line in done.stdout.splitlines()]) == (
        1,
        [["BTC", "ok"], ["BAD", "FAILED"]],
    ), done.stderr
    states = json.loads(run("status", "BTC", "--json")[1])["currencies"][0]["layers"]
    assert {layer["state"] for layer in states.values()} == {"published"}
    wanted = states["gold"]["rows"]
    counted = run("sql", "SELECT count(*) AS n FROM market_data.btc", "--format", "json")[1]
    assert json.loads(counted) == [{"n": wanted}]
    assert crypto_assets.gold("BTC").num_rows == wanted
    assert crypto_assets.currencies()["state"].to_pylist() == ["failed", "published"]
    assert run("materialize", "BTC", "--layer", "warehouse")[0] == 0
    assert run("report")[0] == 0
    shown = currencies(home / "report.html")
    assert (shown["BTC"]["days"], shown["BTC"]["filled"]) == (wanted - 1, 0)
    assert shown["BAD"]["days"] is None
    assert run("remove", "BTC", "--yes")[0] == 0
    left = admin.client("s3").list_objects_v2(Bucket=bucket, Prefix="lake/").get("Contents", [])
    assert not [found["Key"] for found in left if "ticker=BTC" in found["Key"]]


def test_accounts_are_computed_from_a_bucket(run, behind_router, tmp_path):
    first, second, *_ = write_snapshots(tmp_path / "bank", customers=40, accounts=80, seed=3)
    for truth in (first, second):
        files = ("--customers", truth.customers, "--accounts", truth.accounts)
        code, out, err = run("accounts", *files)
        assert code == 0, out + err
    counted = run("sql", "SELECT count(*) AS n FROM accounts.customer_accounts", "--format", "json")
    assert json.loads(counted[1]) == [{"n": len(second.rows)}]
