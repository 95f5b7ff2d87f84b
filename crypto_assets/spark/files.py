"""Single files of the lake's tables, for jobs that make a partition's tables by themselves.

A file is staged beside all others of its run, under a name that says which folder it is for; what
is published is read from its folder. Tables of many partitions at once are `storage`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from crypto_assets.spark import objects
from crypto_assets.spark.problems import ReadError
from crypto_assets.spark.tables import FILE, arrow_schema, staged_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto_assets.spark.tables import Table

_ALONE = {"use_threads": False}  # a process that ends while pyarrow starts them is aborted


@dataclass(frozen=True)
class Written:
    """A Parquet file as it was written: its bytes, and its footer as the writer ended it."""

    content: pa.Buffer
    footer: Any

    @property
    def rows(self) -> int:
        return int(self.footer.num_rows)

    def range(self, column: str) -> tuple[Any, Any, int]:
        """The lowest and the highest value of a column and its nulls, as the footer says.

        Both values are None if there are only nulls.
        """
        found = self._group.column(self._places[column]).statistics
        low, high = (found.min, found.max) if found.has_min_max else (None, None)
        return low, high, found.null_count

    @cached_property
    def _group(self) -> Any:
        return self.footer.row_group(0)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.footer.schema.names)}

    def holds(self, rows: pa.Table) -> bool:
        """Whether exactly these rows are read from the file."""
        read = pq.ParquetFile(pa.BufferReader(self.content)).read(**_ALONE)
        return bool(read.equals(rows))


def encoded(rows: pa.Table, repeating: Sequence[str] = ()) -> Written:
    """The rows as a Parquet file: snappy, with dictionaries for the `repeating` columns."""
    sink, footers = pa.BufferOutputStream(), list[Any]()
    pq.write_table(
        rows,
        sink,
        compression="snappy",
        use_dictionary=list(repeating),
        store_schema=False,
        metadata_collector=footers,
    )
    return Written(sink.getvalue(), footers[0])


def stage(staging: str, folder: str, file: Written) -> None:
    """Writes the file below `staging`, for this folder of the lake. Raises as `objects.write`."""
    objects.write(f"{staging}/{staged_name(folder)}", file.content)


def read_published(lake: str, folder: str, table: Table) -> pa.Table:
    """The rows of a published file. Raises `ReadError` if it is gone or is not such a file.

    Raises `ServiceError` if S3 cannot say so.
    """
    try:
        return decoded(objects.read(f"{lake}/{folder}/{FILE}"), table)
    except (OSError, ReadError) as error:
        raise ReadError(f"{folder}/{FILE} cannot be read ({error})") from error


def decoded(content: bytes, table: Table) -> pa.Table:
    """The rows in a file of this table, without the columns that are in its folder's name.

    Raises `ReadError` if it is not such a file.
    """
    schema = arrow_schema(table.file_columns)
    try:
        rows = pq.read_table(pa.BufferReader(content), partitioning=None, **_ALONE)
        return rows.select(schema.names).cast(schema)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise ReadError(str(error)) from error
