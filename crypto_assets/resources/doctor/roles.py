"""Roles: whether the service that is to take one on may do so, and may use the keys of buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from crypto_assets.resources.doctor.piece import Account, Piece
from crypto_assets.resources.errors import UsageError

_EMR, _REDSHIFT = "emr-serverless.amazonaws.com", "redshift-serverless.amazonaws.com"


def _role_of(*services: str) -> Callable[[Account, str], str]:
    """Looks whether one of these services may take on the role."""

    def look(account: Account, arn: str) -> str:
        role = account.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
        trusted = services_of(role["AssumeRolePolicyDocument"]) & set(services)
        if not trusted:
            raise UsageError(f"its trust policy does not name {services[0]}: add it")
        return f"{arn} trusts {', '.join(sorted(trusted))}"

    return look


def services_of(policy: Mapping[str, Any], action: str = "sts:AssumeRole") -> set[str]:
    """The services that a policy allows this action; `*` where it allows everybody."""
    found: set[str] = set()
    for statement in listed(policy.get("Statement", [])):
        patterns = listed(statement.get("Action", []))
        named = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
        if statement.get("Effect") == "Allow" and named:
            principal = statement.get("Principal", {})
            kinds = principal if isinstance(principal, dict) else {"AWS": principal}
            found.update(listed(kinds.get("Service", [])))
            found.update({"*"}.intersection(listed(kinds.get("AWS", []))))
    return found


def listed(value: Any) -> list[Any]:
    """IAM leaves the brackets out around a single one."""
    return value if isinstance(value, list) else [value]


def without_key(
    account: Account, key_arn: str, wanted: Mapping[str, Iterable[str]]
) -> Iterator[str]:
    """Each role that may not do with a key what it needs to, by role and actions.

    What the role's own policies do not allow, the key's policy may: it names the role then.
    """
    kms = account.client("kms")
    for role, actions in wanted.items():
        denied = denied_to(account, role, actions, key_arn)
        if denied and role not in kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]:
            yield f"{role} may not {' and '.join(denied)}"


def denied_to(account: Account, role: str, actions: Iterable[str], resource: str) -> list[str]:
    """Those of the actions that the role's own policies do not allow on the resource."""
    decisions = account.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=list(actions), ResourceArns=[resource]
    )["EvaluationResults"]
    return [d["EvalActionName"] for d in decisions if d["EvalDecision"] != "allowed"]


JOB_ROLE = (Piece("job role", "emr_role_arn", "iam:GetRole", _role_of(_EMR)),)
COPY_ROLE = (  # without one the workgroup's default role is taken
    Piece(
        *("COPY role", "redshift_role_arn", "iam:GetRole"),
        _role_of(_REDSHIFT, "redshift.amazonaws.com"),
        optional=True,
    ),
)
