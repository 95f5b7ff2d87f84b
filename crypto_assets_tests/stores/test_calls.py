"""How stores of others answer the conditions of writes and copies: the list of `docs/spark.md`."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets.spark import objects as job
from crypto_assets_tests.doubles import REGION

OTHER = '"' + "0" * 32 + '"'
UNMET, MET = "is not met", "is met"
# By condition, and whether it is met: the status of the answer.
ANSWERS = {
    "radosgw": {
        ("PutObject", "If-None-Match", UNMET): 412,
        ("PutObject", "If-None-Match", MET): 200,
        ("PutObject", "If-Match", UNMET): 412,
        ("PutObject", "If-Match", MET): 412,
        ("CopyObject", "If-None-Match", UNMET): 200,
        ("CopyObject", "If-None-Match", MET): 200,
        ("CopyObject", "If-Match", UNMET): 200,
        ("CopyObject", "If-Match", MET): 200,
    },
    "swift": {
        (call, condition, met): 501
        for call in ("PutObject", "CopyObject")
        for condition in ("If-None-Match", "If-Match")
        for met in (UNMET, MET)
    },
}


def status(request, **arguments):
    try:
        answer = request(**arguments)
    except ClientError as refused:
        answer = refused.response
    return answer["ResponseMetadata"]["HTTPStatusCode"]


def test_each_condition_is_answered_as_documented(s3, bucket, store, request):
    def answer(call, condition, met):
        etag = s3.put_object(Bucket=bucket, Key="present", Body=b"present")["ETag"]
        s3.put_object(Bucket=bucket, Key="new", Body=b"new")
        s3.delete_object(Bucket=bucket, Key="absent")
        key = "absent" if (condition, met) == ("If-None-Match", MET) else "present"
        wanted = (
            {"IfNoneMatch": "*"}
            if condition == "If-None-Match"
            else {"IfMatch": etag if met == MET else OTHER}
        )
        if call == "PutObject":
            return status(s3.put_object, Bucket=bucket, Key=key, Body=b"new", **wanted)
        source = {"Bucket": bucket, "Key": "new"}
        return status(s3.copy_object, Bucket=bucket, Key=key, CopySource=source, **wanted)

    wanted = ANSWERS[request.node.callspec.params["store"]]
    assert {each: answer(*each) for each in wanted} == wanted


@pytest.mark.parametrize("store", ["radosgw"], indirect=True)
def test_over_tls_objects_are_written_in_a_form_that_the_store_knows(
    store, bucket, tmp_path, monkeypatch
):
    """By itself boto3 sends checksums in chunks then, which neither of the two stores knows."""
    monkeypatch.setenv("AWS_CA_BUNDLE", store.certificate)
    objects = S3Objects(
        aws=Aws(region=REGION, endpoint_url=store.tls_url), root=f"s3://{bucket}", locks=""
    )
    objects.write("a", b"written")
    (source := tmp_path / "source").write_bytes(b"x" * (9 * 2**20))
    objects.upload(source, "b", lambda _: None)
    assert objects.read("a") == b"written"
    assert objects.holds(source, "b")
    monkeypatch.setenv("AWS_ENDPOINT_URL", store.tls_url)
    monkeypatch.setenv("AWS_REGION", REGION)
    job._client.cache_clear()
    job.write(objects.uri("c"), b"computed")
    job._client.cache_clear()
    assert objects.read("c") == b"computed"
