"""The job on customer accounts with everything it reads and writes in S3."""

from __future__ import annotations

import hashlib

import pytest

from crypto_assets.resources.engine.local import SailEngine
from crypto_assets.spark.accounts.data_set import ACCOUNTS as DATA_SET
from crypto_assets.spark.accounts.snapshot import Snapshot
from crypto_assets.spark.accounts.tables import CHANGES, CUSTOMER_ACCOUNTS, STORED
from crypto_assets.spark.job_spec import JobSpec, Upload
from crypto_assets.spark.run import run
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.account_files import ACCOUNTS, CUSTOMERS, NAME
from crypto_assets_tests.helpers.roles import JOB, keys_of


@pytest.fixture
def s3(admin, gateway, credentials, monkeypatch):
    """A client of the S3 that the engine and its readers find too, with the role of a job."""
    for name, value in keys_of(JOB).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL", gateway)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    return admin.client("s3")


def test_a_snapshot_and_the_same_again_are_computed_and_the_second_changes_nothing(s3, bucket):
    uploads = {}
    for kind, text in {"customers": CUSTOMERS, "accounts": ACCOUNTS}.items():
        key = f"inbox/_contents/{kind}.csv"
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
        etag = hashlib.sha256(text.encode()).hexdigest()
        uploads[kind] = Upload(f"s3://{bucket}/{key}", f"{kind}.csv", etag)
    roots = [f"s3://{bucket}/lake/_staging/{name}" for name in ("first", "second")]
    verdicts = {}
    with SailEngine().session() as session:
        for stored, staging in zip((None, NAME), roots, strict=True):
            snapshot = Snapshot(NAME, "2026-11-21T15:36:27Z", uploads, stored=stored)
            layers, partitions = tuple(DATA_SET.layers), (snapshot.partition(),)
            spec = JobSpec(DATA_SET.job, staging, roots[0], layers, partitions)
            for result in run(session, spec):
                (verdicts[staging, result.layer],) = result.verdicts
    assert [verdict.problems for verdict in verdicts.values()] == [()] * 8
    done = [verdicts[root, "customer_account_store"].measures for root in roots]
    assert [(each["inserted"], each["unchanged"]) for each in done] == [(5, 0), (0, 5)]
    years = verdicts[roots[1], "customer_accounts"].measures["years"]
    assert {year: found["files"] for year, found in years.items()} == {
        "unknown": 1,
        "2019": 1,
        "2020": 1,
    }
    second = "lake/_staging/second/"
    found = s3.list_objects_v2(Bucket=bucket, Prefix=second)["Contents"]
    keys = [each["Key"].removeprefix(second) for each in found if each["Key"].endswith(".parquet")]
    for folder, count in {
        CHANGES.folders(NAME)[0]: 1,
        STORED.folders(NAME)[0]: 1,
        f"{CUSTOMER_ACCOUNTS.path}/created_at_year=__HIVE_DEFAULT_PARTITION__": 1,
    }.items():
        assert len([key for key in keys if key.startswith(f"{folder}/")]) == count
    assert not [each["Key"] for each in found if each["Key"].endswith("/")]
