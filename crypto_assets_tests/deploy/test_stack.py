"""A stack of the template on loopback, without the services that ministack does not know.

Those are EMR and Redshift Serverless, Budgets and, of the instance, volumes and their snapshots:
`test_template` and `test_instance` hold what the template says of them.
ministack deletes what a template says to keep: that it says so is seen to in `test_template`.
"""

from __future__ import annotations

import json
import time
import uuid

import pytest

from crypto_assets.resources.accounts.dynamodb import DynamoDBAccountStore
from crypto_assets.resources.aws import Aws
from crypto_assets.resources.doctor.aws import examine_aws
from crypto_assets.resources.inbox.sqs import EventInbox
from crypto_assets.resources.settings import AwsSettings, Settings
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.roles import Admin
from crypto_assets_tests.helpers.template import TEMPLATE, everything
from crypto_assets_tests.helpers.upload_queue import arn, delivered
from crypto_assets_tests.helpers.waiting import until

pytestmark = pytest.mark.aws
WITHOUT = {"WithEmr": "no", "WithRedshift": "no", "MonthlyBudgetUsd": "0", "WithInstance": "no"}


@pytest.fixture
def stacks(admin: Admin, credentials: None):
    """CloudFormation, asked as admin."""
    return admin.client("cloudformation")


@pytest.fixture
def outputs(stacks):
    """The outputs of a new stack, which is deleted afterwards."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    parameters = {"Prefix": name, **WITHOUT}
    stacks.create_stack(
        StackName=name,
        TemplateBody=TEMPLATE.read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    )
    assert ended(stacks, name) == "CREATE_COMPLETE"
    (made,) = stacks.describe_stacks(StackName=name)["Stacks"]
    yield {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}
    stacks.delete_stack(StackName=name)
    assert ended(stacks, name) == "DELETE_COMPLETE"


def ended(stacks, name: str) -> str:
    """The state of a stack that nothing is done to any more."""

    def state() -> str:
        found = stacks.list_stacks()["StackSummaries"]
        (now,) = {one["StackStatus"] for one in found if one["StackName"] == name}
        return "" if now.endswith("IN_PROGRESS") else now

    return until(f"the end of what is done to stack {name}", state)


@pytest.fixture
def settings(outputs, home, ministack, gateway):
    """Profile `aws`, with the outputs for settings."""
    return Settings(
        home=home,
        profile="aws",
        engine="sail",
        warehouse="duckdb",
        aws=AwsSettings(
            region=REGION,
            endpoint_url=gateway,
            inbox=outputs["Inbox"],
            lake=outputs["Lake"],
            queue_url=outputs["QueueUrl"],
            topic_arn=outputs["TopicArn"],
            account_table=outputs["AccountTable"],
        ),
    )


def test_an_upload_to_a_new_stack_reaches_the_sensor_by_its_queue(settings, admin):
    objects = S3Objects.of(settings, "inbox")
    inbox = EventInbox.of(settings, objects)
    objects.write("btc.csv", b"x")
    delivered(admin, settings.aws.queue_url, 1)
    news = inbox.news(time.time())
    assert [arrival.key for arrival in news.arrivals] == ["btc.csv"]


def test_the_doctor_finds_what_the_stack_made_fit(settings, admin):
    sqs, url = admin.client("sqs"), settings.aws.queue_url
    redrive = {"deadLetterTargetArn": f"{arn(sqs, url)}-dead", "maxReceiveCount": 5}
    # ministack leaves out what the template says of it.
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(redrive)})
    found = {one.what: one for one in examine_aws(Aws.of(settings), settings)}
    assert [one for one in found.values() if not one.ok] == []
    assert {"inbox events", "inbox rule", "queue", "lake writes", "topic"} <= found.keys()
    assert found["queue"].found == "a message comes again after 60 s, 5 times in all"


def test_the_table_of_a_stack_is_one_for_customer_accounts(settings):
    said = DynamoDBAccountStore.of(settings).check()
    assert said.startswith(f"{settings.aws.account_table}, active")
    assert said.endswith("stream: NEW_AND_OLD_IMAGES")


def test_the_digest_function_of_a_stack_reads_the_records_that_its_mapping_gives_it(
    settings, admin
):
    functions, name = admin.client("lambda"), settings.aws.account_table
    function = name.replace("CustomerAccount", "account-changes")
    (mapping,) = functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    assert f":table/{name}/stream/" in mapping["EventSourceArn"]
    record = {"dynamodb": {"SequenceNumber": "7"}, "eventName": "INSERT"}  # without its keys
    answer = functions.invoke(
        FunctionName=function, Payload=json.dumps({"Records": [record]}).encode()
    )
    assert json.loads(answer["Payload"].read()) == {"batchItemFailures": [{"itemIdentifier": "7"}]}


@pytest.mark.parametrize(
    ("rule", "kind", "detail", "matches"),
    [
        ("FailedJobsRule", "Job Run", {"state": "FAILED"}, True),
        ("FailedJobsRule", "Job Run", {"state": "SUCCESS"}, False),
        ("FailedJobsRule", "Job Run", {"state": "FAILED", "applicationId": "00fother"}, False),
        ("ApplicationRule", "Application", {"state": "STOPPED"}, True),
        ("ApplicationRule", "Application", {"state": "STOPPING"}, False),
    ],
)
def test_a_rule_reports_of_its_application_what_it_is_for(admin, rule, kind, detail, matches):
    event = {  # "Automating EMR Serverless with Amazon EventBridge"
        "version": "0",
        "id": "9fd3cf79-1ff1-b633-4dd9-34508dc1e660",
        "detail-type": f"EMR Serverless {kind} State Change",
        "source": "aws.emr-serverless",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": {"applicationId": everything().outputs["EmrApplicationId"], **detail},
    }
    pattern = everything().properties(rule)["EventPattern"]
    answer = admin.client("events").test_event_pattern(
        EventPattern=json.dumps(pattern), Event=json.dumps(event)
    )
    assert answer["Result"] is matches


@pytest.mark.parametrize(
    ("key", "matches"),
    [
        ("inbox/BTC Historical Data.csv", True),
        ("inbox/btc/_old/prices.csv", True),
        ("inbox/currencies.toml", True),
        ("inbox/_registry/market_data/entries/BTC.json", False),
        ("inbox/_contents/0f3a", False),
    ],
)
def test_the_queue_gets_the_events_of_uploads_and_not_of_the_products_own_files(
    admin, key, matches
):
    bucket = everything().outputs["Inbox"].removeprefix("s3://").partition("/")[0]
    event = {  # "Amazon S3 event message structure"
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": REGION,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {"bucket": {"name": bucket}, "object": {"key": key}, "reason": "PutObject"},
    }
    pattern = everything().properties("UploadRule")["EventPattern"]
    answer = admin.client("events").test_event_pattern(
        EventPattern=json.dumps(pattern), Event=json.dumps(event)
    )
    assert answer["Result"] is matches
