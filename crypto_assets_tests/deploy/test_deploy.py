"""`crypto-assets deploy` against CloudFormation on loopback: made, used, changed, rolled back.

Without the services that ministack does not know: with EMR Serverless a deployment is bad. What
its CloudFormation leaves out is in `ministack_stacks`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets.resources.deploy.deploy import Environment
from crypto_assets.resources.deploy.template import Template
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.sqs import EventInbox
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv
from crypto_assets_tests.helpers.processes import COMMAND, answered
from crypto_assets_tests.helpers.upload_queue import arn
from crypto_assets_tests.helpers.waiting import HANG_S, until
from crypto_assets_tests.helpers.web_ui import serving

pytestmark = pytest.mark.aws
WITHOUT = ("--set", "WithEmr=no", "--set", "WithRedshift=no", "--set", "MonthlyBudgetUsd=0")


@pytest.fixture
def deploy(run, front, env):
    """Deploys the environment; exit code, standard output and standard error."""
    return lambda *words: run("deploy", "--env", env, "--yes", *words)


@pytest.fixture
def stack(account, env):
    """The stack of the environment, and its status; nothing if there is none."""
    client = account.client("cloudformation")

    def look() -> str:
        found = client.list_stacks()["StackSummaries"]
        states = [one["StackStatus"] for one in found if one["StackName"] == f"crypto-{env}"]
        return states[-1] if states and states[-1] != "DELETE_COMPLETE" else ""

    return look


def test_a_deployed_environment_is_used_and_changed(
    deploy, stack, run, account, env, chosen, write, pair
):
    code, out, err = deploy(*WITHOUT)
    assert (code, stack()) == (0, "CREATE_COMPLETE"), out + err
    assert "FIX" not in out
    assert "25 create" in out
    assert "UploadBucket (S3 Bucket) create complete" in err
    settings = chosen()
    assert settings.aws.inbox == f"s3://crypto-{env}-uploads-000000000000/inbox"
    assert (settings.engine, settings.store) == ("sail", "dynamodb")

    history, trend = pair("BTC")
    assert run("upload", history)[0] == 0
    inbox = EventInbox.of(settings, S3Objects.of(settings, "inbox"))
    arrived = until("the upload's event", lambda: inbox.news(time.time()).arrivals)
    assert [one.key for one in arrived] == [history.name]
    assert run("add", "BTC", "--history", history, "--trend", trend)[0] == 0
    assert run("materialize", "BTC")[0] == 0
    lake = settings.aws.lake.removeprefix("s3://").removesuffix("/lake")
    account.client("s3").head_object(Bucket=lake, Key="lake/gold/ticker=BTC/data.parquet")

    Path(f"crypto_assets.{env}.toml").write_text(
        Path(f"crypto_assets.{env}.toml").read_text() + "emr_time_limit_min = 60  # short\n"
    )
    code, out, err = deploy("--set", "NoticesEmail=ann@example.com")
    assert (code, stack()) == (0, "UPDATE_COMPLETE"), out + err
    subscribed = account.client("sns").list_subscriptions_by_topic(TopicArn=settings.aws.topic_arn)
    assert [one["Endpoint"] for one in subscribed["Subscriptions"]] == ["ann@example.com"]
    assert "60  # short" in Path(f"crypto_assets.{env}.toml").read_text()
    code, out, err = deploy()
    assert (code, "nothing to change" in out) == (0, True), out + err


def test_uploads_to_a_deployed_environment_become_tables_or_a_notice_by_themselves(
    deploy, account, env, chosen
):
    assert deploy(*WITHOUT)[0] == 0
    settings, sqs, sns = chosen(), account.client("sqs"), account.client("sns")
    mail = sqs.create_queue(QueueName=f"{env}-mail")["QueueUrl"]
    sns.subscribe(TopicArn=settings.aws.topic_arn, Protocol="sqs", Endpoint=arn(sqs, mail))
    objects, lake = (S3Objects.of(settings, part) for part in ("inbox", "lake"))
    with serving(settings) as ui:
        for ticker, cells in (("BTC", {}), ("ETH", {9: "n.a. see mail"})):
            history = history_csv(100.0, cells=cells)
            objects.write(f"{ticker}/{ticker} Historical Data.csv", history.encode())
            objects.write(f"{ticker}/multiTimeline.csv", trend_csv(ticker).encode())
        gold = "gold/ticker=BTC/data.parquet"
        until("gold of BTC", lambda: lake.find(gold), by=ui.process)
        receive = functools.partial(sqs.receive_message, QueueUrl=mail, WaitTimeSeconds=1)
        notices = until("a notice", lambda: receive().get("Messages"), by=ui.process)
    notice = json.loads(notices[0]["Body"])
    assert notice["Subject"].startswith("1 ticker failed in run ")
    assert "ETH failed at bronze: ETH Historical Data.csv: line 9: " in notice["Message"]
    assert "`crypto-assets materialize --failed --stale` tries again" in notice["Message"]
    assert lake.find("gold/ticker=ETH/data.parquet") is None


def test_a_plan_changes_nothing_and_leaves_nothing(run, front, env, stack):
    code, out, _ = run("deploy", "--env", env, "--plan", *WITHOUT)
    assert (code, "create       UploadBucket            S3 Bucket" in out) == (0, True)
    assert stack() == ""
    assert not Path(f"crypto_assets.{env}.toml").exists()
    assert front.operations("cloudformation")["ExecuteChangeSet"] == 0


def test_a_plan_that_a_person_does_not_want_leaves_nothing(front, env, stack):
    words = ["deploy", "--env", env, *WITHOUT]
    code, out = answered("n", *words)
    assert (code, "25 create\nDo this? [y/N]: " in out) == (1, True)
    assert stack() == ""


def test_a_bad_update_names_the_resource_and_nothing_else_changes(
    deploy, stack, env, chosen, account
):
    assert deploy(*WITHOUT)[0] == 0
    objects = S3Objects.of(chosen(), "inbox")
    objects.write("btc.csv", b"x")
    toml = Path(f"crypto_assets.{env}.toml").read_bytes()
    code, _, err = deploy("--set", "WithEmr=yes")
    assert (code, stack()) == (1, "UPDATE_ROLLBACK_COMPLETE")
    assert err.splitlines()[-1] == (
        f"crypto-assets: stack crypto-{env}: Application (EMRServerless Application) failed: "
        "Unsupported resource type: AWS::EMRServerless::Application; all changes were rolled back "
        "and nothing else changed: correct it and deploy again"
    )
    assert objects.read("btc.csv") == b"x"
    assert Path(f"crypto_assets.{env}.toml").read_bytes() == toml
    topics = account.client("sns").list_topics()["Topics"]
    assert not any(f"{env}-activity" in one["TopicArn"] for one in topics)
    code, out, _ = deploy("--set", "WithEmr=no")
    assert (code, "nothing to change" in out) == (0, True)


def test_what_a_creation_that_failed_left_is_deleted_by_the_next_one(deploy, stack):
    bare = ("--set", "WithRedshift=no", "--set", "MonthlyBudgetUsd=0")
    code, _, err = deploy(*bare)
    assert (code, stack()) == (1, "ROLLBACK_COMPLETE")
    assert "what had been created is deleted again: correct it and deploy again" in err
    code, _, err = deploy(*WITHOUT)
    assert (code, stack()) == (0, "CREATE_COMPLETE")
    assert "deleting stack" in err


def test_a_deployment_killed_before_its_change_set_is_executed_completes_when_repeated(
    deploy, stack, front, env
):
    words = [*COMMAND, "deploy", "--env", env, "--yes", *WITHOUT]
    front.fail("cloudformation", 1000, operation="ExecuteChangeSet", drop="before")
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
        executing = "ExecuteChangeSet"
        until("execution", lambda: front.operations("cloudformation")[executing], by=child)
        child.kill()
        assert child.wait(HANG_S) == -signal.SIGKILL
    front.forget()
    assert stack() == "REVIEW_IN_PROGRESS"
    code, out, err = deploy(*WITHOUT)
    assert (code, stack()) == (0, "CREATE_COMPLETE"), out + err


def test_data_is_not_left_out_unless_that_is_allowed(deploy, stack, env, chosen, account):
    assert deploy(*WITHOUT)[0] == 0
    code, out, err = deploy("--set", "WithDynamoDb=no")
    assert (code, stack()) == (1, "CREATE_COMPLETE")
    assert "delete       AccountTable" in out
    assert "AccountTable, DigestsTable would be replaced or deleted: nothing was changed" in err
    words = ["deploy", "--env", env, "--plan", "--set", "WithDynamoDb=no"]
    shown = CliRunner().invoke(main, words, color=True).stdout
    assert "\x1b[31mdelete       AccountTable" in shown  # red
    assert "\x1b[33mdelete       DigestFunction" in shown
    code, out, err = deploy("--set", "WithDynamoDb=no", "--allow-replace")
    assert (code, chosen().store) == (0, "duckdb"), out + err
    tables = account.client("dynamodb").list_tables()["TableNames"]
    assert [name for name in tables if env in name] == [f"crypto-{env}-CustomerAccount"]


def test_a_stack_of_others_is_left_alone(deploy, run, account, env, front):
    account.client("cloudformation").create_stack(
        StackName=f"crypto-{env}",
        TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
    )
    for code, _, err in (deploy(*WITHOUT), run("destroy", "--env", env, "--yes")):
        assert (code, err.count("\n")) == (1, 1)
        assert f"stack crypto-{env} is not one of `crypto-assets deploy`" in err


def test_a_prefix_is_given_once(deploy, chosen, env):
    assert deploy(*WITHOUT, "--prefix", f"p{env[:8]}")[0] == 0
    assert chosen().aws.inbox.startswith(f"s3://p{env[:8]}-uploads-")
    code, _, err = deploy("--prefix", "other")
    assert (code, f"begin with p{env[:8]}, which stays" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["deploy"], 2, "nobody can be asked here: give --yes; deploy --plan only looks"),
        (["destroy"], 2, "nobody can be asked here: give --yes"),
        (["deploy", "--yes", "--set", "WithGleu=no"], 2, "did you mean WithGlue?"),
        (["deploy", "--yes", "--env", "A B"], 2, "setting env: a name of up to 13 small letters"),
    ],
)
def test_wrong_use_is_one_line_and_asks_nothing(run, front, words, code, said):
    found, out, err = run(*words)
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert said in err
    assert front.operations("cloudformation")["CreateChangeSet"] == 0


def test_what_is_not_permitted_is_named(deploy, front):
    front.fail("cloudformation", 1, operation="CreateChangeSet", status=403, code="AccessDenied")
    code, out, err = deploy(*WITHOUT)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("crypto-assets: AWS refuses CreateChangeSet: ")
    assert "allow it in the policy of who asks (see deploy/iam)" in err


def test_without_credentials_it_says_so_in_one_line(deploy, front, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    code, out, err = deploy(*WITHOUT)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "AWS knows no credentials" in err


def test_without_a_region_it_says_what_to_set(deploy, monkeypatch):
    monkeypatch.delenv("CRYPTO_ASSETS_AWS_REGION")
    wanted = "crypto-assets: AWS: no region is set: set CRYPTO_ASSETS_AWS_REGION\n"
    assert deploy() == (2, "", wanted)


def test_the_default_environment_is_in_the_usual_file(run, front, account):
    code, out, err = run("deploy", "--yes", *WITHOUT)
    assert code == 0, out + err
    assert Settings().aws.inbox == "s3://crypto-assets-uploads-000000000000/inbox"
    assert "go on: crypto-assets upload FOLDER" in out
    assert "docs/aws.md#what-it-costs" in out
    names = [one["Name"] for one in account.client("s3").list_buckets()["Buckets"]]
    assert "crypto-assets-lake-000000000000" in names


WITH_WHEEL = """
Parameters:
  Prefix: {Type: String, Default: a}
  WithInstance: {Type: String, Default: "no"}
  WheelKey: {Type: String, Default: ""}
