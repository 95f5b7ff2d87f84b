"""A job reads uploads from S3 with the credentials it has; S3's faults are never a file's."""

from __future__ import annotations

import hashlib
from collections import Counter
from types import SimpleNamespace

import pytest

from crypto_assets.spark import each, objects
from crypto_assets.spark.job_spec import JobSpec, Upload, answer_from_json
from crypto_assets.spark.market_data.currency import Choices, Currency
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv
from crypto_assets_tests.helpers.roles import COPY, JOB, keys_of

HISTORY = "inbox/_contents/BTC history.csv"


@pytest.fixture
def waited(monkeypatch):
    """The seconds that were waited for S3, without waiting."""
    seconds: list[float] = []
    monkeypatch.setattr(objects, "time", SimpleNamespace(sleep=seconds.append))
    monkeypatch.setattr(objects, "_ATTEMPTS", 1)
    return seconds


@pytest.fixture
def job(router, admin, bucket, waited, monkeypatch):
    """Computes BTC from the bucket, behind the router; gives its verdicts."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", router.url)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setattr(objects, "_last_failed", False)
    objects._client.cache_clear()
    for name, value in keys_of(JOB).items():
        monkeypatch.setenv(name, value)
    s3 = admin.client("s3")
    uploads = {}
    for kind, key, text in (
        ("history", HISTORY, history_csv()),
        ("trend", "inbox/_contents/BTC trend.csv", trend_csv("BTC")),
    ):
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
        etag = hashlib.sha256(text.encode()).hexdigest()
        uploads[kind] = Upload(f"s3://{bucket}/{key}", key.rpartition("/")[2], etag)

    def compute(**changed):
        currency = Currency("BTC", uploads | changed, Choices())
        layers = ("bronze", "silver", "gold")
        lake = f"s3://{bucket}/lake"
        partitions = (currency.partition(),)
        spec = JobSpec(MARKET_DATA.job, f"{lake}/_staging/run", lake, layers, partitions)
        answer = answer_from_json(each.answer(each.pieces(spec)[0]))
        assert answer.fault is None
        return answer.verdicts

    yield compute
    objects._client.cache_clear()


def test_what_a_job_makes_is_staged_in_the_bucket(job, admin, bucket, router):
    assert [verdict.problems for verdict in job()] == [(), (), ()]
    staged = admin.client("s3").list_objects_v2(Bucket=bucket, Prefix="lake/_staging/run/")
    names = {found["Key"].rpartition("/")[2] for found in staged["Contents"]}
    assert names == {
        "bronze,kind=history,ticker=BTC.parquet",
        "bronze,kind=trend,ticker=BTC.parquet",
        "silver,history,ticker=BTC.parquet",
        "silver,trend,ticker=BTC.parquet",
        "gold,ticker=BTC.parquet",
    }
    assert router.operations("s3") == {"GET": 2, "PUT": 5}  # and none to find a region


def test_what_a_job_reads_and_writes_its_role_may_and_the_role_of_copy_may_not(
    job, record, monkeypatch
):
    job()
    assert record.refused() == []
    for name, value in keys_of(COPY).items():
        monkeypatch.setenv(name, value)
    objects._client.cache_clear()
    job()
    refused = [line.split(" on ")[0] for line in record.refused()]
    assert Counter(refused) == {
        "copy: s3:GetObject": 2,
        "copy: s3:PutObject": 5,
        "copy: kms:GenerateDataKey": 1,
    }


@pytest.mark.parametrize(
    ("status", "code", "cure"),
    [
        (403, "AccessDenied", "allow it in the policy of the job's role"),
        (404, "NoSuchBucket", "look at the settings of inbox and lake"),
        (400, "ExpiredToken", "renew the job's credentials"),
        (503, "SlowDown", "run again later"),
        (500, "InternalError", "run again later"),
        (501, "NotImplemented", "see the documentation of S3"),
    ],
)
def test_what_s3_refuses_is_its_fault_and_not_the_files(job, router, status, code, cure):
    router.fail("s3", 1000, status=status, code=code, method="GET")
    (verdict,) = job()
    assert verdict.passing
    assert len(verdict.problems) == 1
    assert verdict.problems[0].startswith("S3 refuses GetObject of s3://")
    assert verdict.problems[0].endswith(f"{HISTORY}: {code}; {cure}")


def test_a_minute_of_503_is_waited_for(job, router, waited):
    router.fail("s3", 7, status=503, code="SlowDown", method="GET")
    assert [verdict.problems for verdict in job()] == [(), (), ()]
    assert sum(waited) >= 60


def test_only_the_first_object_waits_for_a_service_that_is_away(job, router, waited):
    router.fail("s3", 1000, status=503, code="SlowDown", method="GET")
    job()
    first = len(waited)
    job()
    assert first
    assert len(waited) == first
    router.forget()
    assert all(verdict.passed for verdict in job())


def test_a_time_out_is_a_fault_of_the_service(job, router, monkeypatch):
    monkeypatch.setattr(objects, "_READ_S", 0.2)
    monkeypatch.setattr(objects, "_WAITS_S", ())
    held = router.hold("s3", method="GET")
    try:
        (verdict,) = job()
    finally:
        held.release.set()
    assert verdict.passing
    assert "S3 does not answer for s3://" in verdict.problems[0]
    assert "timed out" in verdict.problems[0] or "Timeout" in verdict.problems[0]


@pytest.mark.parametrize("drop", ["before", "within", "after"])
def test_a_connection_that_breaks_is_tried_again(job, router, drop):
    router.fail("s3", 2, drop=drop, method="GET")
    assert [verdict.problems for verdict in job()] == [(), (), ()]


def test_without_credentials_nothing_is_asked(job, router, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    (verdict,) = job()
    assert verdict.passing
    assert verdict.problems[0].startswith("the job has no credentials for S3")
    assert not router.requests


def test_an_upload_that_is_gone_is_asked_for_again(job, bucket):
    gone = Upload(f"s3://{bucket}/inbox/_contents/gone.csv", "gone.csv", "0" * 64)
    (verdict,) = job(history=gone)
    assert not verdict.passing
    assert "upload it again" in verdict.problems[0]


def test_a_fault_while_staging_is_no_verdict_on_the_file(job, router):
    router.fail("s3", 1, status=403, code="AccessDenied", method="PUT")
    (verdict,) = job()
    assert verdict.passing
    assert verdict.problems[0].startswith("S3 refuses PutObject of s3://")
