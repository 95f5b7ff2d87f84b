"""Change sets in words, from answers as CloudFormation gives them."""

from __future__ import annotations

import pytest

from crypto_assets.resources.deploy.changes import Change, counted, deletions, ordered
from crypto_assets.resources.deploy.deploy import check_data, named
from crypto_assets.resources.errors import RefusedError, UsageError

BUCKET = {
    "LogicalResourceId": "LakeBucket",
    "PhysicalResourceId": "team-lake-123456789012",
    "ResourceType": "AWS::S3::Bucket",
}
QUEUE = {
    "LogicalResourceId": "UploadQueue",
    "PhysicalResourceId": "https://sqs.eu-central-1.amazonaws.com/123456789012/uploads",
    "ResourceType": "AWS::SQS::Queue",
}
NEW_QUEUE = {"LogicalResourceId": "GivenUpQueue", "ResourceType": "AWS::SQS::Queue"}
VERSIONS = {
    "Target": {
        "Attribute": "Properties",
        "Name": "VersioningConfiguration",
        "RequiresRecreation": "Never",
    },
    "Evaluation": "Static",
    "ChangeSource": "DirectModification",
}
TAGS = {"Target": {"Attribute": "Tags", "RequiresRecreation": "Never"}, "Evaluation": "Static"}


def line(answer: dict) -> str:
    return " ".join(Change.of(answer).line.split())


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"Action": "Add", **NEW_QUEUE}, "create GivenUpQueue SQS Queue"),
        (
            {"Action": "Import", **BUCKET},
            (
                "import LakeBucket S3 Bucket team-lake-123456789012: is there already, and is "
                "imported with its data"
            ),
        ),
        (
            {
                "Action": "Modify",
                "Replacement": "False",
                "Scope": ["Properties", "Tags"],
                "Details": [VERSIONS, TAGS, VERSIONS],
                **BUCKET,
            },
            ("change LakeBucket S3 Bucket team-lake-123456789012: VersioningConfiguration, Tags"),
        ),
        (
            {
                "Action": "Modify",
                "Replacement": "True",
                "PolicyAction": "ReplaceAndRetain",
                **BUCKET,
            },
            (
                "replace LakeBucket S3 Bucket team-lake-123456789012: the new one is empty, "
                "the old one stays in the account with its data"
            ),
        ),
        (
            {
                "Action": "Modify",
                "Replacement": "Conditional",
                "PolicyAction": "ReplaceAndDelete",
                **BUCKET,
            },
            (
                "may replace LakeBucket S3 Bucket team-lake-123456789012: the new one is "
                "empty, the old one is deleted"
            ),
        ),
        (
            {"Action": "Remove", "PolicyAction": "Delete", **BUCKET},
            "delete LakeBucket S3 Bucket team-lake-123456789012: with all that is in it",
        ),
        (
            {"Action": "Remove", "PolicyAction": "Retain", **BUCKET},
            (
                "keep LakeBucket S3 Bucket team-lake-123456789012: leaves the stack; it stays "
                "in the account with its data"
            ),
        ),
        (
            {"Action": "Dynamic", **QUEUE},
            (
                "may change UploadQueue SQS Queue "
                "https://sqs.eu-central-1.amazonaws.com/123456789012/uploads"
            ),
        ),
    ],
)
def test_a_change_is_one_line(answer, wanted):
    assert line(answer) == wanted


@pytest.mark.parametrize(
    ("answer", "risky"),
    [
        ({"Action": "Add", **BUCKET}, False),
        ({"Action": "Import", **BUCKET}, False),
        ({"Action": "Modify", "Replacement": "False", **BUCKET}, False),
        ({"Action": "Modify", "Replacement": "Conditional", **BUCKET}, True),
        ({"Action": "Modify", "Replacement": "True", **BUCKET}, True),
        ({"Action": "Remove", **BUCKET}, True),
        ({"Action": "Remove", "PolicyAction": "Retain", **BUCKET}, True),
        ({"Action": "Modify", "Replacement": "True", **QUEUE}, False),
        ({"Action": "Remove", **QUEUE}, False),
        (
            {
                "Action": "Remove",
                "LogicalResourceId": "Namespace",
                "ResourceType": "AWS::RedshiftServerless::Namespace",
            },
            True,
        ),
        (
            {
                "Action": "Modify",
                "Replacement": "True",
                "LogicalResourceId": "AccountTable",
                "ResourceType": "AWS::DynamoDB::Table",
            },
            True,
        ),
    ],
)
def test_what_holds_data_is_not_replaced_or_deleted_unless_that_is_allowed(answer, risky):
    change = Change.of(answer)
    assert change.risky is risky
    if risky:
        with pytest.raises(RefusedError, match=r"nothing was changed.*--allow-replace"):
            check_data([change])
    else:
        check_data([change])


def test_what_is_created_comes_first_and_what_is_lost_last():
    answers = [
        {"Action": "Remove", **QUEUE},
        {"Action": "Modify", "Replacement": "True", **BUCKET},
        {"Action": "Add", **NEW_QUEUE},
        {"Action": "Add", **NEW_QUEUE},
    ]
    changes = ordered(map(Change.of, answers))
    assert [change.action for change in changes] == ["create", "create", "replace", "delete"]
    assert counted(changes) == "2 create, 1 replace, 1 delete"


def test_a_deletion_keeps_what_the_template_says_and_deletes_of_it_what_is_named():
    changes = [*deletions([BUCKET, QUEUE], ["LakeBucket"])]
    assert [(change.action, change.resource) for change in changes] == [
        ("keep", "LakeBucket"),
        ("delete", "UploadQueue"),
    ]
    (bucket,) = named(changes, [BUCKET["PhysicalResourceId"]])
    assert bucket.resource == "LakeBucket"
    for name in (QUEUE["PhysicalResourceId"], "others"):
        with pytest.raises(UsageError, match=f"data is {BUCKET['PhysicalResourceId']}"):
            named(changes, [name])