Resources:
  LakeBucket:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "${Prefix}-lake"}
  Instance: # in the place of one
    Type: AWS::SQS::Queue
    Properties: {Tags: [{Key: wheel, Value: !Ref WheelKey}]}
Outputs:
  Lake: {Value: !Sub "s3://${LakeBucket}/lake"}
"""


def test_a_wheel_is_in_the_lakes_bucket_before_an_instance_is_made_of_it(
    front, env, tmp_path, account
):
    s3 = account.client("s3")
    environment = replace(Environment.of(Settings(env=env)), template=Template.read(WITH_WHEEL))

    def deployed(content: bytes, *words: str) -> str:
        wheel = tmp_path / "crypto_assets-1.0-py3-none-any.whl"
        wheel.write_bytes(content)
        with environment.planned(words, None, wheel) as plan:
            environment.apply(plan, wheel)
        return f"wheels/{hashlib.sha256(content).hexdigest()}/{wheel.name}"

    with pytest.raises(UsageError, match="deploy without WithInstance first"):
        deployed(b"1", "WithInstance=yes")
    key = deployed(b"1")
    assert s3.get_object(Bucket=f"crypto-{env}-lake", Key=key)["Body"].read() == b"1"
    front.forget()
    key = deployed(b"2", "WithInstance=yes")
    asked = [seen.operation or seen.path for seen in front.requests]
    assert asked.index(f"/crypto-{env}-lake/{key}") < asked.index("ExecuteChangeSet")
