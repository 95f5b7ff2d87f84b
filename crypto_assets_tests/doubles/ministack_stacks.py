"""Starts a ministack whose CloudFormation does what AWS documents and ministack 1.4.21 leaves out.

It keeps what a template says to keep, imports what is there already, refuses a name that is taken,
rolls an update back without deleting what it did not create, plans what a condition adds or
removes, deletes a stack by its id, has events in their order, answers DeleteChangeSet in full, and
gives a queue its dead letters. "DeletionPolicy attribute", "Import AWS resources into a stack
automatically" and "Stack failure options" in the user guide of CloudFormation.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from ministack.app import main
from ministack.services import cloudformation, dynamodb, s3, sqs
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

_NAMES = {"AWS::S3::Bucket": "BucketName", "AWS::DynamoDB::Table": "TableName"}
_provision, _delete = stacks._provision_resource, stacks._delete_resource
_resolve = changesets._resolve_props_for_diff
_actions = dict(handlers._ACTION_HANDLERS)
_begin, _ticks = datetime.now(UTC), count()
_imported: dict[str, set[str]] = {}  # of the operation under way, by stack
_before: dict[str, dict[str, Any]] = {}  # the resources that it found, by stack


def _is_there(kind: str, name: str) -> bool:
    return name in (s3._buckets if kind == "AWS::S3::Bucket" else dynamodb._tables)


def _importable(change_set: dict[str, Any], resource: str, definition: dict[str, Any]) -> bool:
    """Whether the resource is there, has a literal name and stays when its stack goes."""
    named = _NAMES.get(definition["Type"])
    name = definition.get("Properties", {}).get(named) if named else None
    return (
        isinstance(name, str)
        and _is_there(definition["Type"], name)
        and definition.get("DeletionPolicy", "").startswith("Retain")
        and resource not in cloudformation._stacks[change_set["StackName"]]["_resources"]
    )


def now() -> str:
    """A time that no other event has."""
    return (_begin + timedelta(milliseconds=next(_ticks))).isoformat(timespec="milliseconds")


def resolve(template: dict[str, Any], parameters: dict[str, Any], *stack: str) -> dict[str, Any]:
    """The resources that a stack with these parameters has."""
    resources = _resolve(template, parameters, *stack).get("Resources", {})
    holds = engine._evaluate_conditions(template, parameters) if template else {}
    return {
        "Resources": {
            name: one for name, one in resources.items() if holds.get(one.get("Condition"), True)
        }
    }


def create_change_set(params: dict[str, Any]) -> tuple:
    answer = _actions["CreateChangeSet"](params)
    if answer[0] == 200 and params.get("ImportExistingResources") == ["true"]:
        change_set = list(cloudformation._change_sets.values())[-1]
        resources = change_set["_template"]["Resources"]
        for change in (one["ResourceChange"] for one in change_set["Changes"]):
            name = change["LogicalResourceId"]
            if name in resources and _importable(change_set, name, resources[name]):
                change["Action"] = "Import"
    return answer


def execute_change_set(params: dict[str, Any]) -> tuple:
    change_set = cloudformation._change_sets[params["ChangeSetName"][0]]
    changes = [one["ResourceChange"] for one in change_set["Changes"]]
    stack = change_set["StackName"]
    _imported[stack] = {c["LogicalResourceId"] for c in changes if c["Action"] == "Import"}
    _before[stack] = dict(cloudformation._stacks[stack]["_resources"])
    return _actions["ExecuteChangeSet"](params)


def delete_change_set(params: dict[str, Any]) -> tuple:
    status, headers, body = _actions["DeleteChangeSet"](params)
    if status == 200:
        body = body.replace(b"<ResponseM", b"<DeleteChangeSetResult/><ResponseM")
    return status, headers, body


def delete_stack(params: dict[str, Any]) -> tuple:
    (asked,) = params["StackName"]
    named = [name for name, one in cloudformation._stacks.items() if one["StackId"] == asked]
    _before.pop(named[0] if named else asked, None)
    return _actions["DeleteStack"]({**params, "StackName": named or [asked]})


def provision(kind: str, resource: str, properties: dict[str, Any], stack: str) -> tuple:
    name = properties.get(_NAMES.get(kind))
    if name and _is_there(kind, name):
        if resource not in _imported[stack]:
            raise ValueError(f"{name} already exists")
        if kind == "AWS::DynamoDB::Table":  # ministack would make a new one
            table = dynamodb._tables[name]
            return name, {"Arn": table["TableArn"], "StreamArn": table["LatestStreamArn"]}
    made = _provision(kind, resource, properties, stack)
    if kind == "AWS::SQS::Queue" and "RedrivePolicy" in properties:
        attributes = sqs._queues[made[0]]["attributes"]
        attributes["RedrivePolicy"] = json.dumps(properties["RedrivePolicy"])
    return made


def delete(
    kind: str, name: str, properties: dict[str, Any], stack: str = "", resource: str = ""
) -> None:
    found = cloudformation._stacks[stack]
    policy = found["_template"].get("Resources", {}).get(resource, {}).get("DeletionPolicy", "")
    if found["StackStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS" and resource in _before[stack]:
        old = _before[stack][resource]["Properties"]
        provisioners._update_resource(kind, name, properties, old, stack, resource)
        return
    rolls_back = found["StackStatus"].endswith("ROLLBACK_IN_PROGRESS")
    kept = resource in _imported.get(stack, ()) if rolls_back else policy.startswith("Retain")
    if not kept:
        _delete(kind, name, properties, stack, resource)


stacks._provision_resource, stacks._delete_resource = provision, delete
stacks.now_iso = now
changesets._resolve_props_for_diff = resolve
handlers._ACTION_HANDLERS.update(
    CreateChangeSet=create_change_set,
    DeleteChangeSet=delete_change_set,
    ExecuteChangeSet=execute_change_set,
    DeleteStack=delete_stack,
)
main()
