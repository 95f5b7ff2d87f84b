"""IAM's judgement of a call by an identity policy, as far as the policies of `deploy/iam` need it.

Rules: "Policy evaluation logic" and "IAM JSON policy elements reference" in the IAM user guide. No
package does it offline: moto's evaluator takes an Allow whose condition does not hold for a Deny.
What stands in a policy and is not known here raises `KeyError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

MANAGED_POLICY_CHARACTERS = 6144  # without white space: "IAM and AWS STS quotas"
_STATEMENT = {"Sid", "Effect", "Action", "Resource", "Condition"}


@dataclass(frozen=True)
class Call:
    """What is asked of IAM: an action such as `s3:GetObject`, on an ARN, with condition keys."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, compare=False)


def allows(policy: Mapping[str, Any], call: Call) -> bool:
    """Whether a statement allows the call and none denies it."""
    effects = {one["Effect"] for one in policy["Statement"] if _applies(one, call)}
    return effects == {"Allow"}


def listed(value: Any) -> list[Any]:
    """IAM leaves the brackets out around a single one."""
    return value if isinstance(value, list) else [value]


def _applies(statement: Mapping[str, Any], call: Call) -> bool:
    if unknown := statement.keys() - _STATEMENT:
        raise KeyError(*unknown)
    return (
        any(_like(action.lower(), call.action.lower()) for action in listed(statement["Action"]))
        and any(_arn_like(arn, call.resource) for arn in listed(statement["Resource"]))
        and all(
            _holds(_OPERATORS[operator], key, wanted, call.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(
    operator: Callable[[str, str], bool], key: str, wanted: Any, context: Mapping[str, str]
) -> bool:
    """Whether one of the wanted values is that of the key; a key that is not there has none."""
    if key not in context:
        return False
    values = [re.sub(r"\$\{(.+?)\}", lambda m: context[m[1]], text) for text in listed(wanted)]
    return any(operator(value, context[key]) for value in values)


def _arn_like(pattern: str, arn: str) -> bool:
    """Part by part: a wildcard between colons does not reach over them, but for the last part."""
    if pattern == "*":
        return True
    wanted, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(parts) and all(map(_like, wanted, parts))


def _like(pattern: str, text: str) -> bool:
    return bool(_regex(pattern).fullmatch(text))


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(wild, re.DOTALL)


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringLike": _like,
    "ArnLike": _arn_like,
}
