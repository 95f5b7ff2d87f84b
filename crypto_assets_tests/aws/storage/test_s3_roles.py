"""Uploads in parts and conditional writes: what the policy of each role allows of them."""

from __future__ import annotations

import pytest

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.errors import RefusedError
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.request import watching
from crypto_assets_tests.helpers import roles
from crypto_assets_tests.helpers.iam import listed
from crypto_assets_tests.helpers.roles import COPY, JOB, ORCHESTRATOR, UPLOADER, Record, policy

LARGE = 9 * 2**20  # boto3 sends in parts from 8 MiB on
ABORT = "s3:AbortMultipartUpload"


@pytest.fixture
def objects(router, bucket, tmp_path, monkeypatch):
    """The objects below a folder of the test's bucket, as who has this access key."""

    def objects_of(key, folder):
        for name, value in roles.keys_of(key).items():
            monkeypatch.setenv(name, value)
        aws = Aws(region=REGION, endpoint_url=router.url)
        return S3Objects(aws=aws, root=f"s3://{bucket}/{folder}", locks=str(tmp_path / "locks"))

    return objects_of


@pytest.fixture
def break_off(objects, router, tmp_path):
    """Sends a large file whose parts S3 refuses."""
    (source := tmp_path / "large").write_bytes(b"x" * LARGE)

    def send(key, folder, name):
        router.fail("s3", 99, method="PUT", status=403, code="AccessDenied")
        with pytest.raises(RefusedError, match="AWS refuses UploadPart"):
            objects(key, folder).upload(source, name, lambda _: None)

    return send


def without(action):
    """The policies of all roles, each without this action."""

    def lesser(role):
        statements = [
            {**one, "Action": [each for each in listed(one["Action"]) if each != action]}
            for one in policy(role)["Statement"]
        ]
        return {"Statement": statements}

    return lesser


def actions(refused):
    return {line.split()[1] for line in refused}


@pytest.mark.parametrize(
    ("role", "key", "folder", "name"),
    [
        ("uploader", UPLOADER, "inbox", "btc.csv"),
        ("orchestrator", ORCHESTRATOR, "inbox", "btc.csv"),
        ("orchestrator", ORCHESTRATOR, "lake", "_artifacts/large.zip"),
        ("job", JOB, "lake", "_staging/run/large.parquet"),
    ],
)
def test_who_sends_a_large_file_may_end_what_broke_off_and_needs_the_permission(
    break_off, admin, bucket, record, monkeypatch, role, key, folder, name
):
    with watching(seen := Record()):
        break_off(key, folder, name)
    assert admin.client("s3").list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    assert record.refused() == []
    with monkeypatch.context() as patch:
        patch.setattr(roles, "policy", without(ABORT))
        assert seen.refused() == [f"{role}: {ABORT} on arn:aws:s3:::{bucket}/{folder}/{name}"]


@pytest.mark.parametrize(
    ("key", "folder", "name"),
    [
        (COPY, "lake", "load/ticker=BTC/data.parquet"),
        (UPLOADER, "lake", "_artifacts/large.zip"),
        (JOB, "lake", "gold/ticker=BTC/data.parquet"),
    ],
)
def test_who_has_no_business_there_may_neither_send_a_large_file_nor_end_it(
    break_off, record, key, folder, name
):
    break_off(key, folder, name)
    assert {"s3:PutObject", ABORT} <= actions(record.refused())


@pytest.mark.parametrize(
    ("key", "refused"),
    [
        (JOB, set()),
        (
            COPY,
            {
                "s3:PutObject",
                "kms:GenerateDataKey",
                "s3:ListBucketMultipartUploads",
                "s3:ListMultipartUploadParts",
                ABORT,
            },
        ),
    ],
)
def test_a_job_may_clear_the_parts_of_a_task_that_was_given_up_and_copy_may_not(
    router, bucket, record, key, refused
):
    s3, place = roles.client_of(key, router.url, "s3"), "lake/_staging/run/part-0.parquet"
    one = {"Bucket": bucket, "Key": place}
    one["UploadId"] = s3.create_multipart_upload(**one)["UploadId"]
    s3.upload_part(**one, PartNumber=1, Body=b"x")
    (left,) = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert (left["Key"], len(s3.list_parts(**one)["Parts"])) == (place, 1)
    s3.abort_multipart_upload(**one)
    assert actions(record.refused()) == refused


@pytest.mark.parametrize(
    ("key", "refused"),
    [
        (JOB, set()),
        (COPY, {"s3:PutObject", "s3:GetObject", "kms:GenerateDataKey"}),
    ],
)
def test_a_job_may_write_and_copy_on_a_condition_where_it_stages_and_copy_may_not(
    objects, record, key, refused
):
    """Our code in a job writes without conditions; a client that asks for one needs no more."""
    staging = objects(key, "lake/_staging/run")
    etag = staging.replace("a", b"1", None)
    staging.replace("a", b"2", etag)
    etag = staging.move("a", "b", None)
    staging.move("a", "b", etag)
    assert staging.read("b") == b"2"
    assert actions(record.refused()) == refused
