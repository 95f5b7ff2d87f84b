"""Gives a stack's warehouse its usage limit, for which CloudFormation has no resource.

CloudFormation invokes it as a custom resource and waits for what it answers.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import boto3

COMPUTE = "serverless-compute"


def handler(event: dict[str, Any], _context: object) -> None:
    """Answers in any case: without an answer CloudFormation waits for an hour."""
    given = event["ResourceProperties"]
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"PhysicalResourceId": given["Workgroup"], "Status": "SUCCESS"}
    try:
        if event["RequestType"] != "Delete":  # the limit goes with its workgroup
            limit(given["Workgroup"], int(given["RpuHours"]))
    except Exception as error:
        answer |= {"Status": "FAILED", "Reason": str(error)}
    body, of_no_type = json.dumps(answer).encode(), {"Content-Type": ""}  # as the address is signed
    urlopen(Request(event["ResponseURL"], body, of_no_type, method="PUT"), timeout=30).close()


def limit(workgroup: str, rpu_hours: int) -> None:
    """After so many RPU hours in a month the workgroup takes no more queries."""
    client = boto3.client("redshift-serverless")
    found = client.list_usage_limits(resourceArn=workgroup, usageType=COMPUTE)
    wanted = {"amount": rpu_hours, "breachAction": "deactivate"}
    for one in found.get("usageLimits", ()):
        if one["period"] == "monthly":
            client.update_usage_limit(usageLimitId=one["usageLimitId"], **wanted)
            return
    client.create_usage_limit(resourceArn=workgroup, usageType=COMPUTE, period="monthly", **wanted)
