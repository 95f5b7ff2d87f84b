"""An account whose pieces a test sets, and what the doctor says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crypto_assets.resources.aws import Aws
from crypto_assets_tests.aws.doctor.account import Said, found
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.router import Router, routing
from crypto_assets_tests.doubles.serverless_double import Serverless, serverless
from crypto_assets_tests.helpers.roles import Admin


@pytest.fixture
def account() -> Iterator[Serverless]:
    with serverless() as double:
        yield double


@pytest.fixture
def router(ministack: str, credentials: None, account: Serverless) -> Iterator[Router]:
    doubles = dict.fromkeys(("emr-serverless", "redshift-serverless"), account.url)
    with routing(ministack, doubles) as router:
        yield router


@pytest.fixture
def said(router: Router) -> Callable[..., Said]:
    """What the doctor says of each piece: whether it is fit, and the words."""

    def examined(region: str = REGION, **settings: str) -> Said:
        aws = Aws(region=region, endpoint_url=router.url)
        return found(aws, **settings)

    return examined


@pytest.fixture
def role(admin: Admin, bucket: str) -> Callable[..., str]:
    """Makes a role with these statements in its trust policy; gives its ARN."""

    def make(*statements: dict[str, Any]) -> str:
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        made = admin.client("iam").create_role(
            RoleName=f"{bucket}-{len(policy)}", AssumeRolePolicyDocument=policy
        )
        return made["Role"]["Arn"]

    return make
