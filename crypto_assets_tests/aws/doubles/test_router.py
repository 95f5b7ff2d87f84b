"""The router of the tests: requests arrive where they belong, are counted, fail on request."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from crypto_assets.resources.aws import Aws
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.router import routing, serving
from crypto_assets_tests.helpers.roles import ADMIN, keys_of


class _Applications(BaseHTTPRequestHandler):
    """Knows of every application that its state is CREATED."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b'{"application": {"applicationId": "00f", "state": "CREATED"}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def router(ministack, credentials, monkeypatch):
    for name, value in keys_of(ADMIN).items():
        monkeypatch.setenv(name, value)
    with serving(_Applications) as url, routing(ministack, {"emr-serverless": url}) as router:
        yield router


@pytest.fixture
def routed(router):
    return Aws(region=REGION, endpoint_url=router.url)


@pytest.fixture
def s3(routed):
    return routed.client("s3")


@pytest.fixture
def once(router):
    """A client of S3 that tries once."""
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    return boto3.client("s3", region_name=REGION, endpoint_url=router.url, config=config)


def code(refused):
    return refused.value.response["Error"]["Code"]


def test_each_service_gets_its_own_requests_and_they_are_counted(router, routed, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a b/ü", Body=b"content")
    assert s3.get_object(Bucket=bucket, Key="a b/ü")["Body"].read() == b"content"
    assert s3.head_object(Bucket=bucket, Key="a b/ü")["ContentLength"] == 7
    found = routed.client("emr-serverless").get_application(applicationId="00f")
    assert found["application"]["state"] == "CREATED"
    queue = routed.client("sqs").create_queue(QueueName=bucket)["QueueUrl"]
    routed.client("sqs").send_message(QueueUrl=queue, MessageBody="x")
    topic = routed.client("sns").create_topic(Name=bucket)["TopicArn"]
    assert bucket in topic
    assert router.operations("s3") == {"PUT": 1, "GET": 1, "HEAD": 1}
    assert router.operations("sqs") == {"CreateQueue": 1, "SendMessage": 1}
    assert router.operations("sns") == {"CreateTopic": 1}
    assert router.count("emr-serverless", "GET", "/applications/.*") == 1
    assert router.count("s3", path=f"/{bucket}/a b/ü") == 3


def test_large_bodies_pass_whole_in_many_threads(s3, bucket):
    content = {n: os.urandom(9_000_000 + n) for n in range(4)}

    def there_and_back(number):
        s3.put_object(Bucket=bucket, Key=str(number), Body=content[number])
        content[number] = (
            content[number] == s3.get_object(Bucket=bucket, Key=str(number))["Body"].read()
        )

    threads = [threading.Thread(target=there_and_back, args=(n,)) for n in content]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert content == dict.fromkeys(range(4), True)


def test_the_next_requests_of_a_kind_get_an_error_and_those_behind_them_do_not(
    router, once, bucket
):
    router.fail("s3", 2, status=503, code="SlowDown", method="PUT", path=".*/parts/.*")
    once.put_object(Bucket=bucket, Key="other", Body=b"")
    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            once.put_object(Bucket=bucket, Key="parts/1", Body=b"")
        assert code(refused) == "SlowDown"
    once.put_object(Bucket=bucket, Key="parts/1", Body=b"")


def test_a_client_of_ours_gets_over_errors_and_lost_connections(router, routed, s3, bucket):
    router.fail("s3", 2, method="PUT")
    router.fail("s3", drop="before", method="PUT")
    s3.put_object(Bucket=bucket, Key="a", Body=b"content")
    assert router.count("s3", "PUT") == 4
    router.fail("sqs", status=400, code="ThrottlingException", operation="ListQueues")
    routed.client("sqs").list_queues()
    assert router.operations("sqs") == {"ListQueues": 2}


def test_a_lost_answer_comes_after_what_was_asked_is_done(router, once, bucket):
    router.fail("s3", drop="after", method="PUT")
    with pytest.raises(ConnectionClosedError):
        once.put_object(Bucket=bucket, Key="a", Body=b"content")
    assert once.get_object(Bucket=bucket, Key="a")["Body"].read() == b"content"


def test_a_copy_is_made_only_where_its_condition_on_the_destination_holds(s3, bucket):
    def copy(**condition):
        source = {"Bucket": bucket, "Key": "new"}
        s3.copy_object(Bucket=bucket, Key="published", CopySource=source, **condition)

    s3.put_object(Bucket=bucket, Key="new", Body=b"new")
    with pytest.raises(ClientError) as refused:
        copy(IfMatch='"none"')
    assert code(refused) == "NoSuchKey"
    copy(IfNoneMatch="*")
    with pytest.raises(ClientError) as refused:
        copy(IfNoneMatch="*")
    assert code(refused) == "PreconditionFailed"
    with pytest.raises(ClientError) as refused:
        copy(IfMatch='"other"')
    assert code(refused) == "PreconditionFailed"
    copy(IfMatch=s3.head_object(Bucket=bucket, Key="published")["ETag"])


def test_of_many_copies_under_one_condition_one_is_made(s3, bucket):
    s3.put_object(Bucket=bucket, Key="new", Body=b"new")
    made = []

    def copy():
        source = {"Bucket": bucket, "Key": "new"}
        try:
            s3.copy_object(Bucket=bucket, Key="lock", CopySource=source, IfNoneMatch="*")
        except ClientError:
            return
        made.append(True)

    threads = [threading.Thread(target=copy) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [True]
