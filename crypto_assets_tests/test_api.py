"""`import crypto_assets`: files and published tables for code, without Dagster or an engine."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

import crypto_assets
from crypto_assets.resources import wiring
from crypto_assets_tests.helpers.exports_text import trend_csv
from crypto_assets_tests.helpers.waiting import HANG_S

HISTORY = """Date,Price
2024-01-03,"1,234.5"
2024-01-02,-
2024-01-01,1100
"""
UNCLEAR = "Date,Left,Right\n2024-01-01,7,5\n2024-01-02,9,6\n"
LOOKING = """
import sys
import crypto_assets
print(*[name for name in ("click", "numpy", "pyarrow") if name in sys.modules])
assert crypto_assets.gold("BTC").num_rows == crypto_assets.prices().num_rows
assert crypto_assets.currencies()["rows"].to_pylist() == [crypto_assets.gold("BTC").num_rows]
heavy = ("boto3", "dagster", "duckdb", "pyspark", "pysail")
print(*[name for name in heavy if name in sys.modules])
"""


def test_a_file_is_read_as_it_is_and_nothing_is_filled(write):
    found = crypto_assets.read(write("Bitcoin Historical Data.csv", HISTORY))
    assert found.rows.to_pylist() == [
        {"line": 2, "date": date(2024, 1, 3), "value": 1234.5},
        {"line": 3, "date": date(2024, 1, 2), "value": None},
        {"line": 4, "date": date(2024, 1, 1), "value": 1100.0},
    ]
    assert (found.kind, found.date_format, found.decimal) == ("history", "YYYY-MM-DD", "dot")
    assert (found.first_date, found.last_date) == (date(2024, 1, 1), date(2024, 1, 3))
    assert (found.value_column, found.ticker_guess, found.notes) == ("Price", "BTC", [])


def test_a_trend_is_read_with_its_term_and_below_one_as_a_half(write):
    found = crypto_assets.read(write("multiTimeline.csv", trend_csv("bitcoin", (40, "<1"))))
    assert found.rows["value"].to_pylist() == [40.0, 0.5]
    assert (found.kind, found.term, found.granularity) == ("trend", "bitcoin", "week")


def test_a_line_that_a_run_would_refuse_is_refused(write):
    path = write("a.csv", HISTORY.replace("1100", "see mail"))
    with pytest.raises(crypto_assets.Refused, match=r"a\.csv: line 4: not a price: 'see mail'$"):
        crypto_assets.read(path)


def test_a_refusal_names_the_argument_that_settles_it(write):
    path = write("a.csv", UNCLEAR)
    with pytest.raises(crypto_assets.Refused) as refused:
        crypto_assets.read(path)
    assert 'price="COLUMN"' in str(refused.value)
    assert "--" not in str(refused.value)
    for column in (3, "3", "Right"):
        assert crypto_assets.read(path, price=column).rows["value"].to_pylist() == [5.0, 6.0]


def test_an_option_that_is_none_of_its_words_is_no_reading(write):
    path = write("a.csv", HISTORY)
    for options in ({"dates": "usa"}, {"kind": "price"}, {"day": "last"}, {"duplicates": "all"}):
        with pytest.raises(crypto_assets.CryptoAssetsError, match="it is one of '"):
            crypto_assets.read(path, **options)


def test_a_file_that_is_not_there_is_no_refusal(tmp_path):
    with pytest.raises(FileNotFoundError):
        crypto_assets.read(tmp_path / "b.csv")


def test_tables_are_those_of_lake_and_warehouse(run, add, settings):
    add("BTC")
    add("007", level=3.0)
    list(wiring.registries(settings)[0].choose({"007": {"names": ("Bond Coin",)}}))
    add("BAD", cells={12: "see mail"})
    assert run("materialize", "--all")[0] == 1
    columns = ["date", "price", "trend", "pricema", "trend_i"]
    gold = crypto_assets.gold("btc")
    assert gold.column_names == columns
    every = crypto_assets.prices()
    assert every.column_names == ["ticker", *columns]
    assert every["ticker"].unique().to_pylist() == ["007", "BTC"]
    printed = run("sql", "SELECT * FROM market_data.prices ORDER BY 1, 2", "--format", "csv")[1]
    assert len(printed.splitlines()) == 1 + len(every)
    last = every.to_pylist()[-1].values()
    assert printed.splitlines()[-1] == ",".join("" if cell is None else str(cell) for cell in last)
    assert crypto_assets.prices(["BTC", "007", "BTC"]).equals(every)
    assert crypto_assets.prices(["BTC"]).drop_columns("ticker").equals(gold)

    known = {row.pop("ticker"): row for row in crypto_assets.currencies().to_pylist()}
    assert list(known) == ["007", "BAD", "BTC"]
    assert known["BTC"] == {
        "name": "bitcoin",
        "source": "investing.com",
        "first_date": gold["date"][0].as_py(),
        "last_date": gold["date"][-1].as_py(),
        "rows": len(gold),
        "state": "published",
        "problem": None,
    }
    called = "SELECT ticker, name FROM market_data.currencies ORDER BY 1"
    names = [(ticker, row["name"]) for ticker, row in known.items()]
    assert wiring.warehouse(settings).query(called)[1] == names
    assert names == [("007", "bond coin"), ("BAD", None), ("BTC", "bitcoin")]
    assert (known["BAD"]["state"], known["BAD"]["rows"]) == ("failed", None)
    assert "line 12: not a price: 'see mail'" in known["BAD"]["problem"]


def test_looking_at_tables_imports_neither_dagster_nor_an_engine(run, add):
    add("BTC")
    assert run("materialize", "BTC")[0] == 0
    done = subprocess.run(
        [sys.executable, "-c", LOOKING], capture_output=True, text=True, timeout=HANG_S, check=False
    )
    assert (done.stdout, done.stderr) == ("\n\n", "")


def said(ticker: str) -> str:
    with pytest.raises(crypto_assets.CryptoAssetsError) as error:
        crypto_assets.gold(ticker)
    return str(error.value)


def test_a_currency_without_gold_is_an_error_that_says_what_helps(home, run, add, settings):
    assert said("BTC") == ("BTC: no currency is published yet: run `crypto-assets add` first")
    add("ETH")
    assert said("BTC") == (
        "BTC: no currency is published yet: run `crypto-assets materialize --all` first"
    )
    assert said("ETH") == (
        "ETH: nothing is published yet: run `crypto-assets materialize ETH`, or see "
        "`crypto-assets status ETH`"
    )
    assert run("materialize", "ETH")[0] == 0
    assert said("ethereum") == "ETHEREUM: there is no such currency: did you mean ETH?"
    assert said("ETHX") == "ETHX: there is no such currency: did you mean ETH?"
    assert said("DOGE") == "DOGE: there is no such currency: there are ETH"
    with pytest.raises(crypto_assets.CryptoAssetsError, match=r"say tickers=\['ETH'\]"):
        crypto_assets.prices("ETH")
    (settings.lake_folder / "gold/ticker=ETH/data.parquet").write_bytes(b"PAR1")
    assert "makes it anew" in said("ETH")


def test_a_damaged_database_of_the_home_is_named_with_the_cure(home, add):
    add("BTC")
    assert crypto_assets.currencies()["state"].to_pylist() == ["stale"]  # nothing is made of it
    for beside in home.glob("outcomes.sqlite*"):
        beside.unlink()
    (home / "outcomes.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(crypto_assets.CryptoAssetsError, match=r"outcomes\.sqlite.*delete") as error:
        crypto_assets.currencies()
    assert "\n" not in str(error.value)


def test_looking_into_a_home_that_is_not_there_gives_no_rows_and_makes_nothing(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("CRYPTO_ASSETS_HOME", str(tmp_path / "none"))
    assert crypto_assets.prices().num_rows == 0
    assert crypto_assets.currencies().num_rows == 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_is_said_as_python_says_it():
    assert {"read", "gold"} < {*dir(crypto_assets)}
    with pytest.raises(AttributeError, match="module 'crypto_assets' has no attribute 'sold'"):
        crypto_assets.sold  # noqa: B018 - asked for is enough
