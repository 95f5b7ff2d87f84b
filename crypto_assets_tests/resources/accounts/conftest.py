"""The refreshing of snapshots with everything beside the test."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_assets.resources.accounts.duckdb_store import DuckDBAccountStore
from crypto_assets.resources.accounts.refresh import AccountsRefresh
from crypto_assets.resources.accounts.snapshots import SnapshotRegistry
from crypto_assets.resources.data_set.outcomes import Outcomes
from crypto_assets.resources.engine.local import SailEngine
from crypto_assets.resources.notifier.notifier import LogNotifier
from crypto_assets.resources.storage.lake import Lake
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.resources.warehouse.duckdb import DuckDBWarehouse
from crypto_assets.spark.accounts.data_set import ACCOUNTS


@pytest.fixture
def accounts(objects: Objects, tmp_path: Path) -> AccountsRefresh:
    return AccountsRefresh(
        SnapshotRegistry(ACCOUNTS, objects),
        SailEngine(),
        Lake(objects=objects),
        Outcomes(str(tmp_path / "outcomes.sqlite")),
        DuckDBWarehouse(path=str(tmp_path / "warehouse.duckdb")),
        DuckDBAccountStore(path=str(tmp_path / "store.duckdb")),
        LogNotifier(path=str(tmp_path / "notices.log")),
    )
