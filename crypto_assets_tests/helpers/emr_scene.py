"""The scene of the tests of EMR Serverless: router, double, engine, and job specs on S3."""

import hashlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_assets.resources.engine.emr import EmrServerlessEngine
from crypto_assets.resources.engine.engine import Engine
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets.spark.job_spec import JobSpec, LayerResult, Upload, spec_from_json, to_json
from crypto_assets.spark.market_data.currency import Currency
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.market_data.tables import GOLD
from crypto_assets.spark.tables import staged_name
from crypto_assets_tests.doubles.behind_router import BehindRouter
from crypto_assets_tests.doubles.emr_double import APPLICATION, ROLE, EmrDouble
from crypto_assets_tests.doubles.router import Router
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv

LAYERS = ("bronze", "silver", "gold")


@dataclass
class Scene(BehindRouter):
    """All that a test needs; `engine` is of the application that `double` is."""

    double: EmrDouble | None
    bucket: str
    cache: Path

    @property
    def lake(self) -> str:
        return f"s3://{self.bucket}/the/lake"

    def objects(self, lake: str) -> S3Objects:
        return S3Objects(aws=self.aws, root=lake, locks=str(self.cache / "locks"))

    def engine(self, **settings: Any) -> EmrServerlessEngine:
        return EmrServerlessEngine(
            **{
                "aws": self.aws,
                "application_id": APPLICATION,
                "role_arn": ROLE,
                "objects": self.objects(self.lake),
                "cache": str(self.cache),
                "readers": 2,
                "poll_seconds": 0.5,
                **settings,
            }
        )

    def upload(self, name: str, text: str) -> Upload:
        body = text.encode()
        key = f"inbox/_contents/{name}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        uri = f"s3://{self.bucket}/{key}"
        return Upload(uri, name, hashlib.sha256(body).hexdigest())

    def currency(self, ticker: str, history: str | None = None) -> Currency:
        name = f"{ticker}/{ticker} Historical Data.csv"
        files = {
            "history": self.upload(name, history or history_csv()),
            "trend": self.upload(f"{ticker}/multiTimeline.csv", trend_csv(ticker)),
        }
        return Currency(ticker, files)

    def batch(self, run_id: str, *currencies: Currency, layers: tuple = LAYERS) -> JobSpec:
        partitions = tuple(currency.partition() for currency in currencies)
        staging = f"{self.lake}/_staging/{run_id}"
        return JobSpec(
            MARKET_DATA.job, staging, self.lake, layers, partitions, readers=2, each=True
        )

    def command(self, batch: JobSpec) -> list[str]:
        """How this batch is computed in a process of its own."""
        module = "crypto_assets_tests.helpers.emr_scene"
        arguments = (self.router.url, self.bucket, str(self.cache), to_json(batch))
        return [sys.executable, "-m", module, *arguments]

    def keys(self, prefix: str) -> list[str]:
        """Keys below the lake's prefix, named from there."""
        start = f"{urlsplit(self.lake).path[1:]}/{prefix}"
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=start)
        return [item["Key"].removeprefix(start) for item in found.get("Contents", [])]

    def gold(self, staging: str, ticker: str) -> pa.Table:
        """The one gold file of a ticker below this staging."""
        (folder,) = GOLD.folders(ticker)
        key = f"{urlsplit(staging).path[1:]}/{staged_name(folder)}"
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return pq.ParquetFile(pa.BufferReader(body)).read()


def in_a_run(engine: Engine, step: Callable[[Engine], Any]) -> Any:
    """Does something with an engine in a step as `market_data` is one.

    It is of several assets, gets the engine from Dagster and yields no result.
    """
    found = []

    @dg.multi_asset(specs=[dg.AssetSpec(name, skippable=True) for name in LAYERS])
    def market_data(engine: dg.ResourceParam[Engine]) -> Iterator[dg.MaterializeResult]:
        found.append(step(engine))
        yield from ()

    dg.materialize([market_data], resources={"engine": engine})
    return found[0]


def computed(engine: Engine, batch: JobSpec, reported: list[LayerResult] | None = None) -> list:
    """All results of one batch; `reported` has those that came before a fault as well."""
    results: list[LayerResult] = [] if reported is None else reported

    def step(engine: Engine) -> list[LayerResult]:
        with engine.running() as execute:
            results.extend(execute(batch))
        return results

    return in_a_run(engine, step)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets waiting between attempts at a request take a hundredth of its time."""
    quick = SimpleNamespace(sleep=lambda seconds, sleep=time.sleep: sleep(seconds / 100))
    monkeypatch.setattr("botocore.endpoint.time", quick)
    monkeypatch.setattr("tenacity.nap.time", quick)


def main(arguments: Sequence[str]) -> None:
    """Computes a batch in a process of its own, which a test may kill or interrupt."""
    url, bucket, cache, spec = arguments
    scene = Scene(Router("", {}, url=url), None, bucket, Path(cache))
    computed(scene.engine(), spec_from_json(spec))


if __name__ == "__main__":
    main(sys.argv[1:])
