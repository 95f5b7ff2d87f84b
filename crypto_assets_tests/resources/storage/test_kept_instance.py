"""DuckDB itself is kept from one change to the next, and keeps nothing of the one before."""

from __future__ import annotations

import duckdb
import pytest

from crypto_assets.resources.storage.duckdb_file import DuckDBFile
from crypto_assets_tests.helpers.numbers_file import CURE, beside, change, held
from crypto_assets_tests.helpers.waiting import HANG_S


def test_a_change_after_one_that_fails_starts_from_the_file_alone(file):
    with pytest.raises(duckdb.CatalogException):
        change(file, "BEGIN; INSERT INTO t VALUES (10); SET threads = 7; DROP TABLE none_such")
    change(file, "INSERT INTO t VALUES (100)")
    assert held(file) == (4, 106)


def test_what_does_not_fit_into_memory_goes_beside_the_copy_and_the_next_change_is_made_too(
    file, tmp_path, monkeypatch
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    large = "SELECT n, hash(n)::VARCHAR AS v FROM range(3_000_000) AS large(n) ORDER BY v"
    with file.changing() as connection:
        connection.execute("SET memory_limit = '60MB'; SET threads = 1")
        connection.execute(f"CREATE TEMP TABLE large AS {large}")
        assert list((file.path.parent / ".made.duckdb.part" / "made.duckdb.tmp").iterdir())
        assert not list(elsewhere.iterdir())
    change(file, "INSERT INTO t VALUES (100)")
    assert held(file) == (4, 106)
    assert ".made.duckdb.part" not in beside(file)


@pytest.mark.parametrize("name", ["memory", "main", "temp", "my.data", 'we"ird', "o'x", "no file"])
def test_a_file_is_changed_again_whatever_its_name_and_has_that_for_its_views(tmp_path, name):
    file = DuckDBFile(tmp_path / f"{name}.duckdb", HANG_S, CURE)
    change(file, "CREATE TABLE t AS SELECT unnest([1, 2, 3]) AS n")
    with file.changing() as connection:
        called = connection.execute("SELECT current_database()").fetchone()
        connection.execute("CREATE VIEW v AS SELECT sum(n) AS n FROM t")
    with file.reading() as connection:
        assert connection.execute("SELECT current_database()").fetchone() == called
        assert connection.execute("SELECT n FROM v").fetchone() == (6,)
