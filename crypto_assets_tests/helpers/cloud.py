"""The whole of profile `aws` on loopback: bucket, queue, jobs and warehouse behind one address."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from crypto_assets.resources.settings import Settings
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.behind_router import BehindRouter
from crypto_assets_tests.doubles.emr_double import APPLICATION, EmrDouble, emr_double
from crypto_assets_tests.doubles.emr_double import ROLE as JOB_ROLE
from crypto_assets_tests.doubles.emr_worker import Workers
from crypto_assets_tests.doubles.redshift_double import ROLE as COPY_ROLE
from crypto_assets_tests.doubles.redshift_double import RedshiftDouble
from crypto_assets_tests.doubles.router import await_held, routing
from crypto_assets_tests.helpers.roles import Admin
from crypto_assets_tests.helpers.upload_queue import make_queue


@dataclass
class Cloud(BehindRouter):
    """What the tests look at and disturb."""

    jobs: EmrDouble
    redshift: RedshiftDouble
    bucket: str
    queue_url: str

    def keys(self, prefix: str) -> list[str]:
        """The keys of the bucket below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in found for entry in page.get("Contents", ())]

    @property
    def environment(self) -> dict[str, str]:
        """The settings of profile `aws`, as environment variables."""
        return {
            "CRYPTO_ASSETS_PROFILE": "aws",
            "CRYPTO_ASSETS_AWS_REGION": REGION,
            "CRYPTO_ASSETS_AWS_ENDPOINT_URL": self.router.url,
            "CRYPTO_ASSETS_AWS_INBOX": f"s3://{self.bucket}/inbox",
            "CRYPTO_ASSETS_AWS_LAKE": f"s3://{self.bucket}/lake",
            "CRYPTO_ASSETS_AWS_QUEUE_URL": self.queue_url,
            "CRYPTO_ASSETS_AWS_EMR_APPLICATION_ID": APPLICATION,
            "CRYPTO_ASSETS_AWS_EMR_ROLE_ARN": JOB_ROLE,
            "CRYPTO_ASSETS_AWS_REDSHIFT_WORKGROUP": "analytics",
            "CRYPTO_ASSETS_AWS_REDSHIFT_ROLE_ARN": COPY_ROLE,
        }


@contextmanager
def raised(
    ministack: str, gateway: str, bucket: str, redshift: RedshiftDouble, workers: Workers
) -> Iterator[Cloud]:
    """A cloud on this bucket.

    Afterwards the bucket has nothing but the jobs' artifact, which takes seconds to upload, and
    there is no queue.
    """
    redshift.reset()
    with (
        emr_double(workers, gateway) as (jobs, url),
        routing(ministack, {"emr-serverless": url, "redshift-data": redshift.url}) as router,
    ):
        admin = Admin(ministack)
        queue = make_queue(admin, bucket, visible_after_s=60, max_receives=5)
        queue_url = queue.url.replace(ministack, router.url)
        cloud = Cloud(router, jobs, redshift, bucket, queue_url)
        try:
            yield cloud
        finally:
            router.forget()
            left = [{"Key": key} for key in cloud.keys("") if "/_artifacts/" not in key]
            if left:
                cloud.s3.delete_objects(Bucket=bucket, Delete={"Objects": left})
            for address in (queue.url, queue.dead_letters_url):
                admin.client("sqs").delete_queue(QueueUrl=address)


def settings_of(cloud: Cloud, home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of this process and its children: profile `aws` on this cloud.

    The artifact is built once for all homes of a test session, next to pytest's folder of the test.
    """
    artifacts = home.parents[1] / "artifacts"
    artifacts.mkdir(exist_ok=True)
    home.mkdir(exist_ok=True)
    (home / "artifacts").symlink_to(artifacts)
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    return Settings(home=home)


def hasten(patch: pytest.MonkeyPatch) -> None:
    """Lets time pass many times as fast for who waits for AWS, and hardly between attempts.

    What a statement's time limit is measured by goes on as it does: a busy machine is no hang.
    """
    await_held(patch)
    watch = SimpleNamespace(
        sleep=lambda seconds: time.sleep(seconds / 100), monotonic=lambda: time.monotonic() * 100
    )
    patch.setattr("crypto_assets.resources.engine.emr_watch.time", watch)
    statements = SimpleNamespace(
        sleep=lambda seconds: time.sleep(seconds / 20), monotonic=time.monotonic
    )
    patch.setattr("crypto_assets.resources.warehouse.data_api.time", statements)
    patch.setattr("crypto_assets.defs.verdicts.RETRY_SECONDS", 0.1)
