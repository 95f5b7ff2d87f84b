"""The main job under profile `aws`: the same verdicts and the same tables as on a laptop."""

from __future__ import annotations

import io
import json

import pytest
from pyarrow import parquet

from crypto_assets.resources import wiring
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
    _, rows = wiring.warehouse(settings).query(ROWS)
    assert run("sql", "SELECT count(*) AS n FROM market_data.btc", "--format", "csv")[1] > "n\n1"
    assert cloud.keys("lake/_staging") == []

    monkeypatch.setenv("CRYPTO_ASSETS_PROFILE", "local")
    for ticker, shape in currencies.items():
        add(ticker, **shape)
    local = run("materialize", "--all")
    assert (local[0], local[1]) == (code, out)
    assert states(run) == cloud_states
    _, expected = wiring.warehouse(Settings()).query(ROWS)
    assert [tuple(row) for row in rows] == [tuple(row) for row in expected]


def content(cloud, key):
    return cloud.s3.get_object(Bucket=cloud.bucket, Key=f"lake/{key}")["Body"].read()


def test_the_warehouse_alone_is_loaded_without_a_job_from_the_table_beside_gold(
    run, add, cloud, settings
):
    assert add("BTC")[0] == add("ETH")[0] == 0
    assert run("materialize", "--all")[0] == 0
    gold, load = (
        parquet.read_table(io.BytesIO(content(cloud, f"{table}/ticker=BTC/data.parquet")))
        for table in ("gold", "load")
    )
    assert gold.column_names == ["date", "price", "trend", "pricema", "trend_i"]
    assert load.column_names == ["symbol", *gold.column_names]
    manifest = json.loads(content(cloud, key := "_manifests/market_data/ETH.json"))
    del manifest["rows"]["load"]  # as where gold was made for a warehouse that loads gold itself
    body = json.dumps(manifest).encode()
    cloud.s3.put_object(Bucket=cloud.bucket, Key=f"lake/{key}", Body=body)
    cloud.redshift.reset()

    code, out, _ = run("materialize", "--all", "--layer", "warehouse")
    assert code == 1
    assert [line.split()[:2] for line in out.splitlines()] == [["BTC", "ok"], ["ETH", "FAILED"]]
    reason = "its gold has no file that this warehouse loads: run again without --layer"
    assert out.splitlines()[1].endswith(f"warehouse: {reason}")
    query = "SELECT ticker, count(*) FROM market_data.prices GROUP BY ticker"
    assert wiring.warehouse(settings).query(query)[1] == [("BTC", gold.num_rows)]
    assert len(cloud.jobs.jobs) == 1
    assert run("materialize", "ETH")[0] == 0
    assert len(wiring.warehouse(settings).query(query)[1]) == 2
