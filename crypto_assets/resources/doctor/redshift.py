"""The workgroup of Redshift Serverless and its namespace: there, with a way to S3 and a COPY role.

What its database user may do is tried by the warehouse itself.
"""

from __future__ import annotations

import re
from typing import Any

from crypto_assets.resources.doctor.network import LOOKS, way_to_s3
from crypto_assets.resources.doctor.piece import Account, Piece
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.settings import variable

# GetNamespace answers roles as text such as IamRole(applyStatus=in-sync, iamRoleArn=arn:…), with
# the two in either order.
_ATTACHED = re.compile(r"iamRoleArn=(?P<arn>[^\s)]+?)(?:,\s*applyStatus=[\w-]+)?\)$")


def _workgroup(account: Account, name: str) -> str:
    status = _found(account, name)["status"]
    if status not in {"AVAILABLE", "MODIFYING"}:
        raise UsageError(f"it is {status.lower()}: wait, or create another")
    return f"{name}, {status.lower()}"


def _copy_role(account: Account, workgroup: str) -> str:
    """Whether the namespace has the role that COPY names; its trust policy alone is not enough."""
    name = _found(account, workgroup)["namespaceName"]
    client, role = account.client("redshift-serverless"), account.settings.aws.redshift_role_arn
    namespace = client.get_namespace(namespaceName=name)["namespace"]
    default = namespace.get("defaultIamRoleArn", "")
    if not role and not default:
        raise UsageError(
            f"namespace {name} has no default role: make one its default, or set "
            f"{variable('aws', 'redshift_role_arn')} to one that is attached"
        )
    attached = {_arn(entry) for entry in namespace.get("iamRoles", ())} | {default}
    if role and role not in attached:
        raise UsageError(f"{role} is not attached to namespace {name}: attach it")
    return f"namespace {name} has {role or default}"


def _arn(entry: str) -> str:
    found = _ATTACHED.search(entry)
    return found["arn"] if found else entry


def _network(account: Account, name: str) -> str:
    found = _found(account, name)
    return way_to_s3(account, found["subnetIds"] if found.get("enhancedVpcRouting") else [])


def _found(account: Account, name: str) -> dict[str, Any]:
    client = account.client("redshift-serverless")
    found: dict[str, Any] = client.get_workgroup(workgroupName=name)["workgroup"]
    return found


_SETTING = "redshift_workgroup"
WORKGROUP = (
    Piece("workgroup", _SETTING, "redshift-serverless:GetWorkgroup", _workgroup),
    Piece("namespace role", _SETTING, "redshift-serverless:GetNamespace", _copy_role),
    Piece("workgroup network", _SETTING, LOOKS, _network),
)
