"""Tables as files for people: Parquet, CSV and Excel, written piece by piece.

What is in the tables is for others. In a CSV file a text is in quotes and a number is not, so that
a program takes neither for the other; null is an empty cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from crypto_assets.resources.errors import UsageError
from crypto_assets.spark.replacing import SHARED, replacing

if TYPE_CHECKING:
    import pyarrow as pa

Write = Callable[["pa.Table"], None]
SHEET_ROWS = 1_048_576  # what a sheet of Excel holds, its header among them
_DATE_WIDTH = 11  # characters
_AT_A_TIME = 10_000  # rows as Python's values


@contextmanager
def writing(path: Path, style: str, schema: pa.Schema) -> Iterator[Write]:
    """Gives what appends rows to a new file; that takes the place of `path` at the end.

    `style` is one of `STYLES`. An error in the block leaves `path` as it was.
    """
    with replacing(path, mode=SHARED) as stream, STYLES[style](stream, schema) as write:
        yield write


@contextmanager
def _parquet(stream: IO[bytes], schema: pa.Schema) -> Iterator[Write]:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(stream, schema, compression="snappy") as writer:
        yield writer.write_table


@contextmanager
def _csv(stream: IO[bytes], schema: pa.Schema) -> Iterator[Write]:
    from pyarrow.csv import CSVWriter

    with CSVWriter(stream, schema) as writer:
        yield writer.write_table


@contextmanager
def _excel(stream: IO[bytes], schema: pa.Schema) -> Iterator[Write]:
    """A sheet whose texts are texts, whatever they begin with."""
    import pyarrow as pa
    from xlsxwriter import Workbook

    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}
    with Workbook(stream, options) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        for column, field in enumerate(schema):
            if pa.types.is_date(field.type):
                sheet.set_column(column, column, _DATE_WIDTH)
            sheet.write_string(0, column, field.name)
        rows = 1

        def write(table: pa.Table) -> None:
            nonlocal rows
            if rows + len(table) > SHEET_ROWS:
                raise UsageError(
                    f"a sheet of Excel holds {SHEET_ROWS - 1:,} rows and these are more: name "
                    "fewer currencies, or give a folder as --output, or --format csv"
                )
            for batch in table.to_batches(_AT_A_TIME):
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    _write_row(sheet, rows, values)
                    rows += 1

        yield write


def _write_row(sheet: Any, row: int, values: tuple[object, ...]) -> None:
    for column, value in enumerate(values):
        if isinstance(value, str):
            sheet.write_string(row, column, value)
        elif isinstance(value, date):
            sheet.write_datetime(row, column, value)
        elif value is not None:
            sheet.write_number(row, column, value)


STYLES: dict[str, Callable[[IO[bytes], Any], AbstractContextManager[Write]]] = {
    "parquet": _parquet,
    "csv": _csv,
    "xlsx": _excel,
}
