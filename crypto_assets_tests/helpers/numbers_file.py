"""A DuckDB file with a table of numbers, `t`: how it is changed and what it holds."""

from __future__ import annotations

from crypto_assets.resources.storage.duckdb_file import DuckDBFile

CURE = "delete the file: `make it` makes it anew"
SUM = "SELECT count(*), sum(n) FROM t"


def change(file: DuckDBFile, sql: str) -> None:
    with file.changing() as connection:
        connection.execute(sql)


def held(file: DuckDBFile) -> tuple[int, int]:
    """How many numbers there are, and their sum."""
    with file.reading() as connection:
        return connection.execute(SUM).fetchone()


def beside(file: DuckDBFile) -> list[str]:
    return sorted(path.name for path in file.path.parent.iterdir())
