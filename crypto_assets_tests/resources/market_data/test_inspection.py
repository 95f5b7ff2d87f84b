"""Reading uploads in worker processes gives what reading them in this one gives."""

from __future__ import annotations

import pytest

from crypto_assets.resources.engine.workers import Workers
from crypto_assets.resources.errors import UnclearError
from crypto_assets.resources.market_data.inspection import Reading, inspect, inspect_in
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets.spark.problems import ReadError
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv
from crypto_assets_tests.helpers.processes import printed_by

OPEN = "Date,Close\n03/04/2024,100.5\n04/04/2024,101.5\n"
LONG = history_csv(days=4_000).encode()


@pytest.fixture(scope="module")
def workers():
    with Workers(1) as started:
        yield started


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        (history_csv(), Reading("BTC Historical Data.csv")),
        (history_csv(cells={5: "x", 7: "y"}), Reading("a.csv", kind="history", certain=True)),
        (trend_csv("bitcoin"), Reading("multiTimeline.csv", terms=("btc", "bitcoin"))),
        (OPEN, Reading("a.csv", Choices(dates="dmy", names=("gold", "silver")))),
        ("Date,Close\n2024-01-01,1\n2024-01-02,2\n", Reading("odd \udcff 比特币.csv")),
    ],
)
def test_a_process_says_the_same_of_a_file(workers, text, reading):
    assert inspect_in(workers, text.encode(), reading) == inspect(text.encode(), reading)


@pytest.mark.parametrize(
    ("content", "reading"),
    [
        (OPEN.encode(), Reading("a.csv")),
        (trend_csv("monero").encode(), Reading("a.csv", terms=("btc",), certain=True)),
        (b"just some words\n", Reading("a.csv")),
        (b"\xff\xfe\x00\xd8", Reading("a.csv")),
        (b"", Reading("a.csv")),
    ],
)
def test_a_process_refuses_a_file_with_the_same_words(workers, content, reading):
    with pytest.raises(ReadError) as here:
        inspect(content, reading)
    with pytest.raises(ReadError) as there:
        inspect_in(workers, content, reading)
    assert str(there.value) == str(here.value)


def test_a_file_that_takes_a_process_too_long_is_unclear_and_the_next_one_is_read(workers):
    with pytest.raises(UnclearError) as refused:
        inspect_in(workers, LONG, Reading("long.csv"), cpu_s=0.001)
    assert str(refused.value) == (
        "the reader broke on this file: it takes longer than 0.001 s; please report it"
    )
    with pytest.raises(ReadError, match="in the future"):
        inspect_in(workers, LONG, Reading("long.csv"))


def test_what_a_process_imports_is_neither_dagster_nor_pandas():
    code = """
        import sys
        from crypto_assets.spark import each, worker
        from crypto_assets.spark.arrow import keep_pandas_out
        keep_pandas_out()
        from crypto_assets.resources.market_data.inspection import Reading, inspect
        from crypto_assets_tests.helpers.exports_text import history_csv
        inspect(history_csv().encode(), Reading("a.csv"))
        print([n for n in ("dagster", "pyspark", "pandas", "boto3", "duckdb") if n in sys.modules])
    """
    assert printed_by(code) == "[]"
