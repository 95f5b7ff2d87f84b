"""`crypto-assets destroy` against CloudFormation on loopback: data stays, unless it is named.

ministack 1.4.21 deletes what a template says to keep; `ministack_stacks` keeps it, as AWS does.
"""

from __future__ import annotations

import json

import pytest

from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets_tests.helpers.iam import Call, allows
from crypto_assets_tests.helpers.processes import answered
from crypto_assets_tests.helpers.roles import policy
from crypto_assets_tests.helpers.waiting import until

pytestmark = pytest.mark.aws
WITHOUT = ("--set", "WithEmr=no", "--set", "WithRedshift=no", "--set", "MonthlyBudgetUsd=0")


@pytest.fixture
def names(env):
    """What keeps its data in the environment's stack."""
    return [
        f"crypto-{env}-CustomerAccount",
        *(f"crypto-{env}-{part}-000000000000" for part in ("lake", "uploads")),
    ]


@pytest.fixture
def deployed(run, front, env, chosen):
    """The environment with an upload in it; gives its inbox."""
    code, out, err = run("deploy", "--env", env, "--yes", *WITHOUT)
    assert code == 0, out + err
    inbox = S3Objects.of(chosen(), "inbox")
    for content in (b"old", b"new"):
        inbox.write("btc.csv", content)
    return inbox


@pytest.fixture
def there(account, names):
    """Which of the resources with data there are."""

    def look() -> list[str]:
        tables = account.client("dynamodb").list_tables()["TableNames"]
        buckets = [one["Name"] for one in account.client("s3").list_buckets()["Buckets"]]
        return [name for name in names if name in {*tables, *buckets}]

    return look


def stacks(account, env):
    found = account.client("cloudformation").list_stacks()["StackSummaries"]
    return [one["StackStatus"] for one in found if one["StackName"] == f"crypto-{env}"]


def test_the_policy_of_who_deploys_allows_what_is_asked_of_cloudformation(
    run, front, deployed, env
):
    assert run("destroy", "--env", env, "--yes")[0] == 0
    stack = f"arn:aws:cloudformation:eu-central-1:123456789012:stack/crypto-{env}/0a1b"
    asked = front.operations("cloudformation")
    assert {"CreateChangeSet", "ExecuteChangeSet", "DeleteStack"} <= asked.keys()
    calls = [Call(f"cloudformation:{operation}", stack) for operation in asked]
    assert [call.action for call in calls if not allows(policy("deployer"), call)] == []


def no_namespace(front):
    """ministack knows no Redshift Serverless: there is none of its warehouses."""
    front.fail("redshift-serverless", 10, status=400, code="ResourceNotFoundException")


def test_data_stays_and_is_taken_into_the_next_stack(
    run, front, deployed, there, names, env, account
):
    code, out, err = run("destroy", "--env", env, "--yes")
    assert (code, stacks(account, env)) == (0, ["DELETE_COMPLETE"]), out + err
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert f"keep UploadBucket S3 Bucket {names[2]}" in lines
    assert f"stack crypto-{env}: 22 delete, 3 keep" in lines
    assert there() == names
    assert deployed.read("btc.csv") == b"new"

    code, out, _ = run("deploy", "--env", env, "--yes", *WITHOUT)
    assert (code, "22 create, 3 import" in out) == (0, True)
    assert deployed.read("btc.csv") == b"new"
    code, _, err = run("deploy", "--env", env, "--yes", "--set", "WithEmr=yes")
    assert code == 1
    assert deployed.read("btc.csv") == b"new"


def test_what_is_named_is_deleted_with_every_version_and_nothing_else(
    run, front, deployed, there, names, env
):
    table, lake, uploads = names
    code, out, err = run("destroy", "--env", env, "--yes", "--delete-data", uploads)
    assert code == 0, out + err
    assert there() == [table, lake]
    assert f"{table} stays with its data: --delete-data {table} deletes it" in out
    no_namespace(front)
    code, out, err = run("destroy", "--env", env, "--yes", "--delete-data", table)
    assert (code, there()) == (0, [lake]), out + err
    code, out, err = run("destroy", "--env", env, "--yes", "--delete-data", lake)
    assert (code, there()) == (0, []), out + err
    code, out, _ = run("destroy", "--env", env, "--yes")
    assert (code, out) == (0, f"there is no stack crypto-{env}, and nothing is left of one\n")


