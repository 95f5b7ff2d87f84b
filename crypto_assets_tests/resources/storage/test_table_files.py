"""Tables as files: what is read back is what was written, and texts are no numbers or formulas."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.storage import table_files
from crypto_assets.resources.storage.table_files import STYLES, writing
from crypto_assets_tests.helpers.excel import cells

SCHEMA = pa.schema([("ticker", pa.string()), ("date", pa.date32()), ("price", pa.float64())])
FIRST = {"ticker": "007", "date": date(2024, 1, 1), "price": -1.5}
SECOND = {"ticker": "=1+1", "date": date(2024, 1, 2), "price": None}


def table(*rows: dict) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


@pytest.fixture
def written(tmp_path):
    """Writes both rows, one after the other, in a format; gives the file."""

    def write_file(style):
        path = tmp_path / f"table.{style}"
        with writing(path, style, SCHEMA) as write:
            write(table(FIRST))
            write(table(SECOND))
        return path

    return write_file


def test_parquet_has_the_rows_as_they_were(written):
    assert pq.read_table(written("parquet")).equals(table(FIRST, SECOND))


def test_csv_has_texts_in_quotes_and_numbers_without(written):
    assert written("csv").read_text() == (
        '"ticker","date","price"\n"007",2024-01-01,-1.5\n"=1+1",2024-01-02,\n'
    )


def test_excel_has_texts_numbers_and_days(written):
    days = (date(2024, 1, 1) - date(1899, 12, 30)).days
    assert cells(written("xlsx")) == [
        [("text", "ticker"), ("text", "date"), ("text", "price")],
        [("text", "007"), ("number", f"{days}"), ("number", "-1.5")],
        [("text", "=1+1"), ("number", f"{days + 1}")],
    ]


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path, monkeypatch, written):
    monkeypatch.setattr(table_files, "SHEET_ROWS", 2)
    with pytest.raises(UsageError, match="holds 1 rows and these are more"):
        written("xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("style", STYLES)
def test_an_error_leaves_the_file_as_it_was(tmp_path, style):
    path = tmp_path / "a"
    path.write_text("before")

    def broken_off():
        with writing(path, style, SCHEMA) as write:
            write(table(FIRST))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
