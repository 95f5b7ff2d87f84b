"""A table: its columns, declared once and rendered for every engine, and where its files are.

Known without pyspark, so that whoever publishes or loads the files need not import it. The tables
themselves are declared in each data set's `tables`; `storage` reads and writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Type = Literal["string", "int", "double", "date", "timestamp", "boolean", "array<string>"]
Dialect = Literal["duckdb", "redshift"]
FILE = "data.parquet"  # the name of a published file in its folder

SQL_TYPES: dict[Dialect, dict[Type, str]] = {
    "duckdb": {
        "string": "VARCHAR",
        "int": "INTEGER",
        "double": "DOUBLE",
        "date": "DATE",
        "timestamp": "TIMESTAMP",
    },
    "redshift": {
        "string": "VARCHAR(1024)",
        "int": "INTEGER",
        "double": "DOUBLE PRECISION",
        "date": "DATE",
        "timestamp": "TIMESTAMP",
    },
}


@dataclass(frozen=True)
class Column:
    """A column; `type` is Spark's name for it, `holds` says in words and units what is in it."""

    name: str
    type: Type
    holds: str = ""
    required: bool = False


@dataclass(frozen=True)
class Table:
    """A table of a layer.

    `path` is relative to a lake's root, or `schema.table` of a warehouse. `partitions` name those
    of the columns that are in the names of the files' folders; `kinds` are the values of the
    column `kind` among them. `row` says what a row is. An `optional` one is written only by jobs
    whose spec names it.
    """

    path: str
    layer: str
    columns: tuple[Column, ...]
    partitions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    row: str = ""
    optional: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def file_columns(self) -> tuple[Column, ...]:
        """The columns that are in the files themselves."""
        return tuple(column for column in self.columns if column.name not in self.partitions)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the columns of measured values."""
        return tuple(column.name for column in self.columns if column.type == "double")

    def folders(self, partition: str) -> tuple[str, ...]:
        """The folders below the root that hold this partition's files, one file each."""
        kinds = [f"kind={kind}/" for kind in self.kinds] or [""]
        return tuple(f"{self.path}/{kind}{self.partitions[-1]}={partition}" for kind in kinds)

    @property
    def ddl(self) -> str:
        """All columns as Spark takes them for a schema."""
        return spark_ddl(self.columns)

    def create_sql(self, dialect: Dialect) -> str:
        """The statement that makes the table of a warehouse if it is not there."""
        return f"CREATE TABLE IF NOT EXISTS {self.path} ({sql_columns(self.columns, dialect)})"

    def comments_sql(self, kind: Literal["TABLE", "VIEW"] = "TABLE") -> list[str]:
        """The statements that describe the table or view and its columns, in standard SQL."""
        described = [(f"{kind} {self.path}", self.row)]
        described += [(f"COLUMN {self.path}.{each.name}", each.holds) for each in self.columns]
        texts = ((what, text.replace("'", "''")) for what, text in described if text)
        return [f"COMMENT ON {what} IS '{text}'" for what, text in texts]

    def markdown(self) -> str:
        """The columns as a table for the documentation."""
        rows = [f"| `{column.name}` | {column.holds} |" for column in self.columns if column.holds]
        return "\n".join(["| column | is |", "|---|---|", *rows])


def staged_name(folder: str) -> str:
    """The name of the staged file that is for this folder of the lake."""
    return f"{folder.replace('/', ',')}.parquet"


def spark_ddl(columns: tuple[Column, ...]) -> str:
    """The columns as Spark takes them for a schema."""
    return ", ".join(f"{column.name} {column.type}" for column in columns)


def sql_columns(columns: tuple[Column, ...], dialect: Dialect) -> str:
    """The columns as a statement of this dialect declares them."""
    types = SQL_TYPES[dialect]
    return ", ".join(
        f"{each.name} {types[each.type]}{' NOT NULL' if each.required else ''}" for each in columns
    )


@cache
def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The columns as Arrow's schema, as the engines write them to Parquet."""
    import pyarrow as pa

    types: dict[Type, pa.DataType] = {
        "string": pa.string(),
        "int": pa.int32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
        "array<string>": pa.list_(pa.string()),
    }
    return pa.schema([(column.name, types[column.type]) for column in columns])
