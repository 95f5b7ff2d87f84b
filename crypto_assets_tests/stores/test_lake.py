"""A lake in a store of others: computed where conditions hold, and refused where they do not."""

from __future__ import annotations

import json

import pytest

from crypto_assets_tests.helpers.aws_fixtures import on_a_bucket

# What the product says of the store itself, without the router.
FAULTS = {
    "radosgw": "the store ignores If-None-Match of CopyObject, If-Match of CopyObject",
    "swift": "S3 knows no conditions here: An error occurred (NotImplemented) when calling the "
    "PutObject operation: Conditional object PUTs are not supported",
}


@pytest.fixture
def settle(home, bucket, monkeypatch):
    """Sets uploads and lake to the test's bucket at this address."""

    def give(url):
        for name, value in on_a_bucket(bucket, url).items():
            monkeypatch.setenv(name, value)

    return give


@pytest.fixture
def fault(request, store):
    return FAULTS[request.node.callspec.params["store"]]


def layers(run, ticker):
    (currency,) = json.loads(run("status", ticker, "--json")[1])["currencies"]
    return {name: (layer["state"], layer["rows"]) for name, layer in currency["layers"].items()}


def test_two_currencies_are_uploaded_computed_read_and_removed(
    run, add, pair, s3, bucket, router, settle
):
    settle(router.url)
    code, out, err = run("doctor")
    assert code == 0, out + err
    assert add("BTC", level=100.0)[0] == 0
    history, trend = pair("ETH", level=7.0)
    assert run("add", "ETH", "--history", history, "--trend", trend)[0] == 0
    assert run("upload", history.parent)[0] == 0
    code, out, err = run("materialize", "--all")
    assert (code, [line.split()[:2] for line in out.splitlines()]) == (
        0,
        [["BTC", "ok"], ["ETH", "ok"]],
    ), err
    assert {state for state, _ in layers(run, "ETH").values()} == {"published"}
    counted = "SELECT ticker, count(*) AS n FROM market_data.prices GROUP BY ticker ORDER BY ticker"
    assert json.loads(run("sql", counted, "--format", "json")[1]) == [
        {"ticker": ticker, "n": layers(run, ticker)["gold"][1]} for ticker in ("BTC", "ETH")
    ]
    assert run("remove", "BTC", "--purge", "--yes")[0] == 0
    left = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert not [key for key in left if "BTC" in key]
    assert [key for key in left if "lake/gold/ticker=ETH" in key]


def test_a_store_that_does_not_honour_conditions_is_refused(
    run, add, s3, bucket, store, router, settle, fault
):
    settle(router.url)
    assert add("BTC")[0] == 0
    settle(store.url)
    code, out, _ = run("doctor")
    assert code == 1
    assert [line for line in out.splitlines() if "lake writes" in line and fault in line], out
    code, out, err = run("materialize", "--all")
    assert code != 0
    assert fault in out + err
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="lake/")
