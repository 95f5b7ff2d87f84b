"""An empty warehouse, and files to load into it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.warehouse.duckdb import DuckDBWarehouse
from crypto_assets_tests.helpers.gold_files import write_gold


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(path=str(tmp_path / "warehouse.duckdb"), lock_wait_s=0.5)


@pytest.fixture
def gold(tmp_path: Path) -> Callable[..., dict[str, LoadFile]]:
    return partial(write_gold, tmp_path)
