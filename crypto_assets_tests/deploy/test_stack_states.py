"""States of a stack in which a deployment waits, goes on in another way, or says what to do."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from crypto_assets.resources.deploy.stack import Stack
from crypto_assets.resources.errors import RefusedError
from crypto_assets_tests.doubles.stack_script import scripted
from crypto_assets_tests.helpers.roles import ADMIN, client_of

ID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/crypto-blue/0a1b"
CHANGE_SET = "arn:aws:cloudformation:eu-central-1:123456789012:changeSet/crypto-assets-deploy/2c3d"
AT = datetime(2026, 1, 1, tzinfo=UTC)
ADDED = {"Action": "Add", "LogicalResourceId": "UploadQueue", "ResourceType": "AWS::SQS::Queue"}
MADE = [{"Id": CHANGE_SET, "StackId": ID}]
PLANNED = {
    "Status": "CREATE_COMPLETE",
    "Changes": [{"Type": "Resource", "ResourceChange": ADDED}],
}


def described(status: str, **more: Any) -> dict[str, Any]:
    """What DescribeStacks says of a stack of ours."""
    tags = [{"Key": "crypto-assets", "Value": "crypto-blue"}]
    stack = {
        "StackId": ID,
        "StackName": "crypto-blue",
        "CreationTime": AT,
        "StackStatus": status,
        "Tags": tags,
    }
    return {"Stacks": [stack | more]}


def event(number: int, status: str, reason: str = "", resource: str = "") -> dict[str, Any]:
    """An event of the stack, or of a queue of this logical id."""
    return {
        "EventId": f"e{number}",
        "StackId": ID,
        "StackName": "crypto-blue",
        "Timestamp": AT,
        "LogicalResourceId": resource or "crypto-blue",
        "PhysicalResourceId": f"blue-{resource}" if resource else ID,
        "ResourceType": "AWS::SQS::Queue" if resource else "AWS::CloudFormation::Stack",
        "ResourceStatus": status,
        **({"ResourceStatusReason": reason} if reason else {}),
    }


def events(*newest_first: dict[str, Any]) -> dict[str, Any]:
    return {"StackEvents": [*newest_first]}


@contextmanager
def stack(**answers: list[dict[str, Any]]):
    """The stack of environment blue, and what is asked of CloudFormation for it."""
    with scripted(
        DeleteChangeSet=[{}], DeleteStack=[{}], ExecuteChangeSet=[{}], **answers
    ) as script:
        yield Stack("crypto-blue", client_of(ADMIN, script.url, "cloudformation")), script


def apply(one: Stack) -> None:
    with one.planned("{}", [], "crypto-blue", new=False) as plan:
        one.apply(plan)


BEGUN, FAILED = (
    event(2, "UPDATE_IN_PROGRESS"),
    event(3, "UPDATE_FAILED", "Too many.", "UploadQueue"),
)
CANCELLED = event(4, "UPDATE_FAILED", "Resource update cancelled", "UploadRule")


def test_an_operation_under_way_is_waited_for_to_its_end():
    going = events(event(1, "UPDATE_IN_PROGRESS"))
    done = events(event(2, "UPDATE_COMPLETE"), event(1, "UPDATE_IN_PROGRESS"))
    with stack(
        DescribeStacks=[
            *(described("UPDATE_IN_PROGRESS"), described("UPDATE_IN_PROGRESS")),
            described("UPDATE_COMPLETE"),
        ],
        DescribeStackEvents=[going, going, done],
    ) as (blue, script):
        assert blue.ready()["StackStatus"] == "UPDATE_COMPLETE"
    assert script.operations().count("DescribeStackEvents") == 3


def test_an_operation_that_ends_just_before_its_events_are_read_is_not_waited_for():
    done = events(event(2, "UPDATE_COMPLETE"), event(1, "UPDATE_IN_PROGRESS"))
    with stack(
        DescribeStacks=[described("UPDATE_IN_PROGRESS"), described("UPDATE_COMPLETE")],
        DescribeStackEvents=[done],
    ) as (blue, _):
        assert blue.ready()["StackStatus"] == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (
            "UPDATE_ROLLBACK_FAILED",
            "The following resource(s) failed to update: [UploadQueue].",
            (
                "stack crypto-blue is in UPDATE_ROLLBACK_FAILED: The following resource(s) failed "
                "to update: [UploadQueue].; the changes could not be rolled back: once its cause "
                "is gone run `aws cloudformation continue-update-rollback --stack-name "
                "crypto-blue`, then deploy again"
            ),
        ),
        (
            "DELETE_FAILED",
            "",
            (
                "stack crypto-blue is in DELETE_FAILED: all else is deleted: remove what is in the "
                "way and run destroy again"
            ),
        ),
        (
            "UPDATE_FAILED",
            "",
            "stack crypto-blue is in UPDATE_FAILED: look at it in the AWS console",
        ),
    ],
)
def test_a_stack_that_cannot_be_updated_is_named_with_the_cure(status, reason, said):
    more = {"StackStatusReason": reason} if reason else {}
    with (
        stack(DescribeStacks=[described(status, **more)]) as (blue, _),
        pytest.raises(RefusedError) as caught,
    ):
        blue.ready()
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (
            "UPDATE_ROLLBACK_COMPLETE",
            "all changes were rolled back and nothing else changed: correct it and deploy again",
        ),
        (
            "UPDATE_ROLLBACK_FAILED",
            (
                "the changes could not be rolled back: once its cause is gone run `aws "
                "cloudformation continue-update-rollback --stack-name crypto-blue`, then deploy "
                "again"
            ),
        ),
    ],
)
def test_a_failed_update_names_the_resource_that_failed_and_none_that_was_cancelled(ending, said):
    before = events(event(1, "CREATE_COMPLETE"))
    after = events(event(5, ending), CANCELLED, FAILED, BEGUN, event(1, "CREATE_COMPLETE"))
    with (
        stack(
            CreateChangeSet=MADE, DescribeChangeSet=[PLANNED], DescribeStackEvents=[before, after]
        ) as (blue, script),
        pytest.raises(RefusedError) as caught,
    ):
        apply(blue)
    assert str(caught.value) == (
        f"stack crypto-blue: UploadQueue (SQS Queue blue-UploadQueue) failed: Too many; {said}"
    )
    assert script.operations().count("DeleteChangeSet") == 1  # the one of an earlier deployment
    (asked,) = [given for operation, given in script.asked if operation == "ExecuteChangeSet"]
    assert (asked["ChangeSetName"], asked["DisableRollback"]) == (CHANGE_SET, "false")


def test_events_of_several_pages_are_read_as_far_as_they_are_new():
    old = [event(number, "CREATE_COMPLETE", resource="Old") for number in range(3)]
    pages = [
        {**events(event(9, "UPDATE_COMPLETE")), "NextToken": "more"},
        {**events(BEGUN, *old), "NextToken": "further"},
    ]
    with stack(
        CreateChangeSet=MADE,
        DescribeChangeSet=[PLANNED],
        DescribeStackEvents=[events(*old), *pages],
    ) as (blue, script):
        apply(blue)
    assert script.operations().count("DescribeStackEvents") == 3


def test_a_change_set_is_waited_for_and_imports_what_is_there():
    pending = {"Status": "CREATE_IN_PROGRESS"}
    with (
        stack(CreateChangeSet=MADE, DescribeChangeSet=[pending, PLANNED]) as (blue, script),
        blue.planned("{}", [], "crypto-blue", new=True) as plan,
    ):
        assert [change.resource for change in plan.changes] == ["UploadQueue"]
    (asked,) = [given for operation, given in script.asked if operation == "CreateChangeSet"]
    assert asked["ImportExistingResources"] == "true"
    assert asked["ChangeSetType"] == "CREATE"
    assert (asked["Tags.member.1.Key"], asked["Tags.member.1.Value"]) == (
        *("crypto-assets", "crypto-blue"),
    )
    assert script.operations()[-2:] == ["DeleteChangeSet", "DeleteStack"]  # of what was not applied


def test_what_is_wrong_before_anything_is_changed_names_the_resource():
    failed = {
        "Status": "FAILED",
        "StatusReason": "Validation failed. To troubleshoot use the DescribeEvents API.",
    }
    found = {
        "EventId": "e1",
        "LogicalResourceId": "LakeBucket",
        "ValidationName": "NAME_CONFLICT_VALIDATION",
        "ValidationStatus": "FAILED",
        "ValidationFailureMode": "FAIL",
        "ValidationStatusReason": "blue-lake already exists in stack others",
    }
    warned = found | {"EventId": "e2", "ValidationFailureMode": "WARN"}
    with (
        stack(
            CreateChangeSet=MADE,
            DescribeChangeSet=[failed],
            DescribeEvents=[{"OperationEvents": [found, warned]}],
        ) as (blue, script),
        pytest.raises(RefusedError) as caught,
    ):
        apply(blue)
    assert str(caught.value) == (
        "stack crypto-blue cannot be planned: LakeBucket: blue-lake already exists in stack others"
    )
    assert "ExecuteChangeSet" not in script.operations()


def test_a_deletion_that_fails_names_what_is_in_the_way():
    before = events(event(1, "UPDATE_COMPLETE"))
    after = events(
        event(4, "DELETE_FAILED"),
        event(3, "DELETE_FAILED", "It is used.", "UploadQueue"),
        event(2, "DELETE_IN_PROGRESS"),
        event(1, "UPDATE_COMPLETE"),
    )
    with (
        stack(DescribeStackEvents=[before, after]) as (blue, _),
        pytest.raises(RefusedError, match=r"blue-UploadQueue\) failed: It is used; all else is"),
    ):
        blue.delete(described("UPDATE_COMPLETE")["Stacks"][0])
