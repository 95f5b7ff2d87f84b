"""A change set in words: what is created, imported, changed, replaced, deleted or left alone.

Made of what DescribeChangeSet and ListStackResources answer. How it is printed is the command's
matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

# What holds data: replaced or deleted, its readers find it empty or not at all.
DATA = {
    "AWS::DynamoDB::Table",
    "AWS::EC2::Volume",
    "AWS::RedshiftServerless::Namespace",
    "AWS::S3::Bucket",
}
_REPLACED = {"True": "replace", "Conditional": "may replace", "False": "change"}
_ACTIONS = {"Add": "create", "Import": "import", "Remove": "delete", "Dynamic": "may change"}
_REMARKS = {
    "Delete": "with all that is in it",
    "Retain": "leaves the stack; it stays in the account with its data",
    "ReplaceAndDelete": "the new one is empty, the old one is deleted",
    "ReplaceAndRetain": "the new one is empty, the old one stays in the account with its data",
}
ORDER = ("create", "import", "change", "may change", "may replace", "replace", "delete", "keep")


@dataclass(frozen=True)
class Change:
    """What happens to one resource; `risky` if those who read its data lose it."""

    action: str
    resource: str
    kind: str
    name: str = ""
    remark: str = ""
    risky: bool = False

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """From a `ResourceChange` of DescribeChangeSet."""
        policy = answer.get("PolicyAction", "")
        action = _ACTIONS.get(answer["Action"], _REPLACED.get(answer.get("Replacement", ""), ""))
        if policy == "Retain":
            action = "keep"
        touched = action in {"replace", "may replace", "delete", "keep"}
        risky = touched and answer["ResourceType"] in DATA
        return cls(
            action or "change",
            answer["LogicalResourceId"],
            answer["ResourceType"],
            answer.get("PhysicalResourceId") or "",
            _remark(answer, action, policy, risky=risky),
            risky,
        )

    @property
    def line(self) -> str:
        """All of it in one line."""
        parts = (f"{self.action:<11}", f"{self.resource:<22}", words_of(self.kind), self.name)
        shown = "  ".join(part for part in parts if part)
        return f"{shown}: {self.remark}" if self.remark else shown


def _remark(answer: Mapping[str, Any], action: str, policy: str, *, risky: bool) -> str:
    if action == "import":
        return "is there already, and is imported with its data"
    if risky:
        return _REMARKS.get(policy, "")
    targets = [detail.get("Target", {}) for detail in answer.get("Details", ())]
    return ", ".join(dict.fromkeys(t.get("Name") or t.get("Attribute", "") for t in targets))


def counted(changes: Iterable[Change]) -> str:
    """How many resources there are of each action, such as `3 create, 1 change`."""
    actions = [change.action for change in changes]
    return ", ".join(f"{actions.count(action)} {action}" for action in ORDER if action in actions)


def ordered(changes: Iterable[Change]) -> list[Change]:
    """What is created first, what is lost last."""
    return sorted(changes, key=lambda change: (ORDER.index(change.action), change.resource))


def deletions(resources: Iterable[Mapping[str, Any]], kept: Iterable[str]) -> Iterator[Change]:
    """What the deletion of a stack does to its resources, those of ListStackResources."""
    staying = {*kept}
    for one in resources:
        name = one["LogicalResourceId"]
        action = "keep" if name in staying else "delete"
        yield Change(action, name, one["ResourceType"], one.get("PhysicalResourceId", ""))


def words_of(kind: str) -> str:
    """A type in words, such as `S3 Bucket`."""
    return kind.removeprefix("AWS::").replace("::", " ")
