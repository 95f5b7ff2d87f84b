"""The doctor's round of the account: a piece is fit, missing, unfit or not looked at."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets.resources.aws import Aws
from crypto_assets_tests.aws.doctor.account import allow, found
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.loopback import free_port
from crypto_assets_tests.helpers.upload_queue import make_queue

IDENTITY = """<GetCallerIdentityResponse><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/ann</Arn><UserId>AIDA</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
DENIED = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>s3cr3t</Message></Error>"
DENIED += "</ErrorResponse>"


class Restricted(BaseHTTPRequestHandler):
    """An AWS in which only EMR Serverless and Redshift Serverless answer, which ministack has not.

    Both in the shapes of botocore's models; all else but the caller's identity is not permitted.
    """

    def answer(self):
        scene = self.server.scene
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if b"Action=GetCallerIdentity" in body:
            self.send(200, IDENTITY)
        elif self.path == "/applications/00fapp":
            self.send(200, json.dumps({"application": scene.application}))
        elif self.path.startswith("/applications/"):
            self.send_header_error("ResourceNotFoundException")
        elif self.headers.get("X-Amz-Target") == "RedshiftServerless.GetWorkgroup":
            self.send(200, json.dumps({"workgroup": {"status": scene.status}}))
        elif self.headers.get("X-Amz-Target"):
            self.send_header_error("AccessDeniedException")
        else:
            self.send(403, DENIED)

    do_GET = do_POST = do_HEAD = answer  # noqa: N815 - the base class's names

    def send_header_error(self, code):
        self.send(400, json.dumps({"__type": code, "message": "s3cr3t"}), code)

    def send(self, status, text, code=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        if code:
            self.send_header("x-amzn-ErrorType", code)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    def log_message(self, *words):
        pass


@pytest.fixture
def restricted(credentials):
    with ThreadingHTTPServer(("127.0.0.1", 0), Restricted) as server:
        server.scene = SimpleNamespace(
            aws=Aws(region=REGION, endpoint_url=f"http://127.0.0.1:{server.server_port}"),
            application={"releaseLabel": "emr-spark-8.1.0", "state": "STOPPED"},
            status="AVAILABLE",
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.scene
        server.shutdown()


def test_what_is_as_it_should_be_is_reported_with_what_it_is(said, account, admin, bucket, role):
    queue = make_queue(admin, bucket, visible_after_s=60, max_receives=5)
    topic = admin.client("sns").create_topic(Name=bucket)["TopicArn"]
    job = role(allow({"Service": ["ec2.amazonaws.com", "emr-serverless.amazonaws.com"]}))
    copy = role(allow({"Service": "redshift.amazonaws.com"}))
    account.namespace["iamRoles"] = [f"IamRole(applyStatus=in-sync, iamRoleArn={copy})"]
    assert said(
        inbox=f"s3://{bucket}/inbox",
        lake=f"s3://{bucket}/lake",
        queue_url=queue.url,
        topic_arn=topic,
        emr_application_id="00f1abcdefgh0123",
        emr_role_arn=job,
        redshift_workgroup="market",
        redshift_role_arn=copy,
    ) == {
        "credentials": (True, "account 000000000000, arn:aws:iam::000000000000:root"),
        "inbox": (True, f"s3://{bucket}/inbox {REGION}"),
        "inbox events": (True, "EventBridge gets the events of uploads"),
        "inbox writes": (True, "conditions of writes and copies hold"),
        "inbox key": (True, "AES256: no key is needed"),
        "queue": (True, "a message comes again after 60 s, 5 times in all"),
        "inbox rule": (True, f"rule {bucket} sends the events of uploads to the queue"),
        "dead letters": (True, "no event of an upload was given up"),
        "lake bucket": (True, f"s3://{bucket}/lake {REGION}"),
        "lake writes": (True, "conditions of writes and copies hold"),
        "lake key": (True, "AES256: no key is needed"),
        "application": (True, "00f1abcdefgh0123 emr-spark-8.1.0, stopped"),
        "application network": (True, "in no VPC: S3 is reached directly"),
        "job role": (True, f"{job} trusts emr-serverless.amazonaws.com"),
        "workgroup": (True, "market, available"),
        "namespace role": (True, f"namespace market has {copy}"),
        "workgroup network": (True, "in no VPC: S3 is reached directly"),
        "COPY role": (True, f"{copy} trusts redshift.amazonaws.com"),
        "topic": (True, topic),
    }


def test_a_setting_that_is_empty_is_named_unless_it_may_be(aws):
    said = found(aws)
    assert said.pop("credentials")[0]
    wanted = "INBOX LAKE EMR_APPLICATION_ID EMR_ROLE_ARN REDSHIFT_WORKGROUP"
    assert list(said.values()) == [
        (False, f"not set: set CRYPTO_ASSETS_AWS_{name}") for name in wanted.split()
    ]


def test_what_is_not_there_is_reported_with_the_setting_that_names_it(aws, bucket):
    arn = "arn:aws:sns:eu-central-1:000000000000:none"
    role = "arn:aws:iam::000000000000:role/none"
    said = found(
        aws,
        inbox=f"s3://{bucket}-none",
        lake=f"{bucket}-none",
        queue_url=f"{aws.endpoint_url}/000000000000/none",
        emr_role_arn=role,
        topic_arn=arn,
    )
    missing = "it is not there: create it or correct CRYPTO_ASSETS_AWS_"
    assert said["inbox"] == (False, f"s3://{bucket}-none: {missing}INBOX")
    assert said["queue"][1].endswith(f"{missing}QUEUE_URL")
    assert said["job role"] == (False, f"{role}: {missing}EMR_ROLE_ARN")
    assert said["topic"] == (False, f"{arn}: {missing}TOPIC_ARN")
    assert said["lake bucket"][0] is False
    assert "an S3 URI such as s3://bucket" in said["lake bucket"][1]


def test_what_is_set_up_wrongly_is_reported_with_the_cure(aws, bucket, role, admin):
    queue = admin.client("sqs").create_queue(
        QueueName=bucket, Attributes={"VisibilityTimeout": "30"}
    )["QueueUrl"]
    denied = role(
        allow({"Service": "emr-serverless.amazonaws.com"}, "Deny"),
        allow({"AWS": "arn:aws:iam::000000000000:root"}),
        allow("*"),
    )
    said = found(aws, inbox=f"s3://{bucket}", queue_url=queue, emr_role_arn=denied)
    assert said["inbox"][0] is True
    for what, cure in {
        "inbox events": "turn on its EventBridge notifications",
        "queue": "set a redrive policy; its visibility timeout is 30 s: set 60 s or more",
        "job role": "its trust policy does not name emr-serverless.amazonaws.com: add it",
    }.items():
        assert said[what][0] is False
        assert cure in said[what][1]


def test_an_application_and_a_workgroup_are_reported_with_their_state(restricted):
    def said():
        both = found(restricted.aws, emr_application_id="00fapp", redshift_workgroup="market")
        return both["application"], both["workgroup"]

    assert said() == (
        (True, "00fapp emr-spark-8.1.0, stopped"),
        (True, "market, available"),
    )
    restricted.application, restricted.status = (
        {"releaseLabel": "emr-7.9.0", "state": "STARTED"},
        "DELETING",
    )
    application, workgroup = said()
    assert application[0] is False
    assert "00fapp: its release is emr-7.9.0: create one of emr-spark-8.1.0" in application[1]
    assert workgroup[0] is False
    assert "it is deleting: wait, or create another" in workgroup[1]
    restricted.application = {"releaseLabel": "emr-spark-8.1.0", "state": "TERMINATED"}
    assert "it is terminated: create another" in said()[0][1]


def test_an_application_that_is_not_there_is_reported(restricted):
    said = found(restricted.aws, emr_application_id="00fother")
    assert said["application"] == (
        False,
        "00fother: it is not there: create it or correct CRYPTO_ASSETS_AWS_EMR_APPLICATION_ID",
    )


def test_what_may_not_be_looked_at_is_not_reported_as_missing(restricted):
    said = found(
        restricted.aws,
        inbox="s3://uploads",
        queue_url="https://sqs.eu-central-1.amazonaws.com/123456789012/uploads",
        emr_role_arn="arn:aws:iam::123456789012:role/job",
        topic_arn="arn:aws:sns:eu-central-1:123456789012:notices",
    )
    assert said["credentials"] == (
        True,
        "account 123456789012, arn:aws:iam::123456789012:user/ann",
    )
    for what, action, fit in (
        ("inbox", "s3:ListBucket", False),  # the product itself lists it
        ("queue", "sqs:GetQueueAttributes", True),
        ("job role", "iam:GetRole", True),
        ("topic", "sns:GetTopicAttributes", True),
    ):
        ok, text = said[what]
        assert ok is fit
        assert text.endswith(f": not checked, {action} is not permitted: allow it")
    assert "s3cr3t" not in str(said)


def test_a_closed_port_is_reported_after_two_tries_of_each(credentials):
    aws = Aws(region=REGION, endpoint_url=f"http://127.0.0.1:{free_port()}")
    tries = []
    aws._session.events.register("before-send", lambda request, **_: tries.append(request))
    said = found(
        aws,
        inbox="s3://uploads",
        lake="s3://lake",
        queue_url="http://127.0.0.1/q",
        emr_application_id="00f",
        emr_role_arn="arn:aws:iam::123456789012:role/job",
        redshift_workgroup="market",
    )
    assert len(said) == 7
    assert len(tries) <= 2 * len(said)
    for ok, text in said.values():
        assert not ok
        assert "Could not connect to the endpoint URL" in text


def test_nobodys_credentials_end_the_round(credentials, monkeypatch, ministack):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    said = found(Aws(region=REGION, endpoint_url=ministack), inbox="s3://uploads")
    assert list(said) == ["credentials"]
    assert "Unable to locate credentials: renew them, or name others by" in said["credentials"][1]


def test_a_profile_that_is_unknown_or_no_region_ends_the_round(credentials):
    said = found(Aws(region=REGION, profile="nobody"))
    assert said == {"credentials": (False, "AWS: The config profile (nobody) could not be found")}
    missing = "AWS: no region is set: set CRYPTO_ASSETS_AWS_REGION"
    assert found(Aws()) == {"credentials": (False, missing)}


def test_the_command_lists_the_settings_of_aws_and_says_what_to_fix(
    home, ministack, credentials, bucket, monkeypatch, write
):
    key_file = write("key.csv", "Access key ID,Secret access key\nAKIAFILE,s3cr3t/+=\n")
    monkeypatch.setenv("CRYPTO_ASSETS_PROFILE", "aws")
    monkeypatch.setenv("CRYPTO_ASSETS_AWS_REGION", REGION)
    monkeypatch.setenv("CRYPTO_ASSETS_AWS_ENDPOINT_URL", ministack)
    monkeypatch.setenv("CRYPTO_ASSETS_AWS_KEY_FILE", str(key_file))
    monkeypatch.setenv("CRYPTO_ASSETS_AWS_LAKE", f"s3://{bucket}")
    result = CliRunner().invoke(main, ["doctor"], catch_exceptions=False)
    assert result.exit_code == 1
    shown = {" ".join(line.split()) for line in result.stdout.splitlines()}
    for line in (
        f"ok setting aws region {REGION} (CRYPTO_ASSETS_AWS_REGION)",
        f"ok setting aws key_file {key_file} (CRYPTO_ASSETS_AWS_KEY_FILE)",
        "ok setting aws inbox not set (CRYPTO_ASSETS_AWS_INBOX)",
        f"ok lake bucket s3://{bucket} {REGION}",
        "FIX inbox not set: set CRYPTO_ASSETS_AWS_INBOX",
    ):
        assert line in shown, result.stdout
    assert "s3cr3t" not in result.stdout
    assert "AKIA" not in result.stdout
