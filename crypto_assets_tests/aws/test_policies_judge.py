"""How a request is judged: which actions it asks for, and when a policy allows one."""

from __future__ import annotations

import json

import pytest

from crypto_assets_tests.doubles.request import Request, request_of
from crypto_assets_tests.helpers.iam import Call, allows
from crypto_assets_tests.helpers.iam_calls import KEY, calls_of
from crypto_assets_tests.helpers.roles import ADMIN, FUNCTION, JOB, UPLOADER, Record

BUCKET = "arn:aws:s3:::b"
ENCRYPT, DECRYPT = f"kms:GenerateDataKey {KEY}", f"kms:Decrypt {KEY}"
READ_A = ["s3:GetObject arn:aws:s3:::b/a", "s3:ListBucket arn:aws:s3:::b", DECRYPT]
AT = "eu-central-1:123456789012"
EMR = f"arn:aws:emr-serverless:{AT}:/applications/00f"
START = json.dumps({"executionRoleArn": "arn:aws:iam::1:role/r", "tags": {"a": "b"}})
ITEMS = json.dumps({"RequestItems": {"One": [], "Two": []}})
RECEIPTS = json.dumps({"QueueUrl": "http://127.0.0.1/000000000000/q", "Entries": []})


def asked(
    service: str, method: str, url: str, body: str = "", key: str = JOB, **headers
) -> Request:
    """A signed request; the underscores of header names stand for hyphens."""
    scope = f"Credential={key}/20261126/eu-central-1/{service}/aws4_request"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request_of(method, url, {"Authorization": scope, **named}, body.encode())


@pytest.mark.parametrize(
    ("request_", "calls"),
    [
        (asked("s3", "GET", "/b/a?partNumber=1"), READ_A),
        (asked("s3", "HEAD", "/b/a"), READ_A),
        (asked("s3", "GET", "/b?list-type=2&prefix=x"), ["s3:ListBucket arn:aws:s3:::b"]),
        (asked("s3", "HEAD", "/b"), ["s3:ListBucket arn:aws:s3:::b"]),
        (asked("s3", "GET", "/b?notification"), ["s3:GetBucketNotification arn:aws:s3:::b"]),
        (asked("s3", "GET", "/b?acl"), ["s3:unknown ('GET', 'acl') arn:aws:s3:::b"]),
        (asked("s3", "PUT", "/b/%C3%BC"), ["s3:PutObject arn:aws:s3:::b/ü", ENCRYPT]),
        (
            asked("s3", "PUT", "/b/a", If_Match='"etag"'),
            ["s3:PutObject arn:aws:s3:::b/a", ENCRYPT, "s3:GetObject arn:aws:s3:::b/a"],
        ),
        (
            asked("s3", "PUT", "/b/c", x_amz_copy_source="b/a"),
            ["s3:PutObject arn:aws:s3:::b/c", ENCRYPT, *READ_A],
        ),
        (
            asked("s3", "POST", "/b/a?uploads"),
            ["s3:PutObject arn:aws:s3:::b/a", ENCRYPT, DECRYPT],
        ),
        (asked("s3", "DELETE", "/b/a?uploadId=1"), ["s3:AbortMultipartUpload arn:aws:s3:::b/a"]),
        (
            asked("s3", "DELETE", "/b/a?X-Amz-Date=1&versionId=1"),
            ["s3:DeleteObjectVersion arn:aws:s3:::b/a"],
        ),
        (
            asked("s3", "POST", "/b?delete", "<Key>a</Key><Key>b&amp;c</Key>"),
            ["s3:DeleteObject arn:aws:s3:::b/a", "s3:DeleteObject arn:aws:s3:::b/b&c"],
        ),
        (
            asked("emr-serverless", "POST", "/applications/00f/jobruns", START),
            [
                f"emr-serverless:StartJobRun {EMR}",
                "iam:PassRole arn:aws:iam::1:role/r",
                f"emr-serverless:TagResource {EMR}/jobruns/new",
            ],
        ),
        (
            asked("emr-serverless", "DELETE", "/applications/00f/jobruns/00g"),
            [f"emr-serverless:CancelJobRun {EMR}/jobruns/00g"],
        ),
        (
            asked("dynamodb", "POST", "/", ITEMS, X_Amz_Target="DynamoDB_20120810.BatchWriteItem"),
            [
                f"dynamodb:BatchWriteItem arn:aws:dynamodb:{AT}:table/{name}"
                for name in ("One", "Two")
            ],
        ),
        (
            asked("sqs", "POST", "/", RECEIPTS, X_Amz_Target="AmazonSQS.DeleteMessageBatch"),
            [f"sqs:DeleteMessage arn:aws:sqs:{AT}:q"],
        ),
        (
            asked("events", "POST", "/", '{"Name": "r"}', X_Amz_Target="AWSEvents.DescribeRule"),
            [f"events:DescribeRule arn:aws:events:{AT}:rule/r"],
        ),
        (asked("ec2", "POST", "/", "{}", X_Amz_Target="DescribeVpcs"), ["ec2:DescribeVpcs *"]),
    ],
)
def test_a_request_asks_for_its_action_and_for_those_it_leads_to(request_, calls):
    assert [f"{call.action} {call.resource}" for call in calls_of(request_)] == calls


