"""What the tests of the resources share."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_assets.resources.inbox import Inbox
from crypto_assets.resources.objects import LocalObjects
from crypto_assets.resources.registry import Registry
from crypto_assets_tests.resources.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    objects = LocalObjects(root=str(tmp_path / "inbox"))
    return Desk(Inbox(objects=objects), Registry(objects=objects))
