"""A cluster gives what Sail gives, and bears the loss of a worker and of the driver."""

# ruff: noqa: T201 - the figures are for whoever reads the run

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread

import pyarrow.dataset as ds
import pytest

from bench.generate import generate
from crypto_assets.resources import wiring
from crypto_assets.resources.engine.local import SailEngine
from crypto_assets.resources.engine.spark import SparkEngine
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.uploads.register import register
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets.spark.accounts.snapshot import Snapshot
from crypto_assets.spark.job_spec import JobSpec, Upload
from crypto_assets.spark.market_data.currency import Choices, Currency
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.loopback import free_port
from crypto_assets_tests.helpers.processes import kill_family
from crypto_assets_tests.helpers.roles import ADMIN, Admin, keys_of
from crypto_assets_tests.helpers.spark_cluster import tasks_by_executor
from crypto_assets_tests.helpers.waiting import until
from sample_data.accounts import write_snapshots

# py4j leaves the sockets to its JVM open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
TICKERS, DAYS, NUMBER_OF_ACCOUNTS = 200, 1_000, 100_000
LAYERS = ("bronze", "silver", "gold")


def give_access(patch, url):
    for name, value in {
        **keys_of(ADMIN),
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
    }.items():
        patch.setenv(name, value)


@pytest.fixture(autouse=True)
def access(credentials, monkeypatch, store):
    give_access(monkeypatch, store.url)


@pytest.fixture(scope="module")
def s3(store):
    return Admin(store.url).client("s3")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("files"), TICKERS, DAYS)


@pytest.fixture(scope="module")
def currencies(s3, shared_bucket, files):
    """All currencies, their uploads in the bucket."""

    def uploaded(path, ticker, kind):
        content, key = path.read_bytes(), f"cluster/{ticker}/{kind}.csv"
        s3.put_object(Bucket=shared_bucket, Key=key, Body=content)
        uri = f"s3://{shared_bucket}/{key}"
        return Upload(uri, path.name, hashlib.sha256(content).hexdigest())

    def currency(files):
        ticker, *paths = files
        kinds = zip(("history", "trend"), paths, strict=True)
        return Currency(ticker, {k: uploaded(p, ticker, k) for k, p in kinds}, Choices())

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(currency, files))


@pytest.fixture
def spec(currencies, shared_bucket, request):
    """The job of all currencies, staged below a folder of this test's name."""
    lake = f"s3://{shared_bucket}/{request.node.name}"
    partitions = tuple(currency.partition() for currency in currencies)
    return JobSpec(MARKET_DATA.job, lake, lake, LAYERS, partitions, readers=16, each=True)


@pytest.fixture(scope="module")
def expected(currencies, s3, shared_bucket):
    """What Sail makes of them: the ETag of each staged file."""
    lake = f"s3://{shared_bucket}/sail"
    partitions = tuple(currency.partition() for currency in currencies)
    spec = JobSpec(MARKET_DATA.job, lake, lake, LAYERS, partitions, each=True)
    with pytest.MonkeyPatch.context() as patch:
        give_access(patch, s3.meta.endpoint_url)
        assert_all_passed(computed(SailEngine(), spec))
    found = staged(s3, shared_bucket, "sail")
    assert len(found) == 5 * TICKERS
    return found


def staged(s3, bucket, folder):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder}/")
    objects = (found for page in pages for found in page.get("Contents", ()))
    return {found["Key"].partition("/")[2]: found["ETag"] for found in objects}


def computed(engine, spec):
    with engine.running() as execute:
        return list(execute(spec))


def assert_all_passed(results):
    verdicts = [verdict for result in results for verdict in result.verdicts]
    assert [verdict.problems for verdict in verdicts if not verdict.passed] == []
    assert len(verdicts) == len(LAYERS) * TICKERS


@contextmanager
def once(happened, do):
    """Does something in a thread of its own as soon as something has happened."""
    thread = Thread(target=lambda: (until("the moment", happened), do()))
    thread.start()
    yield
    thread.join()


def test_a_standalone_cluster_gives_what_sail_gives_and_both_executors_work(
    cluster, spec, expected, s3, shared_bucket
):
    port = free_port()
    shown = {"spark.ui.enabled": "true", "spark.ui.port": str(port)}
    engine = SparkEngine(master=cluster.master, conf=cluster.conf | shown, readers=16)
    with engine.running() as execute:
        assert_all_passed(list(execute(spec)))
        tasks = tasks_by_executor(f"http://127.0.0.1:{port}")
    assert staged(s3, shared_bucket, spec.lake.rpartition("/")[2]) == expected
    assert len([count for count in tasks.values() if count > 1]) == 2, tasks
    print(f"\nstandalone: {TICKERS} currencies, tasks by executor {tasks}, 0 files differ")


