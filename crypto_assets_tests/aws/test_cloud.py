"""The main job under profile `aws`: the same verdicts and the same tables as on a laptop."""

from __future__ import annotations

import json

import pytest

from crypto_assets.resources import wiring as profile
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.cloud import hasten, settings_of

ROWS = "SELECT * FROM market_data.prices ORDER BY ticker, date"


@pytest.fixture
def settings(cloud, home, monkeypatch):
    hasten(monkeypatch)
    return settings_of(cloud, home, monkeypatch)


def states(run, *tickers):
    documents = json.loads(run("status", *tickers, "--json")[1])["currencies"]
    return {d["ticker"]: [layer["state"] for layer in d["layers"].values()] for d in documents}


def test_a_batch_with_broken_currencies_gives_what_the_local_profile_gives(
    run, add, cloud, settings, tmp_path, monkeypatch
):
    currencies = {
        "BTC": {},
        "007": {"level": 7.0},
        "BADLINE": {"cells": {12: "n.a. see mail"}},
        "HUGE": {"level": 1.5e307},
    }
    for ticker, shape in currencies.items():
        assert add(ticker, **shape)[0] == 0
    code, out, err = run("materialize", "--all")
    assert (code, [line.split()[:2] for line in out.splitlines()]) == (
        1,
        [["BTC", "ok"], ["007", "ok"], ["BADLINE", "FAILED"], ["HUGE", "FAILED"]],
    ), err
    cloud_states = states(run)
    _, rows = profile.warehouse(settings).query(ROWS)
    assert run("sql", "SELECT count(*) AS n FROM market_data.btc", "--format", "csv")[1] > "n\n1"
    assert cloud.keys("lake/_staging") == []

    monkeypatch.setenv("CRYPTO_ASSETS_PROFILE", "local")
    for ticker, shape in currencies.items():
        add(ticker, **shape)
    local = run("materialize", "--all")
    assert (local[0], local[1]) == (code, out)
    assert states(run) == cloud_states
    _, expected = profile.warehouse(Settings()).query(ROWS)
    assert [tuple(row) for row in rows] == [tuple(row) for row in expected]
