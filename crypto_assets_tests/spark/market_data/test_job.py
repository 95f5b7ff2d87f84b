"""The job over several tickers: each is measured, judged and carried on by itself."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_assets.spark import each
from crypto_assets.spark.files import encoded
from crypto_assets.spark.job_spec import JobSpec, Upload
from crypto_assets.spark.market_data import audit, job
from crypto_assets.spark.market_data.currency import Choices, Currency
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.market_data.silver import Series
from crypto_assets.spark.market_data.tables import BRONZE, GOLD, LOAD, SILVER_HISTORY, SILVER_TREND
from crypto_assets.spark.storage import write
from crypto_assets.spark.tables import FILE, staged_name
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
def run(tmp_path):
    def run_job(*currencies, layers=("bronze", "silver", "gold"), optional=()):
        staging, partitions = str(tmp_path / "staging"), tuple(c.partition() for c in currencies)
        spec = JobSpec(
            MARKET_DATA.job, staging, str(tmp_path / "lake"), layers, partitions, optional
        )
        answers = map(each.answer, each.pieces(spec))
        return {result.layer: result for result in each.results(spec, answers, 1)}

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


def staged(root, table, ticker):
    """The rows of each staged file of a table of one file a ticker."""
    (folder,) = table.folders(ticker)
    path = root / "staging" / staged_name(folder)
    return pq.read_table(path) if path.exists() else None


def test_a_warehouse_by_position_gets_gold_with_the_ticker_first_in_each_file(
    run, currency, tmp_path
):
    tickers = ("BTC", "007", "TRUE")
    bad = currency("BAD", history_csv(cells={9: "x"}))
    results = run(bad, *map(currency, tickers), optional=(LOAD.path,))
    assert sorted(results["gold"].passed) == sorted(tickers)
    assert [path for path in (tmp_path / "staging").iterdir() if "BAD" in path.name] == []
    for ticker in tickers:
        rows = {table: staged(tmp_path, table, ticker) for table in (GOLD, LOAD)}
        assert [(f.name, str(f.type)) for f in rows[LOAD].schema] == [
            ("symbol", "string"),
            ("date", "date32[day]"),
            *[(name, "double") for name in ("price", "trend", "pricema", "trend_i")],
        ]
        assert set(rows[LOAD]["symbol"].to_pylist()) == {ticker}
        assert rows[LOAD].drop_columns(["symbol"]).equals(rows[GOLD])
        assert rows[GOLD].column_names == ["date", "price", "trend", "pricema", "trend_i"]


def test_a_file_for_the_warehouse_that_names_another_ticker_is_refused(run, currency, monkeypatch):
    right = job._with_symbol
    monkeypatch.setattr(job, "_with_symbol", lambda rows, _: right(rows, "ETH"))
    results = run(currency("BTC"), optional=(LOAD.path,))
    assert results["gold"].passed == ()
    assert (
        "another ticker is in the file for the warehouse"
        in verdict(results, "gold", "BTC").problems
    )


def test_files_for_the_warehouse_are_made_only_where_the_job_spec_names_them(
    run, currency, tmp_path
):
    run(currency("BTC"))
    assert staged(tmp_path, GOLD, "BTC") is not None
    assert staged(tmp_path, LOAD, "BTC") is None


def published(root):
    """Puts what is staged where the lake has it."""
    for path in (root / "staging").iterdir():
        target = root / "lake" / path.stem.replace(",", "/") / FILE
        target.parent.mkdir(parents=True)
        path.rename(target)


def test_a_layer_alone_is_made_from_the_published_one_before_it(run, currency, tmp_path):
    run(currency("BTC"))
    whole = {
        table: staged(tmp_path, table, "BTC") for table in (SILVER_HISTORY, SILVER_TREND, GOLD)
    }
    published(tmp_path)
    assert list(run(currency("BTC"), layers=("silver",))) == ["silver"]
    assert run(currency("BTC"), layers=("gold",), optional=(LOAD.path,))["gold"].passed == ("BTC",)
    for table, rows in whole.items():
        assert staged(tmp_path, table, "BTC").equals(rows)


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and no more", "of another"])
@pytest.mark.parametrize("layer", ["silver", "gold"])
def test_a_published_file_that_cannot_be_read_fails_its_currency_alone(
    run, currency, tmp_path, layer, content
):
    run(currency("BTC"), currency("ETH"))
    published(tmp_path)
    table = {"silver": BRONZE, "gold": SILVER_HISTORY}[layer]
    path = tmp_path / "lake" / table.folders("BTC")[0] / FILE
    path.unlink()
    if content == "of another":
        pq.write_table(pa.table({"other": [1]}), path)
    elif content is not None:
        path.write_bytes(content)
    results = run(currency("BTC"), currency("ETH"), layers=(layer,))
    assert results[layer].passed == ("ETH",)
    found = verdict(results, layer, "BTC")
    assert found.passing
    assert found.problems[0].startswith(f"{table.folders('BTC')[0]}/{FILE} cannot be read (")
    assert found.problems[0].endswith("): run again without --layer")


def test_a_file_that_cannot_be_staged_is_the_fault_of_no_currency(run, currency, tmp_path):
    (tmp_path / "staging").write_text("in the way")
    with pytest.raises(OSError, match="staging"):
        run(currency("BTC"))


def test_what_breaks_on_one_currency_is_its_own_verdict(run, currency):
    broken = Currency("BAD", {"history": currency("BTC").files["history"]})
    results = run(currency("BTC"), broken)
    assert results["gold"].passed == ("BTC",)
    assert "the job broke on it: KeyError('trend')" in verdict(results, "bronze", "BAD").problems[0]


def test_the_audit_of_files_for_the_warehouse_compares_each_measure_with_golds():
    gold = {"rows": 3, "price_count": 2, "price_max": 5.0, "price_min": None}
    assert list(audit.load_findings(gold, dict(gold))) == []
    found = audit.load_findings(gold, {**gold, "rows": 2, "price_max": 4.0})
    assert [each.problem for each in found] == [
        "rows is 3 in gold, 2 in the file for the warehouse",
        "price_max is 5.0 in gold, 4.0 in the file for the warehouse",
    ]


def test_one_currency_in_a_hundred_has_its_files_read_back_whole():
    etags = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2000)]
    chosen = [Currency("BTC", {"history": Upload("", "", etag)}) for etag in etags]
    assert 5 < len(list(filter(audit.is_read_back, chosen))) < 40
    rows = pa.table({"date": pa.array([1, 2], pa.date32()), "price": [1.0, 2.0]})
    assert encoded(rows).holds(rows)
    assert not encoded(rows).holds(rows.slice(1))


def test_the_audit_sees_rows_that_stand_in_another_order():
    series = Series(np.array([3, 1, 2, 2], np.int32), np.array([1.0] * 4))
    file = encoded(pa.table({"date": pa.array(series.days, pa.date32()), "price": series.values}))
    assert audit.series_measures(series, file, "price")["out_of_order"] == 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"lines": 40}, "40 rows for a file of 41 lines"),
        ({"numbered": False}, "lost, doubled or taken twice"),
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
        "numbered": True,
        "file_lines": 41,
        "etag": "etag",
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
    assert list(audit.bronze_findings(row, order, "history")) == []
    (found,) = audit.bronze_findings({**row, **change}, order, "history")
    assert problem in found.problem


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
    assert list(audit.silver_findings("history", given, table, order)) == []
    for change, problem in (
        ({"rows": 39, "dates": 39}, "40 rows expected, 39 written"),
        ({"rows": 41, "dates": 41}, "several a date"),
        ({"dates": 39}, "1 rows whose date cannot be read"),
        ({"price_infinite": 1}, "not finite"),
        ({"price_min": -2.0}, "prices are above 0"),
        ({"price_count": 0}, "no valid price"),
        ({"out_of_order": 3}, "do not come after the date before them"),
    ):
        found = list(audit.silver_findings("history", given, {**table, **change}, order))
        assert problem in found[0].problem
