"""The template: valid, complete, and what the code asks of each part; both sides are read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from crypto_assets.resources.accounts.dynamodb import _KEY
from crypto_assets.resources.doctor.emr import ARCHITECTURE, RELEASE, _short
from crypto_assets.resources.doctor.events import VISIBILITY_S
from crypto_assets.resources.engine import artifact
from crypto_assets.resources.engine.emr_size import JobSize
from crypto_assets.resources.inbox.sqs import TICK_SECONDS
from crypto_assets.resources.settings import AwsSettings
from crypto_assets.resources.storage.lake import STAGING
from crypto_assets.spark.accounts.tables import CUSTOMER_ACCOUNTS
from crypto_assets.spark.market_data.tables import GOLD
from crypto_assets_tests.helpers.template import (
    EVERYTHING,
    TEMPLATE,
    Stack,
    everything,
    template,
)

LAMBDA = TEMPLATE.parent / "lambda"
BARE = {"WithEmr": "no", "WithRedshift": "no", "WithDynamoDb": "no", "MonthlyBudgetUsd": 0}
OTHER_NAMES = {"DatabaseName", "DbName", "MetricName"}
STORES = {
    "AWS::S3::Bucket",
    "AWS::DynamoDB::Table",
    "AWS::RedshiftServerless::Namespace",
    "AWS::EC2::Volume",
}


def test_cfn_lint_finds_nothing():
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, TEMPLATE], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_each_check_that_is_skipped_has_a_reason():
    skipped = [
        skip
        for one in template()["Resources"].values()
        for skip in one.get("Metadata", {}).get("checkov", {}).get("skip", ())
    ]
    assert skipped
    assert all(len(skip["comment"].split()) >= 3 for skip in skipped)


@pytest.mark.parametrize(
    "left_out",
    [
        {},
        *({name: value} for name, value in BARE.items()),
        BARE,
        {"KmsKeyArn": ""},
        {"WithInstance": "no"},
    ],
    ids=lambda left_out: ", ".join(left_out) or "nothing",
)
def test_what_is_left_out_is_asked_for_by_nothing_else(left_out):
    stack = Stack({**EVERYTHING, **left_out})
    assert stack.resources  # a reference to what is not made raises `KeyError`
    assert stack.outputs


def test_without_its_options_a_stack_has_no_part_that_costs_while_it_does_nothing():
    kinds = {one["Type"] for one in Stack(BARE).resources.values()}
    assert kinds.isdisjoint({"AWS::EMRServerless::Application", "AWS::Lambda::Function"})
    parts = ("Redshift", "DynamoDB", "EC2", "AutoScaling", "DLM")
    assert not any(part in kind for kind in kinds for part in parts)


def test_no_instance_is_made_without_the_wheel_that_it_installs():
    (rule,) = template()["Rules"].values()
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "WithInstance"}, "yes"]}
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "WheelKey"}, ""]}]}


def test_every_name_begins_with_the_prefix():
    stack = everything()
    names = [
        value.rpartition("/")[2]
        for one in stack.resources.values()
        for key, value in one["Properties"].items()
        if key.endswith("Name") and key not in OTHER_NAMES
    ]
    assert len(names) > 20
    assert [name for name in names if not name.startswith("team-blue")] == []


def test_what_holds_data_stays_when_the_stack_goes_or_would_replace_it():
    kept = {
        name: (one.get("DeletionPolicy"), one.get("UpdateReplacePolicy"))
        for name, one in template()["Resources"].items()
        if one["Type"] in STORES
    }
    assert kept.pop("DigestsTable") == (None, None)  # it remembers for two days
    assert set(kept) == {"UploadBucket", "LakeBucket", "AccountTable", "Namespace", "HomeVolume"}
    assert set(kept.values()) == {("RetainExceptOnCreate", "Retain")}


@pytest.mark.parametrize(
    ("key", "encryption"),
    [
        ("", [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]),
        (
            EVERYTHING["KmsKeyArn"],
            [
                {
                    "BucketKeyEnabled": True,
                    "ServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": EVERYTHING["KmsKeyArn"],
                    },
                }
            ],
        ),
    ],
)
def test_buckets_are_encrypted_closed_to_the_public_and_take_tls_only(key, encryption):
    stack = Stack({**EVERYTHING, "KmsKeyArn": key})
    for name in ("UploadBucket", "LakeBucket"):
        bucket = stack.properties(name)
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"] == encryption
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        (statement,) = stack.properties(f"{name}Policy")["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_uploads_keep_their_versions_and_eventbridge_gets_their_events():
    bucket = everything().properties("UploadBucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["NotificationConfiguration"]["EventBridgeConfiguration"] == {
        "EventBridgeEnabled": True
    }


def test_what_a_lake_forgets_is_staging_artifacts_and_logs():
    rules = everything().properties("LakeBucket")["LifecycleConfiguration"]["Rules"]
    assert {rule.get("Prefix"): rule.get("ExpirationInDays") for rule in rules} == {
        None: None,
        f"lake/{STAGING}/": 7,
        f"lake/{artifact._FOLDER}/": 90,
        "logs/": 30,
    }


def test_the_queue_is_as_the_doctor_and_a_tick_want_it():
    queue = everything().properties("UploadQueue")
    assert queue["VisibilityTimeout"] >= VISIBILITY_S > TICK_SECONDS
    dead = "arn:aws:sqs:eu-central-1:123456789012:team-blue-uploads-dead"
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": dead, "maxReceiveCount": 5}
    assert (
        everything().properties("UploadDeadLetters")["MessageRetentionPeriod"]
        > queue["MessageRetentionPeriod"]
    )


def test_depth_and_age_of_the_queues_are_watched_and_reported():
    alarms = everything().of_type("AWS::CloudWatch::Alarm").values()
    watched = {(one["Dimensions"][0]["Value"], one["MetricName"]) for one in alarms}
    assert watched == {
        ("team-blue-uploads", "ApproximateAgeOfOldestMessage"),
        ("team-blue-uploads", "ApproximateNumberOfMessagesVisible"),
        ("team-blue-uploads-dead", "ApproximateNumberOfMessagesVisible"),
        ("team-blue-given-up", "ApproximateNumberOfMessagesVisible"),
    }
    assert {tuple(one["AlarmActions"]) for one in alarms} == {(everything().outputs["TopicArn"],)}


def test_the_application_is_one_that_the_doctor_finds_fit():
    application = everything().properties("Application")
    assert application["ReleaseLabel"] == RELEASE
    assert application["Architecture"] == ARCHITECTURE
    assert application["AutoStartConfiguration"]["Enabled"]
    assert application["AutoStopConfiguration"]["Enabled"]
    capacity = {name.lower(): size for name, size in application["MaximumCapacity"].items()}
    assert _short(JobSize.of(AwsSettings()), capacity) == ""


@pytest.mark.parametrize("part", ["Vcpus", "MemoryGb", "DiskGb"])
def test_the_least_capacity_that_can_be_chosen_is_what_a_job_asks_for(part):
    least = template()["Parameters"][f"EmrMaximum{part}"]["MinValue"]

    def short(size: int) -> str:
        chosen = Stack({**EVERYTHING, f"EmrMaximum{part}": size}).properties("Application")
        capacity = {name.lower(): text for name, text in chosen["MaximumCapacity"].items()}
        return _short(JobSize.of(AwsSettings()), capacity)

    assert short(least) == ""
    assert short(least - 1) != ""


def test_logs_of_jobs_go_where_their_role_may_write():
    logs = everything().properties("Application")["MonitoringConfiguration"]
    bucket = everything().properties("LakeBucket")["BucketName"]
    group = everything().properties("JobLog")["LogGroupName"]
    assert logs["S3MonitoringConfiguration"]["LogUri"] == f"s3://{bucket}/logs/"
    assert logs["CloudWatchLoggingConfiguration"] == {"Enabled": True, "LogGroupName": group}
    statements = {one["Sid"]: one for one in everything().policies["job"]["Statement"]}
    assert statements["WriteLogsToBucket"]["Resource"] == f"arn:aws:s3:::{bucket}/logs/*"
    arn = f"arn:aws:logs:eu-central-1:123456789012:log-group:{group}"
    assert statements["WriteLogsToCloudWatch"]["Resource"] == [arn, f"{arn}:log-stream:*"]


def test_the_warehouse_is_not_public_has_the_copy_role_and_the_database_of_the_settings():
    namespace, workgroup = (
        everything().properties("Namespace"),
        everything().properties("Workgroup"),
    )
    role = everything().outputs["RedshiftRoleArn"]
    assert (namespace["DefaultIamRoleArn"], namespace["IamRoles"]) == (role, [role])
    assert namespace["DbName"] == AwsSettings().redshift_database
    assert not workgroup["PubliclyAccessible"]
    assert workgroup["MaxCapacity"] >= workgroup["BaseCapacity"]
    limit = everything().properties("UsageLimit")
    assert limit["RpuHours"] == everything().value("RedshiftRpuHoursPerMonth")
    assert len(workgroup["SubnetIds"]) == 3
    assert "SubnetIds" not in Stack().properties("Workgroup")


def test_the_table_of_accounts_has_the_key_and_the_stream_that_the_code_wants():
    table = everything().properties("AccountTable")
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    key = {
        (one["AttributeName"], one["KeyType"], types[one["AttributeName"]])
        for one in table["KeySchema"]
    }
    assert key == _KEY
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamViewType": readme()["stream of the table"]}


def readme() -> dict[str, str]:
    """How `deploy/lambda/README.md` wants the function to be set up."""
    page = (LAMBDA / "README.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", page, re.MULTILINE)
    return {name.strip("`"): value.strip("`") for name, value in rows}


def test_the_digest_function_and_its_mapping_are_as_its_page_says():
    function, mapping = (
        everything().properties("DigestFunction"),
        everything().properties("DigestMapping"),
    )
    page = readme()
    assert f"{function['Timeout']} s" == page["timeout"]
    assert (
        f"{mapping['BatchSize']}, {mapping['MaximumBatchingWindowInSeconds']} s"
        == (page["batch size, window"])
    )
    assert mapping["FunctionResponseTypes"] == [page["function response types"]]
    assert str(mapping["ParallelizationFactor"]) == page["parallelization factor"]
    assert (mapping["BisectBatchOnFunctionError"], page["bisect on error"]) == (False, "off")
    assert str(mapping["MaximumRetryAttempts"]) == page["maximum retry attempts"]
    assert mapping["StartingPosition"] == page["starting position"]
    queue = "arn:aws:sqs:eu-central-1:123456789012:team-blue-given-up"
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == queue


@pytest.mark.parametrize(
    ("name", "folder"),
    [("DigestFunction", "account_changes"), ("UsageLimitFunction", "usage_limit")],
)
def test_a_function_is_the_handler_of_its_folder(name, folder):
    function = everything().properties(name)
    assert function["Code"]["ZipFile"] == (LAMBDA / folder / "handler.py").read_text()
    assert function["Handler"] == "index.handler"


def test_the_digest_function_has_what_it_reads():
    function = everything().properties("DigestFunction")
    code = function["Code"]["ZipFile"]
    variables = function["Environment"]["Variables"]
    assert set(variables) == {*re.findall(r'environ(?:\[|\.get\()"(\w+)"', code)}
    digests = everything().properties("DigestsTable")
    assert variables["DIGESTS_TABLE"] == digests["TableName"]
    (key,) = digests["KeySchema"]
    assert f'"{key["AttributeName"]}": {{"S": start}}' in code
    assert f'"{digests["TimeToLiveSpecification"]["AttributeName"]}": {{"N": ' in code


@pytest.mark.parametrize(
    ("name", "table"), [("GlueGold", GOLD), ("GlueCustomerAccounts", CUSTOMER_ACCOUNTS)]
)
def test_athenas_tables_have_the_columns_and_the_place_of_the_lakes(name, table):
    given = everything().properties(name)["TableInput"]
    columns = [(one["Name"], one["Type"]) for one in given["StorageDescriptor"]["Columns"]]
    assert columns == [(one.name, one.type) for one in table.file_columns]
    lake = everything().outputs["Lake"]
    assert given["StorageDescriptor"]["Location"] == f"{lake}/{table.path}"
    if "PartitionKeys" in given:
        assert [one["Name"] for one in given["PartitionKeys"]] == list(table.partitions)
        assert given["Parameters"]["storage.location.template"] == (
            f"{lake}/{table.path}/ticker=${{ticker}}"
        )


def test_outputs_that_are_named_like_a_setting_are_all_that_profile_aws_needs():
    names = {
        re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value
        for name, value in everything().outputs.items()
    }
    known = names.keys() & set(AwsSettings.settings())
    assert known == {
        "region",
        "inbox",
        "lake",
        "queue_url",
        "topic_arn",
        "emr_application_id",
        "emr_role_arn",
        "redshift_workgroup",
        "redshift_role_arn",
        "account_table",
    }
    assert names.keys() - known == {
        "activity_topic_arn",
        "orchestrator_policy_arn",
        "orchestrator_profile_name",
        "uploader_policy_arn",
    }


def test_the_page_names_each_parameter_with_its_default_and_each_output():
    page = (TEMPLATE.parents[1] / "docs/aws.md").read_text()
    for name, declared in template()["Parameters"].items():
        (row,) = re.findall(rf"^\|[^|]*`{name}`[^|]*\|.*$", page, re.MULTILINE)
        assert str(declared["Default"]) in row
    for name in everything().outputs:
        assert re.search(rf"^\|[^|]*`{name}`", page, re.MULTILINE)
