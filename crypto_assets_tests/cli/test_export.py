"""`export`: gold as files, one for all currencies or one for each."""

from __future__ import annotations

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import crypto_assets
from crypto_assets.spark.market_data.tables import PRICES
from crypto_assets.spark.tables import arrow_schema
from crypto_assets_tests.helpers.excel import cells
from crypto_assets_tests.helpers.new_process import HEAVY, in_a_new_process


@pytest.fixture
def published(run, add):
    """BTC and 007, published; BAD, refused."""
    add("BTC")
    add("007", level=3.0)
    add("BAD", cells={12: "see mail"})
    assert run("materialize", "--all")[0] == 1
    return crypto_assets.prices()


def test_files_hold_the_rows_of_the_warehouse_in_the_order_asked_for(published, run, tmp_path):
    rows = {ticker: crypto_assets.prices([ticker]).num_rows for ticker in ("007", "BTC")}
    assert run("export", "--all", "--format", "parquet") == (
        0,
        f"prices.parquet: {len(published):,} rows of 2 currencies\n",
        "export: 1/2\nexport: 2/2\n",
    )
    assert pq.read_table(tmp_path / "prices.parquet").equals(published)
    assert (
        run("export", "btc", "--format", "csv")[1] == f"BTC.csv: {rows['BTC']} rows of 1 currency\n"
    )
    types = {field.name: field.type for field in arrow_schema(PRICES.columns)}
    convert = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    found = pyarrow.csv.read_csv(tmp_path / "BTC.csv", convert_options=convert)
    assert found.equals(crypto_assets.prices(["BTC"]))
    assert run("export", "BTC", "007", "--output", "a.xlsx")[0] == 0
    sheet = cells(tmp_path / "a.xlsx")
    assert len(sheet) == 1 + len(published)
    assert (sheet[1][0], sheet[-1][0]) == (("text", "BTC"), ("text", "007"))


def test_a_folder_gets_a_file_of_each_currency(published, run, tmp_path):
    assert run("export", "--all", "--output", "new/", "--format", "csv")[0] == 0
    (tmp_path / "old").mkdir()
    assert run("export", "BTC", "--output", "old", "--format", "parquet")[0] == 0
    assert pq.read_table(tmp_path / "old/BTC.parquet").equals(crypto_assets.prices(["BTC"]))
    found = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert found == ["007.csv", "BTC.csv"]


def test_a_file_that_is_there_is_replaced_by_force_alone(published, run, tmp_path):
    path = tmp_path / "BTC.csv"
    path.write_text("mine")
    assert run("export", "BTC", "--format", "csv") == (
        2, "", "crypto-assets: BTC.csv is there already: --force replaces it\n"
    )  # fmt: skip
    assert path.read_text() == "mine"
    assert run("export", "BTC", "--format", "csv", "--force")[0] == 0
    assert path.read_text().startswith('"ticker"')


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("BTC", "BAD", "--format", "csv"), "BAD: nothing is published yet"),
        (("BTX", "--format", "csv"), "BTX: there is no such currency: did you mean BTC?"),
        (("BTC",), "say which --format: parquet, csv, xlsx"),
        (("BTC", "--output", "a.txt"), "say which --format: parquet, csv, xlsx"),
        (("--format", "csv"), "name the tickers, or use --all"),
        (("BTC", "--all", "--format", "csv"), "name the tickers, or use --all"),
        (
            ("BTC", "--format", "csv", "--output", "a.xlsx"),
            "a.xlsx is no name for --format csv: let it end in .csv",
        ),
    ],
)
def test_what_cannot_be_exported_is_one_line_and_writes_nothing(
    published, run, tmp_path, words, says
):
    before = sorted(tmp_path.iterdir())
    code, out, err = run("export", *words)
    assert (code, out) == (2, "")
    assert says in err
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_published_is_nothing_to_export(home, run):
    code, _, err = run("export", "--all", "--format", "csv")
    assert (code, err) == (
        2,
        "crypto-assets: nothing is published yet: run `crypto-assets materialize --all` first\n",
    )


def test_exporting_imports_nothing_that_computes(published):
    shown, imported, _ = in_a_new_process("export", "BTC", "--format", "xlsx")
    assert "rows of 1 currency" in shown
    assert imported.isdisjoint([*HEAVY, "duckdb"])
