"""What is set up wrong in Redshift under profile `aws` is reported before a job is paid for."""

from __future__ import annotations

import json

import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.aws import ATTEMPTS
from crypto_assets_tests.helpers.cloud import hasten, settings_of
from crypto_assets_tests.helpers.emr_scene import hurry
from crypto_assets_tests.helpers.roles import ORCHESTRATOR
from sample_data.accounts import write_snapshots

SERVER = "IAMR:server"


@pytest.fixture
def settings(cloud, home, monkeypatch):
    hasten(monkeypatch)
    hurry(monkeypatch)
    return settings_of(cloud, home, monkeypatch)


def states(run):
    (document,) = json.loads(run("status", "BTC", "--json")[1])["currencies"]
    return [layer["state"] for layer in document["layers"].values()]


def test_a_run_whose_load_would_be_refused_starts_no_job_and_says_who_has_to_do_what(
    run, add, cloud, settings
):
    for ticker in ("BTC", "ETH"):
        add(ticker)
    cloud.redshift.add_user(SERVER, ORCHESTRATOR)
    code, out, err = run("materialize", "--all")
    lines = out.splitlines()
    assert (code, [line.split()[:2] for line in lines]) == (
        1,
        [["BTC", "FAILED"], ["ETH", "FAILED"]],
    ), err
    for line in lines:
        assert "broke off: market_data, market_data.prices" in line
        assert "`crypto-assets doctor --fix --publisher IAMR:server`" in line
    assert (cloud.jobs.jobs, cloud.keys("lake/_jobs"), cloud.keys("lake/gold")) == ({}, [], [])
    assert cloud.redshift.calls["ExecuteStatement"] == 1
    assert states(run) == ["none"] * 4
    with cloud.redshift.connect() as connection:
        connection.execute(f'GRANT CREATE ON DATABASE postgres TO "{SERVER}"')
    code, out, err = run("materialize", "--all")
    assert (code, len(cloud.jobs.jobs)) == (0, 1), out + err
    assert states(run) == ["published"] * 4


def test_a_snapshot_that_redshift_would_not_load_starts_no_job(run, cloud, settings, tmp_path):
    first, *_ = write_snapshots(tmp_path / "bank", customers=40, accounts=80, seed=3)
    cloud.redshift.add_user(SERVER, ORCHESTRATOR)
    code, out, err = run("accounts", "--customers", first.customers, "--accounts", first.accounts)
    assert (code, cloud.jobs.jobs) == (1, {}), out + err
    assert "accounts, accounts.customer_accounts is missing: a superuser runs GRANT" in out + err
    assert cloud.redshift.calls["ExecuteStatement"] == 1


def test_layers_that_are_not_loaded_need_no_warehouse(run, add, cloud, settings):
    add("BTC")
    cloud.redshift.add_user(SERVER, ORCHESTRATOR)
    code, out, err = run("materialize", "BTC", "--layer", "bronze")
    assert (code, cloud.redshift.calls.total()) == (0, 0), out + err


def test_a_workgroup_that_is_away_for_a_moment_stops_no_job(run, add, cloud, settings):
    add("BTC")
    away = cloud.router.fail(
        "redshift-data",
        ATTEMPTS,
        operation="ExecuteStatement",
        status=503,
        code="ServiceUnavailable",
    )
    code, out, err = run("materialize", "BTC")
    assert (code, away.times, len(cloud.jobs.jobs)) == (0, 0, 1), out + err
    query = "SELECT count(*) FROM market_data.btc"
    assert wiring.warehouse(settings).query(query)[1] == [(41,)]
