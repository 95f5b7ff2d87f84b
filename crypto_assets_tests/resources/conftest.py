"""What the tests of the resources share."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.market_data.registry import CurrencyRegistry
from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.desk import Desk


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.aws)])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """Objects in a folder; once more in a bucket, by `make test-aws`."""
    if request.param == "local":
        return LocalObjects(root=str(tmp_path / "root"))
    root = f"s3://{request.getfixturevalue('bucket')}/root"
    connection = request.getfixturevalue("aws")
    return S3Objects(aws=connection, root=root, locks=str(tmp_path / "locks"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    objects = LocalObjects(root=str(tmp_path / "inbox"))
    return Desk(Inbox(objects=objects), CurrencyRegistry(MARKET_DATA, objects))
