"""What the tests of a DuckDB file share."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_assets.resources.storage.duckdb_file import DuckDBFile
from crypto_assets_tests.helpers.numbers_file import CURE
from crypto_assets_tests.helpers.waiting import HANG_S


@pytest.fixture
def file(tmp_path: Path) -> DuckDBFile:
    """A file with one table of the numbers 1, 2 and 3."""
    made = DuckDBFile(tmp_path / "made.duckdb", HANG_S, CURE)
    with made.changing() as connection:
        connection.execute("CREATE TABLE t AS SELECT unnest([1, 2, 3]) AS n")
    return made
