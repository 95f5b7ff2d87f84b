"""Objects in stores of others: the contract, behind the router that adds the conditions they lack.

What a call answers without it is the list of `docs/spark.md`.
"""

from __future__ import annotations

import pytest

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.objects_contract import ObjectsContract


@pytest.fixture
def objects(router, bucket, tmp_path):
    aws = Aws(region=REGION, endpoint_url=router.url)
    return S3Objects(aws=aws, root=f"s3://{bucket}/in/box", locks=str(tmp_path / "locks"))


class TestObjects(ObjectsContract):
    def made(self, objects):
        aws = f"Aws(region={REGION!r}, endpoint_url={objects.aws.endpoint_url!r})"
        return f"S3Objects(aws={aws}, root={objects.root!r}, locks={objects.locks!r})"
