"""One stack of CloudFormation: what it is now, its change set, and what is done to it to the end.

Every step can be repeated: a change set that was left is made anew, and an operation under way,
whoever began it, is waited for. What the template is and what a change means is elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from crypto_assets.resources.aws import aws_errors
from crypto_assets.resources.deploy.changes import Change, ordered, words_of
from crypto_assets.resources.errors import RefusedError
from crypto_assets.resources.progress import waiting

TAG = "crypto-assets"  # its value is the prefix; a stack without it is not ours
_CHANGE_SET = "crypto-assets-deploy"
_EVERY_S = 1.0  # between two looks at what CloudFormation does
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_PENDING = {"CREATE_PENDING", "CREATE_IN_PROGRESS"}
PLANNED = "REVIEW_IN_PROGRESS"  # of a stack that has a change set and nothing else
_EMPTY = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}  # of a creation that failed
_DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_COMPLETE"}
_UPDATABLE = _DONE | {"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
_AFTERWARDS = {
    "ROLLBACK_COMPLETE": "what had been created is deleted again: correct it and deploy again",
    "UPDATE_ROLLBACK_COMPLETE": (
        "all changes were rolled back and nothing else changed: correct it and deploy again"
    ),
    "UPDATE_ROLLBACK_FAILED": (
        "the changes could not be rolled back: once its cause is gone run `aws cloudformation "
        "continue-update-rollback --stack-name {name}`, then deploy again"
    ),
    "ROLLBACK_FAILED": "what had been created could not be deleted: deploy again, which deletes it",
    "DELETE_FAILED": "all else is deleted: remove what is in the way and run destroy again",
}


def stack_name(env: str) -> str:
    """The stack of an environment."""
    return f"crypto-{env}" if env else "crypto-assets"


@dataclass(frozen=True)
class Event:
    """Something that happened to a resource of a stack."""

    key: str
    resource: str
    kind: str
    name: str
    status: str
    reason: str
    of_stack: bool

    @property
    def line(self) -> str:
        status = self.status.lower().replace("_", " ")
        shown = f"{self.resource} ({words_of(self.kind)}) {status}"
        return f"{shown}: {self.reason}" if self.reason else shown


@dataclass
class Plan:
    """A change set that waits to be executed; without changes there is nothing to do."""

    stack_id: str
    change_set_id: str
    new: bool
    changes: Sequence[Change] = ()
    applied: bool = False


@dataclass(frozen=True)
class Stack:
    """The stack of this name, asked for by a client of CloudFormation."""

    name: str
    client: Any
    _seen: set[str] = field(default_factory=set)

    def described(self) -> dict[str, Any] | None:
        """What CloudFormation says of it; None if there is none. Raises if it is not ours."""
        found = self._described(self.name)
        if found and found["StackStatus"] != PLANNED and TAG not in tags_of(found):
            raise RefusedError(
                f"stack {self.name} is not one of `crypto-assets deploy`, whose stacks have the "
                f"tag {TAG}: name another --env, or give the stack that tag"
            )
        return found

    def settled(self) -> dict[str, Any] | None:
        """As `described`, after waiting for the end of what is done to it."""
        found = self.described()
        status = found["StackStatus"] if found else ""
        if found and status.endswith("IN_PROGRESS") and status != PLANNED:
            waiting(f"waiting: stack {self.name} is in {status}")
            self._skip_events(found["StackId"])
            if not self._is_over(found["StackId"]):
                self._follow(found["StackId"])
            found = self.described()
        return found

    def ready(self) -> dict[str, Any] | None:
        """What is to be updated; None if it is to be created.

        What a failed creation left is deleted. Raises `RefusedError` if it cannot be updated.
        """
        found = self.settled()
        if not found or found["StackStatus"] == PLANNED:
            return None
        if found["StackStatus"] in _EMPTY:
            waiting(f"deleting stack {self.name}, whose creation failed")
            self.delete(found)
            return None
        if found["StackStatus"] not in _UPDATABLE:
            raise RefusedError(f"stack {self.name} is in {self._why(found)}")
        return found

    @contextmanager
    def planned(
        self, body: str, parameters: Iterable[Mapping[str, Any]], prefix: str, *, new: bool
    ) -> Iterator[Plan]:
        """The change set that makes the stack what the body says; gone after the block.

        Unless it was applied, a stack that it would have created is gone then, too.
        """
        self._delete_change_set()
        with _asking():
            made = self.client.create_change_set(
                StackName=self.name,
                ChangeSetName=_CHANGE_SET,
                ChangeSetType="CREATE" if new else "UPDATE",
                TemplateBody=body,
                Parameters=[*parameters],
                Capabilities=["CAPABILITY_NAMED_IAM"],
                Tags=[{"Key": TAG, "Value": prefix}],
                ImportExistingResources=True,
            )
        plan = Plan(made["StackId"], made["Id"], new)
        try:
            plan.changes = self._changes(made["Id"])
            yield plan
        finally:
            if not plan.applied:
                self._delete_change_set()
                if new:
                    self._delete(plan.stack_id)

    def apply(self, plan: Plan) -> None:
        """Executes the change set to its end, and reports each event.

        Raises `RefusedError` with the resource at fault if it was rolled back.
        """
        self._skip_events(plan.stack_id)
        with _asking():
            self.client.execute_change_set(
                ChangeSetName=plan.change_set_id,
                DisableRollback=False,  # whose default the API reference gives as true
            )
        plan.applied = True
        self._follow(plan.stack_id)

    def delete(self, found: Mapping[str, Any]) -> None:
        """Deletes it, as `described`, and reports each event.

        Raises `RefusedError` if a resource is in the way.
        """
        self._skip_events(found["StackId"])
        self._delete(found["StackId"])
        if found["StackStatus"] != PLANNED:  # one without resources is gone at once
            self._follow(found["StackId"])

    def outputs(self) -> dict[str, str]:
        """Its outputs by name."""
        found = self.described() or {}
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}

    def resources(self) -> list[dict[str, Any]]:
        """Its resources, as ListStackResources gives them."""
        with _asking():
            pages = self.client.get_paginator("list_stack_resources").paginate(StackName=self.name)
            return [one for page in pages for one in page["StackResourceSummaries"]]

    def template_body(self) -> Any:
        """The template it was made of, as text, or as a document if it is JSON."""
        with _asking():
            return self.client.get_template(StackName=self.name)["TemplateBody"]

    def _described(self, name: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        try:
            with _asking("ValidationError"):
                (found,) = self.client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return dict(found)

    def _changes(self, change_set_id: str) -> list[Change]:
        """What the change set does, once it is made. Raises `RefusedError` if it cannot be made."""
        while True:
            with _asking():
                pages = [
                    *self.client.get_paginator("describe_change_set").paginate(
                        ChangeSetName=change_set_id
                    )
                ]
            if pages[0]["Status"] not in _PENDING:
                break
            time.sleep(_EVERY_S)
        reason = pages[0].get("StatusReason", "")
        if pages[0]["Status"] == "FAILED":
            if any(words in reason for words in _NO_CHANGES):
                return []
            if "DescribeEvents" in reason:  # which resource is not valid, it does not say itself
                reason = self._invalid(change_set_id) or reason
            raise RefusedError(f"stack {self.name} cannot be planned: {reason}")
        raw = [change["ResourceChange"] for page in pages for change in page.get("Changes", ())]
        return ordered(map(Change.of, raw))

    def _invalid(self, change_set_id: str) -> str:
        """What CloudFormation found wrong with resources before it would change any."""
        with _asking():
            pages = self.client.get_paginator("describe_events").paginate(
                ChangeSetName=change_set_id, Filters={"FailedEvents": True}
            )
            events = [one for page in pages for one in page["OperationEvents"]]
        found = [
            f"{one['LogicalResourceId']}: {one['ValidationStatusReason']}"
            for one in events
            if one.get("ValidationStatusReason") and one.get("ValidationFailureMode") != "WARN"
        ]
        return "; ".join(dict.fromkeys(found))

    def _delete_change_set(self) -> None:
        from botocore.exceptions import ClientError

        with suppress(ClientError), _asking("ChangeSetNotFound", "ValidationError"):
            self.client.delete_change_set(StackName=self.name, ChangeSetName=_CHANGE_SET)

    def _delete(self, stack_id: str) -> None:
        with _asking():
            self.client.delete_stack(StackName=stack_id)

    def _follow(self, stack_id: str) -> None:
        """Reports events until the operation is over. Raises `RefusedError` if it failed."""
        happened: list[Event] = []
        while not (ended := [event for event in happened if _ends(event)]):
            time.sleep(_EVERY_S)
            for event in self._news(stack_id):
                happened.append(event)
                waiting(event.line)
        if ended[-1].status not in _DONE:
            raise RefusedError(self._failure(ended[-1].status, happened))

    def _failure(self, status: str, events: Iterable[Event]) -> str:
        """The first resource that failed, why, and what is to be done now."""
        failed = [
            event
            for event in events
            if event.status.endswith("FAILED") and "cancelled" not in event.reason.lower()
        ]
        first = next((one for one in failed if not one.of_stack), failed[0] if failed else None)
        after = _AFTERWARDS.get(status, f"it is in {status}").format(name=self.name)
        if not first:
            return f"stack {self.name}: {after}"
        named = f" {first.name}" if first.name not in {"", first.resource} else ""
        what = f"{first.resource} ({words_of(first.kind)}{named})"
        return f"stack {self.name}: {what} failed: {first.reason.rstrip('.')}; {after}"

    def _why(self, found: Mapping[str, Any]) -> str:
        """The state of a stack that cannot be updated, with the cure."""
        status = found["StackStatus"]
        cure = _AFTERWARDS.get(status, "look at it in the AWS console").format(name=self.name)
        reason = found.get("StackStatusReason", "")
        return f"{status}: {reason}; {cure}" if reason else f"{status}: {cure}"

    def _is_over(self, stack_id: str) -> bool:
        """Whether the operation ended before its events were skipped."""
        found = self._described(stack_id)
        return not found or not found["StackStatus"].endswith("IN_PROGRESS")

    def _skip_events(self, stack_id: str) -> None:
        self._seen.update(event.key for event in self._news(stack_id))

    def _news(self, stack_id: str) -> list[Event]:
        """The events since the last look, oldest first."""
        found: list[Event] = []
        with _asking():
            pages = self.client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
            for page in pages:  # the newest come first
                new = [one for one in page["StackEvents"] if one["EventId"] not in self._seen]
                found += map(_event, new)
                if len(new) < len(page["StackEvents"]):
                    break
        self._seen.update(event.key for event in found)
        return found[::-1]


def tags_of(found: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a stack by key."""
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}


def parameters_of(found: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of a stack by name."""
    return {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", ())}


def _ends(event: Event) -> bool:
    return event.of_stack and not event.status.endswith("IN_PROGRESS")


def _event(answer: Mapping[str, Any]) -> Event:
    name = answer.get("PhysicalResourceId", "")
    return Event(
        answer["EventId"],
        answer["LogicalResourceId"],
        answer["ResourceType"],
        name,
        answer["ResourceStatus"],
        answer.get("ResourceStatusReason", ""),
        name == answer["StackId"],
    )


def _asking(*but: str) -> AbstractContextManager[None]:
    """What CloudFormation answers, in our words; errors of the codes `but` are the caller's."""
    return aws_errors(name="correct what it names and run again", but=but)
