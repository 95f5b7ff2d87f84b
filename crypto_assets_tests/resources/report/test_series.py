"""What is counted on a currency's published tables: gaps, filled days, the last own price."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_assets.resources.report.series import read_series
from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets.spark.market_data.tables import GOLD
from crypto_assets.spark.problems import ReadError
from crypto_assets.spark.tables import arrow_schema

GOLD_FILE = "gold/ticker=BTC/data.parquet"
BRONZE_FILE = "bronze/kind=history/ticker=BTC/data.parquet"
PRICES = {2: 1.0, 3: 1.0, 4: 4.0, 8: 8.0, 9: 8.0}  # by day of January; the 3rd and 9th are filled
LINES = [("header", None, None), ("data", "2024-01-02", "1"), ("data", "2024-01-03", "-")]
LINES += [("data", "2024-01-04", "4.0"), ("data", "2024-01-08", "8"), ("left_out", None, None)]


@pytest.fixture
def lake(tmp_path):
    """A lake with gold and bronze of BTC."""
    columns = [
        [date(2024, 1, day) for day in (*PRICES, 20)],
        [*PRICES.values(), None],
        [*[None] * len(PRICES), 33.0],
        [1.0] * 6,
        [None] * 6,
    ]
    schema = arrow_schema(GOLD.file_columns)
    write(tmp_path / GOLD_FILE, pa.table([pa.array(c) for c in columns], schema.names).cast(schema))
    write_bronze(tmp_path, LINES)
    return LocalObjects(root=str(tmp_path))


def write_bronze(root, lines):
    role, day, value = (pa.array(column, pa.string()) for column in zip(*lines, strict=True))
    write(root / BRONZE_FILE, pa.table({"role": role, "date": day, "value": value}))


def write(path, table):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def days(numbers):
    return [date.fromordinal(date(1970, 1, 1).toordinal() + n).day for n in numbers.tolist()]


def test_filled_days_are_those_whose_price_is_of_no_uploaded_line(lake):
    found = read_series(lake, "BTC")
    assert days(found.filled) == [3, 9]
    assert days(found.priced) == [2, 3, 4, 8, 9]
    assert found.last == (date(2024, 1, 8) - date(1970, 1, 1)).days


def test_a_gap_is_a_stretch_without_a_price_between_two_prices(lake):
    found = read_series(lake, "BTC")
    assert [days(end) for end in found.gaps] == [[5], [7]]
    assert found.gap_days == 3


@pytest.mark.parametrize("line", [("data", "2024-01-04", "5"), ("data", "2024-01-25", "9")])
def test_which_days_were_filled_is_unknown_where_bronze_is_of_another_upload(lake, tmp_path, line):
    write_bronze(tmp_path, [each for each in LINES if each[1] != line[1]] + [line])
    assert read_series(lake, "BTC").filled is None


def test_a_damaged_or_absent_bronze_leaves_only_that_unknown(lake, tmp_path):
    (tmp_path / BRONZE_FILE).write_bytes(b"no parquet")
    assert read_series(lake, "BTC").filled is None
    (tmp_path / BRONZE_FILE).unlink()
    assert len(read_series(lake, "BTC").days) == 6


def test_a_currency_without_gold_has_no_series_and_a_damaged_one_is_said(lake, tmp_path):
    assert read_series(lake, "ETH") is None
    (tmp_path / GOLD_FILE).write_bytes(b"no parquet")
    with pytest.raises(ReadError, match="cannot be read"):
        read_series(lake, "BTC")
