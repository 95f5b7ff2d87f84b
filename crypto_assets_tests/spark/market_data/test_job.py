"""The job over several tickers: each is measured, judged and carried on by itself."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_assets.spark.job_spec import JobSpec, Upload
from crypto_assets.spark.market_data import audit
from crypto_assets.spark.market_data.currency import Choices, Currency
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.market_data.tables import GOLD, LOAD, SILVER_HISTORY, SILVER_TREND
from crypto_assets.spark.run import run as run_spec
from crypto_assets.spark.storage import write
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv


@pytest.fixture
def currency(write_text):
    def make(ticker, history=None, trend=None, **choices):
        files = {"history": history or history_csv(), "trend": trend or trend_csv(ticker)}
        uploads = {kind: write_text(f"{ticker}-{kind}.csv", text) for kind, text in files.items()}
        return Currency(ticker, uploads, Choices(**choices))

    return make


@pytest.fixture
def write_text(tmp_path):
    def write_upload(name, text):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return Upload(str(path), name, hashlib.sha256(path.read_bytes()).hexdigest())

    return write_upload


@pytest.fixture
def run(session, tmp_path):
    def run_job(*currencies, layers=("bronze", "silver", "gold"), optional=()):
        staging, partitions = str(tmp_path / "staging"), tuple(c.partition() for c in currencies)
        spec = JobSpec(
            MARKET_DATA.job, staging, str(tmp_path / "lake"), layers, partitions, optional
        )
        return {result.layer: result for result in run_spec(session, spec)}

    return run_job


def verdict(results, layer, ticker):
    return next(v for v in results[layer].verdicts if v.partition == ticker)


def test_a_ticker_that_fails_goes_no_further_and_the_others_do(run, currency):
    results = run(
        currency("BTC"),
        currency("BAD", history_csv(cells={9: "n.a. see mail"})),
        currency(
            "HUGE",
            "Date,Open,High,Low,Close,Adj Close,Volume\n"
            + "".join(f"2024-02-{day:02}," + f"12{'0' * 307}," * 5 + "1\n" for day in range(1, 29)),
        ),
    )
    assert "BAD" not in results["bronze"].passed
    assert "line 9: not a price: 'n.a. see mail'" in verdict(results, "bronze", "BAD").problems[0]
    assert "not finite numbers" in verdict(results, "gold", "HUGE").problems[0]
    assert results["gold"].passed == ("BTC",)


def test_the_measures_of_a_good_ticker_account_for_every_line(run, currency):
    lines = history_csv(cells={5: "-1", 6: "-1"}).splitlines()
    doubled = "\n".join([*lines, lines[-1], ""]) + "\n"
    results = run(currency("BTC", doubled))
    bronze = verdict(results, "bronze", "BTC").measures["history"]
    silver = verdict(results, "silver", "BTC").measures["history"]
    roles = ("file_lines", "data", "text", "blank", "left_out", "bad")
    assert [bronze[role] for role in roles] == [43, 41, 1, 1, 0, 0]
    assert silver["dropped_duplicates"] == 1
    assert (silver["missing"], silver["filled"], silver["unfilled"]) == (2, 2, 0)
    assert bronze["data"] == silver["rows"] + silver["dropped_duplicates"]
    assert verdict(results, "gold", "BTC").measures["rows"] == 41


def test_lines_left_out_are_counted_and_no_row_is_made_of_them(run, currency):
    *lines, _ = (f"2024-02-{day:02} 00:00:00,{100 + day}.5" for day in range(1, 29))
    text = "\n".join(["Date,Close", *lines, "2024-02-27 13:54:00,128.5", "2024-02-2"])
    results = run(currency("BTC", text))
    bronze = verdict(results, "bronze", "BTC").measures["history"]
    roles = ("file_lines", "data", "text", "blank", "left_out", "bad")
    assert [bronze[role] for role in roles] == [30, 27, 1, 0, 2, 0]
    assert verdict(results, "silver", "BTC").measures["history"]["rows"] == 27
    assert results["gold"].passed == ("BTC",)


def test_a_trend_file_in_place_of_a_history_fails_its_ticker_only(run, currency):
    results = run(currency("BTC"), currency("ODD", trend_csv("odd")))
    assert results["gold"].passed == ("BTC",)
    assert (
        "this is search interest, not a price history"
        in verdict(results, "bronze", "ODD").problems[0]
    )


def test_a_stored_upload_with_other_content_is_not_read(run, currency, tmp_path):
    order = currency("BTC")
    (tmp_path / "BTC-history.csv").write_text(history_csv(5.0))
    assert "not what was uploaded" in verdict(run(order), "bronze", "BTC").problems[0]


def test_a_batch_in_which_every_ticker_fails_ends_there(run, currency):
    assert list(run(currency("BAD", history_csv(cells={9: "x"})))) == ["bronze"]


def test_a_history_without_a_single_price_fails_at_its_layer(run, currency):
    text = "Date,Open,High,Low,Close,Adj Close,Volume\n" + "".join(
        f"2024-02-{day:02},null,null,null,null,null,null\n" for day in range(1, 20)
    )
    results = run(currency("BTC"), currency("NONE", text))
    assert results["gold"].passed == ("BTC",)


def test_rows_of_a_file_stand_in_the_order_of_their_dates(session, tmp_path):
    days = [pa.scalar(19_000 + (number * 7919) % 500, pa.date32()) for number in range(500)]
    rows = pa.table(
        {
            "ticker": ["A", "B"] * 250,
            "date": pa.array([day.as_py() for day in days], pa.date32()),
            "g_trend": [1.0] * 500,
        }
    )
    write(session.createDataFrame(rows), str(tmp_path), SILVER_TREND, "date")
    for ticker in ("A", "B"):
        (file,) = (tmp_path / SILVER_TREND.path / f"ticker={ticker}").glob("*.parquet")
        dates = pq.ParquetFile(file).read()["date"].to_pylist()
        assert len(dates) == 250
        assert dates == sorted(dates)


def test_a_warehouse_by_position_gets_gold_with_the_ticker_first_in_each_file(
    run, currency, tmp_path
):
    tickers = ("BTC", "007", "TRUE")
    bad = currency("BAD", history_csv(cells={9: "x"}))
    results = run(bad, *map(currency, tickers), optional=(LOAD.path,))
    assert sorted(results["gold"].passed) == sorted(tickers)
    assert not list((tmp_path / "staging" / LOAD.path).glob("ticker=BAD"))
    for ticker in tickers:
        rows = {}
        for table in (GOLD, LOAD):
            (path,) = (tmp_path / "staging" / table.folders(ticker)[0]).glob("*.parquet")
            rows[table] = pq.ParquetFile(path).read()
        assert [(f.name, str(f.type)) for f in rows[LOAD].schema] == [
            ("symbol", "string"),
            ("date", "date32[day]"),
            *[(name, "double") for name in ("price", "trend", "pricema", "trend_i")],
        ]
        assert set(rows[LOAD]["symbol"].to_pylist()) == {ticker}
        assert rows[LOAD].drop_columns(["symbol"]).equals(rows[GOLD])
        assert rows[GOLD].column_names == ["date", "price", "trend", "pricema", "trend_i"]


def test_files_for_the_warehouse_are_made_of_the_gold_of_these_currencies_only(
    run, currency, tmp_path
):
    run(currency("BTC"), currency("ETH"))
    (tmp_path / "staging").rename(tmp_path / "lake")
    results = run(currency("ETH"), layers=("gold",), optional=(LOAD.path,))
    assert results["gold"].passed == ("ETH",)
    (folder,) = (tmp_path / "staging" / LOAD.path).glob("ticker=*")
    assert folder.name == "ticker=ETH"


def test_files_for_the_warehouse_are_made_only_where_the_job_spec_names_them(
    run, currency, tmp_path
):
    run(currency("BTC"))
    assert (tmp_path / "staging" / GOLD.path).exists()
    assert not (tmp_path / "staging" / LOAD.path).exists()


def test_the_audit_of_files_for_the_warehouse_compares_each_measure_with_golds():
    gold = {"rows": 3, "price_count": 2, "price_max": 5.0, "price_min": None}
    assert list(audit.load_problems(gold, dict(gold))) == []
    assert list(audit.load_problems(gold, None)) == ["no rows were written for the warehouse"]
    assert list(audit.load_problems(gold, {**gold, "rows": 2, "price_max": 4.0})) == [
        "rows is 3 in gold, 2 in the file for the warehouse",
        "price_max is 5.0 in gold, 4.0 in the file for the warehouse",
    ]


def test_the_audit_sees_rows_that_stand_in_another_order(session, tmp_path):
    folder = tmp_path / SILVER_HISTORY.path / "ticker=BTC"
    folder.mkdir(parents=True)
    shuffled = pa.table({"date": pa.array([3, 1, 2, 2], pa.date32()), "price": pa.array([1.0] * 4)})
    pq.write_table(shuffled, folder / "part.parquet")
    frame = session.read.schema(SILVER_HISTORY.ddl).parquet(str(tmp_path / SILVER_HISTORY.path))
    (measured,) = audit.table_measures(frame, "price").toArrow().to_pylist()
    assert measured["out_of_order"] == 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"lines": 40, "line_sum": 820}, "40 rows for a file of 41 lines"),
        ({"line_sum": 860}, "lost, doubled or taken twice"),
        ({"data": 37}, "only 40 of 41 lines have a role that is known"),
        ({"etag": "other"}, "another file's content"),
        ({"last_head": 17}, "line 17 between the data was taken for a header"),
        ({"first_foot": 30}, "line 30 between the data was taken for a footer"),
    ],
)
def test_the_audit_of_bronze_counts_lines_and_knows_the_file(change, problem):
    upload = Upload("uri", "btc.csv", "etag")
    row = {
        "lines": 41,
        "line_sum": 861,
        "file_lines": 41,
        "etag": "etag",
        "refused": 0,
        "bad": 0,
        "data": 38,
        "text": 1,
        "blank": 1,
        "left_out": 1,
        "first_data": 2,
        "last_data": 41,
        "last_head": 1,
        "first_foot": None,
    }
    order = Currency("BTC", {"history": upload, "trend": upload})
    assert list(audit.bronze_problems(row, order, "history")) == []
    (found,) = audit.bronze_problems({**row, **change}, order, "history")
    assert problem in found


def test_the_audit_of_silver_and_gold_counts_both_sides():
    upload = Upload("uri", "btc.csv", "etag")
    order = Currency("BTC", {"history": upload, "trend": upload})
    given = {"given": 40, "dates": 40, "missing": 2, "unreadable": 0}
    table = {
        "rows": 40,
        "dates": 40,
        "out_of_order": 0,
        "price_count": 40,
        "price_min": 1.0,
        "price_max": 2.0,
        "price_infinite": 0,
    }
    assert list(audit.silver_problems("history", given, table, order)) == []
    for change, problem in (
        ({"rows": 39, "dates": 39}, "40 rows expected, 39 written"),
        ({"rows": 41, "dates": 41}, "several a date"),
        ({"dates": 39}, "1 rows whose date cannot be read"),
        ({"price_infinite": 1}, "not finite"),
        ({"price_min": -2.0}, "prices are above 0"),
        ({"price_count": 0}, "no valid price"),
        ({"out_of_order": 3}, "do not come after the date before them"),
    ):
        found = list(audit.silver_problems("history", given, {**table, **change}, order))
        assert problem in found[0]