def test_what_is_named_wrong_deletes_nothing(run, deployed, there, names, env, account):
    code, _, err = run("destroy", "--env", env, "--yes", "--delete-data", "others")
    assert (code, err.count("\n")) == (2, 1)
    assert f"--delete-data others: what holds data is {', '.join(names)}" in err
    assert stacks(account, env) == ["CREATE_COMPLETE"]


def test_a_deletion_that_was_interrupted_before_its_data_completes_when_repeated(
    run, front, deployed, there, names, env
):
    table, lake, uploads = names
    front.fail("s3", 1000, method="POST", path=f"/{uploads}.*", status=403, code="AccessDenied")
    code, _, err = run("destroy", "--env", env, "--yes", "--delete-data", uploads)
    assert (code, "AWS refuses DeleteObjects" in err) == (1, True)
    front.forget()
    no_namespace(front)
    code, out, err = run("destroy", "--env", env, "--yes", "--delete-data", uploads)
    assert (code, there()) == (0, [table, lake]), out + err


def test_what_a_killed_deployment_planned_is_deleted(run, front, account, env):
    account.client("cloudformation").create_change_set(
        StackName=f"crypto-{env}",
        ChangeSetName="crypto-assets-deploy",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
    )
    no_namespace(front)
    code, out, err = run("destroy", "--env", env, "--yes")
    assert (code, f"stack crypto-{env}: 1 delete" in out) == (0, True), out + err
    until("the deletion", lambda: stacks(account, env) == ["DELETE_COMPLETE"])


def test_what_a_stack_of_another_prefix_kept_is_found_by_that(run, front, account, env):
    bucket = f"p{env}-lake-000000000000"
    account.client("s3").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    no_namespace(front)
    words = ("destroy", "--env", env, "--yes", "--delete-data", bucket)
    assert run(*words)[0] == 2
    code, out, err = run(*words, "--prefix", f"p{env}")
    assert code == 0, out + err
    names = [one["Name"] for one in account.client("s3").list_buckets()["Buckets"]]
    assert bucket not in names


def test_a_volume_that_a_stack_left_is_found_by_its_tag(run, front, account, env):
    ec2 = account.client("ec2")
    tags = [{"Key": "crypto-assets-stack", "Value": f"crypto-{env}"}]
    volume = ec2.create_volume(
        AvailabilityZone="eu-central-1a",
        Size=8,
        TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
    )["VolumeId"]
    no_namespace(front)
    code, out, err = run("destroy", "--env", env, "--yes")
    assert (code, f"{volume} stays with its data" in out) == (0, True), out + err
    code, out, err = run("destroy", "--env", env, "--yes", "--delete-data", volume)
    assert code == 0, out + err
    assert (
        ec2.describe_volumes(Filters=[{"Name": "volume-id", "Values": [volume]}])["Volumes"] == []
    )


@pytest.mark.parametrize(("typed", "deleted"), [("crypto-{}", True), ("yes", False)])
def test_a_person_types_the_name_of_the_stack(front, account, env, typed, deleted):
    body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    account.client("cloudformation").create_stack(
        StackName=f"crypto-{env}",
        TemplateBody=json.dumps(body),
        Tags=[{"Key": "crypto-assets", "Value": f"crypto-{env}"}],
    )
    code, out = answered(typed.format(env), "destroy", "--env", env)
    assert f"Type crypto-{env} to delete it" in out
    assert code == (0 if deleted else 1)
    assert stacks(account, env) == ["DELETE_COMPLETE" if deleted else "CREATE_COMPLETE"]
