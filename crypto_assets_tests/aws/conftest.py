"""AWS on loopback: ministack for S3, SQS, EventBridge and SNS, our own doubles for the rest."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crypto_assets.resources.aws import Aws

if TYPE_CHECKING:
    from crypto_assets_tests.doubles.emr_worker import Workers
    from crypto_assets_tests.doubles.redshift_double import RedshiftDouble
    from crypto_assets_tests.doubles.router import Router
    from crypto_assets_tests.helpers.cloud import Cloud

REGION = "eu-central-1"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(url: str, seconds: float) -> None:
    """Waits until a server answers at this address."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        assert time.monotonic() < deadline, f"{url} does not answer"
        time.sleep(0.1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder runs with `make test-aws`: its services and jobs take minutes."""
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker("aws")


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a ministack of this test session, on loopback only."""
    port, folder = free_port(), tmp_path_factory.mktemp("ministack")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "ERROR",
        "TMPDIR": str(folder),
    }
    command = [str(Path(sys.executable).with_name("ministack"))]
    with (
        (folder / "ministack.log").open("wb") as log,
        subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/_ministack/health", 30)
            yield url
        finally:
            process.kill()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up credentials for this test and its children, and none of this machine's."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture
def aws(ministack: str, credentials: None) -> Aws:
    return Aws(region=REGION, endpoint_url=ministack)


@pytest.fixture
def router(ministack: str, credentials: None) -> Iterator[Router]:
    """A router in front of ministack, for this test alone."""
    from crypto_assets_tests.doubles.router import routing

    with routing(ministack) as router:
        yield router


@pytest.fixture
def bucket(aws: Aws) -> str:
    """A new bucket, named for this test alone."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    aws.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return name


@pytest.fixture(scope="session")
def shared_bucket(ministack: str) -> str:
    """One bucket for many tests: each would have to upload the jobs' artifact to one of its own."""
    import boto3

    keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "made-up"}
    name = f"shared-{uuid.uuid4().hex[:12]}"
    boto3.session.Session(**keys).client("s3", REGION, endpoint_url=ministack).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return name


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """What runs the jobs, with their folders and what was unpacked of the artifact."""
    from crypto_assets_tests.doubles.emr_worker import working

    with working(tmp_path_factory.mktemp("jobs")) as workers:
        yield workers


@pytest.fixture(scope="session")
def redshift(ministack: str) -> Iterator[RedshiftDouble]:
    """A double of Redshift with a PostgreSQL of its own."""
    from crypto_assets_tests.doubles.redshift_double import serving_redshift

    with serving_redshift(ministack) as double:
        yield double


@pytest.fixture
def cloud(
    ministack: str,
    credentials: None,
    shared_bucket: str,
    redshift: RedshiftDouble,
    workers: Workers,
    home: Path,
) -> Iterator[Cloud]:
    """All of profile `aws`."""
    from crypto_assets_tests.helpers.cloud import raised

    with raised(ministack, shared_bucket, redshift, workers) as cloud:
        yield cloud