def statement(action="s3:GetObject", resource=f"{BUCKET}/*", effect="Allow", **condition):
    one = {"Effect": effect, "Action": action, "Resource": resource}
    return {**one, "Condition": {"StringEquals": condition}} if condition else one


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([], False),
        ([statement()], True),
        ([statement("s3:getobject")], True),
        ([statement("s3:Get*")], True),
        ([statement("s3:PutObject")], False),
        ([statement(["s3:PutObject", "s3:GetObject"])], True),
        ([statement(resource=BUCKET)], False),
        ([statement(resource=f"{BUCKET}/f?lder/*")], True),
        ([statement(resource="arn:aws:*/file")], False),
        ([statement(resource="*")], True),
        ([statement(), statement(effect="Deny")], False),
        ([statement(), statement(resource=f"{BUCKET}/other", effect="Deny")], True),
        ([statement(owner="ann")], True),
        ([statement(owner="bob")], False),
        ([statement(owner=["bob", "ann"])], True),
        ([statement(owner="${user}")], True),
        ([statement(owner="ann", absent="x")], False),
        ([statement(), statement(effect="Deny", owner="bob")], True),
    ],
)
def test_a_call_is_allowed_by_one_statement_unless_another_denies_it(statements, allowed):
    call = Call("s3:GetObject", f"{BUCKET}/folder/file", {"owner": "ann", "user": "ann"})
    assert allows({"Statement": statements}, call) is allowed


def test_what_a_policy_says_in_a_way_that_is_not_judged_here_is_an_error():
    with pytest.raises(KeyError, match="NotAction"):
        allows({"Statement": [{**statement(), "NotAction": "s3:*"}]}, Call("s3:GetObject", BUCKET))


def test_a_call_that_no_policy_allows_is_reported_with_role_action_and_resource():
    record = Record()
    for request in (
        asked("s3", "GET", "/test-0a1b/inbox/btc.csv", key=UPLOADER),
        asked("s3", "DELETE", "/test-0a1b/inbox/btc.csv", key=UPLOADER),
        asked("s3", "DELETE", "/test-0a1b/inbox/btc.csv", key=ADMIN),
        asked("s3", "PUT", "/test-0a1b/the/lake/_staging/run/file", key=JOB),
        asked("s3", "PUT", "/test-0a1b/lake/gold/file", key=JOB),
        asked("s3", "HEAD", "/test-0a1b", key=FUNCTION),
        request_of("HEAD", "/test-0a1b", {}, b""),
    ):
        record(request)
    assert record.refused() == [
        "uploader: s3:DeleteObject on arn:aws:s3:::test-0a1b/inbox/btc.csv",
        "job: s3:PutObject on arn:aws:s3:::test-0a1b/lake/gold/file",
        "stream-function: s3:ListBucket on arn:aws:s3:::test-0a1b",
        "nobody (''): :unknown on *",
    ]
    assert record.refused() == []
