"""What has to be in the DuckDB file before anything is loaded: schemas, tables, views, comments.

To make them anew takes longer than a load of one currency. So the comment on a schema's first table
says which statements made it, and these are run where they are others or something is missing. What
is loaded is in `duckdb`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto_assets.resources.warehouse.currencies import CREATE_VIEW
from crypto_assets.resources.warehouse.daily import CREATE_DAILY, DAILY
from crypto_assets.spark.accounts.tables import WAREHOUSE_ACCOUNTS
from crypto_assets.spark.market_data.tables import CURRENCIES, LAST_VERDICTS, PRICES
from crypto_assets.spark.tables import Table

if TYPE_CHECKING:
    import duckdb

_FOUND = """
SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = $1
UNION ALL SELECT view_name, NULL FROM duckdb_views() WHERE schema_name = $1
"""


@dataclass(frozen=True)
class Part:
    """What one data set has in the file: its tables, and the statements that make its views."""

    tables: tuple[Table, ...]
    views: tuple[tuple[Table, str], ...] = ()

    @property
    def schema(self) -> str:
        return self.tables[0].path.partition(".")[0]

    @property
    def names(self) -> set[str]:
        every = (*self.tables, *(view for view, _ in self.views))
        return {table.path.partition(".")[2] for table in every}

    @property
    def sqls(self) -> list[str]:
        """The statements that make all of it, or describe what is there."""
        sqls = [f"CREATE SCHEMA IF NOT EXISTS {self.schema}"]
        for table in self.tables:
            sqls += [table.create_sql("duckdb"), *table.comments_sql()]
        for view, create in self.views:
            sqls += [create, *view.comments_sql("VIEW")]
        return sqls

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> set[str]:
        """Makes what is missing or of another version; gives the names of tables and views."""
        first, sqls = self.tables[0], self.sqls
        version = hashlib.sha256(";".join(sqls).encode()).hexdigest()[:12]
        comment = f"{first.row} (as of {version})"
        found = dict(connection.execute(_FOUND, [self.schema]).fetchall())
        if found.get(first.path.partition(".")[2]) != comment or not self.names <= found.keys():
            sqls.append(f"COMMENT ON TABLE {first.path} IS '{comment}'")
            connection.execute(";".join(sqls))
        return found.keys() | self.names


MARKET_DATA = Part((PRICES, LAST_VERDICTS), ((CURRENCIES, CREATE_VIEW), (DAILY, CREATE_DAILY)))
ACCOUNTS = Part((WAREHOUSE_ACCOUNTS,))
