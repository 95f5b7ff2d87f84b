"""What profile `aws` asks of AWS: figures that cost money, printed and bounded."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.generate import generate
from crypto_assets.resources import wiring
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.uploads.register import register
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.cloud import Cloud, hasten, settings_of

TICKERS = 1000


@pytest.fixture
def settings(cloud, home, monkeypatch):
    return settings_of(cloud, home, monkeypatch)


def calls(cloud: Cloud) -> dict[str, dict[str, int]]:
    services = ("emr-serverless", "redshift-data", "s3", "sqs")
    return {service: dict(cloud.router.operations(service)) for service in services}


def starts(cloud: Cloud) -> int:
    return cloud.router.count("emr-serverless", "POST", ".*/jobruns")


def test_a_run_where_nothing_changed_starts_no_job(run, add, cloud, settings, monkeypatch):
    hasten(monkeypatch)
    for ticker in ("BTC", "ETH"):
        assert add(ticker)[0] == 0
    assert run("materialize", "--all")[0] == 0
    assert starts(cloud) == 1
    cloud.router.forget()
    code, out, err = run("materialize", "--stale")
    assert (code, out) == (0, "")
    assert "0 of 2 currencies are stale" in err
    assert (starts(cloud), cloud.router.operations("redshift-data").total()) == (0, 0)
    assert add("ETH", level=5.0)[0] == 0
    code, out, _ = run("materialize", "--stale")
    assert (code, [line.split()[:2] for line in out.splitlines()]) == (0, [["ETH", "ok"]])
    assert starts(cloud) == 1


@pytest.mark.slow
def test_a_batch_of_1000_makes_one_job_and_few_requests(run, cloud, settings, tmp_path, capsys):
    files = generate(tmp_path / "files", TICKERS, 400)
    inbox, (registry, _) = wiring.inbox(settings), wiring.registries(settings)
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(register, inbox, registry, ticker, {"history": history, "trend": trend}, {})
            for ticker, history, trend in files
        ]
        assert all(job.result() for job in jobs)
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(MARKET_DATA.partition, [ticker for ticker, _, _ in files])
    for attempt in ("new", "replaced"):
        cloud.router.forget()
        code, out, err = run("materialize", "--all")
        assert (code, out.count(" ok ")) == (0, TICKERS), err
        made = calls(cloud)
        with capsys.disabled():
            print(f"\n{TICKERS} tickers, {attempt}: {json.dumps(made)}")  # noqa: T201
            print(f"S3 requests per ticker: {sum(made['s3'].values()) / TICKERS:.2f}")  # noqa: T201
        assert starts(cloud) == 1
        assert made["emr-serverless"]["GET"] <= 60
        assert made["redshift-data"]["BatchExecuteStatement"] <= 3
        assert sum(made["s3"].values()) <= 12 * TICKERS
