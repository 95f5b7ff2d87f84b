"""What the tests look at and disturb of AWS: everything is reached through one router."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from crypto_assets.resources.aws import Aws
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.router import Router
from crypto_assets_tests.helpers.roles import Admin


@dataclass
class BehindRouter:
    """Clients whose requests the router counts and may let fail."""

    router: Router

    @cached_property
    def aws(self) -> Aws:
        return Aws(region=REGION, endpoint_url=self.router.url)

    @property
    def admin(self) -> Admin:
        return Admin(self.router.url)

    @property
    def s3(self) -> Any:
        return self.admin.client("s3")
