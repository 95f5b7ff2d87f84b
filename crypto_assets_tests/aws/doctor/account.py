"""What the doctor says of an account, and what its tests make there."""

from __future__ import annotations

from typing import Any

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.doctor.aws import examine_aws
from crypto_assets.resources.settings import AwsSettings, Settings

Said = dict[str, tuple[bool, str]]


def found(aws: Aws, **settings: str) -> Said:
    """Of each piece, whether it is fit, and the words."""
    findings = examine_aws(aws, Settings(profile="aws", aws=AwsSettings(**settings)))
    return {finding.what: (finding.ok, finding.found) for finding in findings}


def allow(principal: object, effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole"}
