"""The engine on EMR Serverless: one job a batch, whatever happens to it on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crypto_assets.resources.engine import SailEngine
from crypto_assets.spark.batch import result_from_json, to_json
from crypto_assets_tests.aws.conftest import REGION
from crypto_assets_tests.aws.emr_double import emr_double
from crypto_assets_tests.aws.emr_scene import Scene, computed
from crypto_assets_tests.aws.router import routing
from crypto_assets_tests.exports_text import history_csv


@pytest.fixture(scope="session")
def jobs_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("emr")


@pytest.fixture
def scene(ministack, credentials, bucket, jobs_folder):
    with (
        emr_double(jobs_folder, ministack) as (double, url),
        routing(ministack, {"emr-serverless": url}) as router,
    ):
        yield Scene(router, double, bucket, jobs_folder / "cache")


def test_a_batch_gives_the_verdicts_and_the_gold_of_sail_in_this_process(scene, monkeypatch):
    currencies = [
        scene.currency("BTC"),
        scene.currency("BAD", history_csv(cells={9: "n.a. see mail"})),
        scene.currency("SMALL", history_csv(days=5), published_rows={"silver/history": 40}),
    ]
    remote = scene.batch("one", *currencies)
    results = computed(scene.engine(), remote)
    (job,) = scene.double.jobs.values()
    assert job.state == "SUCCESS", job.output
    monkeypatch.setenv("AWS_ENDPOINT_URL", scene.router.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", REGION)
    here = scene.batch("two", *currencies)
    with SailEngine().running() as run:
        expected = [result_from_json(to_json(result)) for result in run(here)]

    def plain(result):
        verdicts = [
            replace(v, measures={k: m for k, m in v.measures.items() if k != "emr"})
            for v in result.verdicts
        ]
        return replace(result, verdicts=tuple(verdicts), seconds=0, staging="")

    assert list(map(plain, results)) == list(map(plain, expected))
    assert {result.staging for result in results} == {remote.staging}
    assert scene.gold(remote.staging, "BTC").equals(scene.gold(here.staging, "BTC"))
