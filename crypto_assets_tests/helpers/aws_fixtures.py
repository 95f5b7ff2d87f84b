"""Fixtures of AWS on loopback: ministack for S3, SQS, EventBridge, SNS; our doubles for the rest.

The conftest at the top loads this module: tests of several folders use them.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crypto_assets.resources.aws import Aws
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.request import watching
from crypto_assets_tests.doubles.router import Router, await_held, routing
from crypto_assets_tests.helpers.loopback import answers, free_port
from crypto_assets_tests.helpers.priced import Priced
from crypto_assets_tests.helpers.processes import logged
from crypto_assets_tests.helpers.roles import ORCHESTRATOR, Admin, Record, keys_of
from crypto_assets_tests.helpers.waiting import until

if TYPE_CHECKING:
    from crypto_assets_tests.doubles.emr_worker import Workers
    from crypto_assets_tests.doubles.redshift_double import RedshiftDouble
    from crypto_assets_tests.helpers.cloud import Cloud


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a ministack of this test session, on loopback only."""
    command = str(Path(sys.executable).with_name("ministack"))
    with serving_ministack(tmp_path_factory.mktemp("ministack"), command) as url:
        yield url


@contextmanager
def serving_ministack(folder: Path, *command: str) -> Iterator[str]:
    """The address of a ministack that this command starts, on loopback only."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "ERROR",
        "TMPDIR": str(folder),
    }
    with logged(folder / "ministack.log", *command, environment=environment) as process:
        url = f"http://127.0.0.1:{port}"
        until("ministack", lambda: answers(f"{url}/_ministack/health"), by=process)
        yield url


@pytest.fixture(scope="session")
def gateway(ministack: str) -> Iterator[str]:
    """The address of ministack behind a router that only sees what is asked."""
    with routing(ministack) as router:
        yield router.url


@pytest.fixture(scope="session")
def record() -> Iterator[Record]:
    """What is asked of AWS in this test session, as far as it goes through a router."""
    record = Record()
    with watching(record):
        yield record


@pytest.fixture
def asked() -> Iterator[Priced]:
    """Counts what is asked of AWS meanwhile, as far as it goes through a router."""
    with watching(asked := Priced()):
        yield asked


def give_keys(patch: pytest.MonkeyPatch, keys: Mapping[str, str]) -> None:
    """These credentials for this process and its children, and no others; boto3 waits."""
    await_held(patch)
    for name in list(os.environ):
        if name.startswith("AWS_"):
            patch.delenv(name)
    for name, value in keys.items():
        patch.setenv(name, value)
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.setenv("AWS_CONFIG_FILE", os.devnull)
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def on_a_bucket(bucket: str, url: str) -> dict[str, str]:
    """The settings of uploads and lake in a bucket, and everything else on this machine."""
    values = {
        "INBOX": "s3",
        "LAKE": "s3",
        "AWS_INBOX": f"s3://{bucket}/inbox",
        "AWS_LAKE": f"s3://{bucket}/lake",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
    }
    return {f"CRYPTO_ASSETS_{name}": value for name, value in values.items()}


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, record: Record) -> Iterator[None]:
    """Made-up credentials of the orchestrator for this test and its children, and no others.

    Fails the test if somebody asked AWS for what the policy of the role does not allow.
    """
    give_keys(monkeypatch, keys_of(ORCHESTRATOR))
    yield
    refused = "\n".join(record.refused())
    assert not refused, (
        f"deploy/iam or the template does not allow this, and it was not asked as admin:\n{refused}"
    )


@pytest.fixture
def aws(gateway: str, credentials: None) -> Aws:
    """AWS as the product asks it."""
    return Aws(region=REGION, endpoint_url=gateway)


@pytest.fixture
def admin(ministack: str) -> Admin:
    """Who prepares a test's resources and looks at them."""
    return Admin(ministack)


@pytest.fixture
def router(ministack: str, credentials: None) -> Iterator[Router]:
    """A router in front of ministack, for this test alone."""
    with routing(ministack) as router:
        yield router


@pytest.fixture
def bucket(admin: Admin, credentials: None) -> str:
    """A new bucket, named for this test alone."""
    return _made(admin, "test")


@pytest.fixture(scope="session")
def shared_bucket(ministack: str) -> str:
    """One bucket for many tests: each would have to upload the jobs' artifact to one of its own."""
    return _made(Admin(ministack), "shared")


def _made(admin: Admin, kind: str) -> str:
    """The name of a new bucket."""
    name = f"{kind}-{uuid.uuid4().hex[:12]}"
    admin.client("s3").create_bucket(
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
def redshift(gateway: str) -> Iterator[RedshiftDouble]:
    """A double of Redshift with a PostgreSQL of its own."""
    from crypto_assets_tests.doubles.redshift_double import serving_redshift

    with serving_redshift(gateway) as double:
        yield double


@pytest.fixture
def cloud(
    ministack: str,
    gateway: str,
    credentials: None,
    shared_bucket: str,
    redshift: RedshiftDouble,
    workers: Workers,
    home: Path,
) -> Iterator[Cloud]:
    """All of profile `aws`."""
    from crypto_assets_tests.helpers.cloud import raised

    with raised(ministack, gateway, shared_bucket, redshift, workers) as cloud:
        yield cloud