def test_spark_connect_gives_what_sail_gives_and_both_executors_work(
    connected, spec, expected, s3, shared_bucket
):
    assert_all_passed(computed(SparkEngine(remote=connected.remote, readers=16), spec))
    assert staged(s3, shared_bucket, spec.lake.rpartition("/")[2]) == expected
    tasks = tasks_by_executor(connected.connect_ui)
    assert len([count for count in tasks.values() if count > 1]) == 2, tasks
    print(f"\nSpark Connect: {TICKERS} currencies, tasks by executor {tasks}, 0 files differ")


def test_a_job_goes_on_when_a_worker_is_lost(cluster, spec, expected, s3, shared_bucket, store):
    folder = spec.lake.rpartition("/")[2]
    engine = SparkEngine(master=cluster.master, conf=cluster.conf, readers=16)

    def half_way():
        return store.count("s3", "PUT", rf"/{shared_bucket}/{folder}/.*") > TICKERS

    with once(half_way, lambda: cluster.kill_worker(0)):
        results = computed(engine, spec)
    cluster.start_worker()
    assert_all_passed(results)
    assert staged(s3, shared_bucket, folder) == expected


def test_accounts_are_those_of_sail(cluster, connected, tmp_path):
    truth, *_ = write_snapshots(
        tmp_path / "bank", customers=40_000, accounts=NUMBER_OF_ACCOUNTS, seed=3, truth=False
    )
    paths = {"customers": truth.customers, "accounts": truth.accounts}
    uploads = {
        kind: Upload(str(path), path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        for kind, path in paths.items()
    }
    snapshot = Snapshot("20240101T060000Z-00000001", "2024-01-01T06:00:00Z", uploads)
    engines = {
        "sail": SailEngine(),
        "cluster": SparkEngine(master=cluster.master, conf=cluster.conf, readers=16),
        "connect": SparkEngine(remote=connected.remote, readers=16),
    }
    tables = {}
    for name, engine in engines.items():
        root = str(tmp_path / name)
        layers, partitions = tuple(ACCOUNTS.layers), (snapshot.partition(),)
        results = computed(engine, JobSpec(ACCOUNTS.job, root, root, layers, partitions))
        problems = [verdict.problems for result in results for verdict in result.verdicts]
        assert problems == [()] * len(layers), problems
        tables[name] = {table.path: rows(root, table) for table in ACCOUNTS.tables}
    counts = {path: len(found) for path, found in tables["sail"].items()}
    assert sum(counts.values()) > NUMBER_OF_ACCOUNTS
    for name in ("cluster", "connect"):
        for path, found in tables["sail"].items():
            assert tables[name][path] == found, (name, path)
    print(f"\naccounts: rows by table {counts}, 0 differ on a cluster and by Spark Connect")


def rows(root, table):
    """The rows of a table in no engine's order."""
    found = ds.dataset(f"{root}/{table.path}", format="parquet").to_table()
    found = found.select(sorted(found.schema.names))
    return sorted(json.dumps(row, default=str) for row in found.to_pylist())


def test_after_the_driver_is_killed_the_next_run_completes(
    cluster, files, home, tmp_path, shared_bucket, store, monkeypatch
):
    few = files[:40]
    conf = "\n".join(f'"{name}" = "{value}"' for name, value in cluster.conf.items())
    (tmp_path / "crypto_assets.toml").write_text(
        f'engine = "spark"\nspark_master = "{cluster.master}"\ninbox = "s3"\nlake = "s3"\n'
        f'[aws]\nregion = "{REGION}"\nendpoint_url = "{store.url}"\n'
        f'inbox = "s3://{shared_bucket}/driver/inbox"\nlake = "s3://{shared_bucket}/driver/lake"\n'
        f"[spark_conf]\n{conf}\n"
    )
    settings = Settings(home=home)
    inbox, (registry, _) = wiring.inbox(settings), wiring.registries(settings)
    for ticker, history, trend in few:
        register(inbox, registry, ticker, {"history": history, "trend": trend}, {})
    command = [sys.executable, "-P", "-m", "crypto_assets.cli", "materialize", "--all"]
    environment = {name: value for name, value in os.environ.items() if "SPARK" not in name}
    staging = rf"/{shared_bucket}/driver/lake/_staging/.*"
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        until("some are staged", lambda: store.count("s3", "PUT", staging) > 20, by=process)
        kill_family(process)
    assert process.returncode == -signal.SIGKILL
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()[: len(few)]] == ["ok"] * len(few)
