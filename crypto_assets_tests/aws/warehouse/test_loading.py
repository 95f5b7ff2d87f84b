"""The warehouse in Redshift loads what DuckDB's does, over the Data API and COPY."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import threading
import time
from datetime import date
from types import SimpleNamespace

import pyarrow as pa
import pytest
from pyarrow import parquet

from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.warehouse import copy_lists
from crypto_assets.resources.warehouse.copy_lists import LISTS, LISTS_KEPT_S
from crypto_assets.resources.warehouse.redshift import REFUSALS
from crypto_assets.spark.job_spec import JobSpec, Upload
from crypto_assets.spark.market_data.currency import Currency
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.market_data.tables import GOLD, LAST_VERDICTS
from crypto_assets.spark.run import run
from crypto_assets.spark.tables import staged_name
from crypto_assets_tests.aws.warehouse.rows import changed, prices, table
from crypto_assets_tests.helpers.described import (
    DAYS,
    VALUES,
    shows_each_currency_once,
    shows_verdicts_with_the_rows_loaded,
)
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv
from crypto_assets_tests.helpers.waiting import until


def test_replace_loads_files_and_tells_rows_and_dates_of_each_ticker(warehouse, load):
    assert warehouse.replace(load("BTC") | load("XMR", price=2.0, days=1)) == (
        {
            "BTC": {"rows": 3, "first_date": date(2024, 2, 28), "last_date": date(2024, 3, 1)},
            "XMR": {"rows": 1, "first_date": date(2024, 2, 28), "last_date": date(2024, 2, 28)},
        },
        {},
    )
    columns, rows = warehouse.query("SELECT * FROM market_data.btc ORDER BY date;")
    assert columns == ["date", "price", "trend", "pricema", "trend_i"]
    assert rows[0] == (date(2024, 2, 28), 1.0, 1.0, 1.0, 1.0)


def test_replace_leaves_every_other_ticker_alone(warehouse, load):
    warehouse.replace(load("BTC", "ETH", "XMR"))
    assert warehouse.replace(load("ETH", price=2.0, days=5))[1] == {}
    assert prices(warehouse) == {"BTC": (3, 1.0, 1.0), "ETH": (5, 2.0, 2.0), "XMR": (3, 1.0, 1.0)}
    assert warehouse.replace({}) == ({}, {})


def test_the_view_of_currencies_shows_rows_and_verdict_of_each_in_words(warehouse, put, double):
    rows = pa.table({"symbol": ["BTC"] * len(DAYS), "date": DAYS, **VALUES})
    warehouse.replace({"BTC": put("BTC", rows)})
    shows_each_currency_once(warehouse)
    described = "SELECT col_description('market_data.{}'::regclass, {})"
    with double.connect() as connection:
        for name, number, column in (("currencies", 1, "ticker"), ("last_verdicts", 2, "name")):
            (found,) = connection.execute(described.format(name, number)).fetchone()
            (said,) = (c.holds for c in LAST_VERDICTS.columns if c.name == column)
            assert found == said
    assert list(warehouse.objects.below(LISTS)) == []


def test_verdicts_come_with_the_rows_of_those_that_are_loaded(warehouse, load):
    files = load("BTC", "XMR")
    broken = {"XMR": dataclasses.replace(files.pop("XMR"), rows=4)}
    shows_verdicts_with_the_rows_loaded(warehouse, files, broken)
    assert list(warehouse.objects.below(LISTS)) == []


def test_every_ticker_has_a_view_of_its_lower_case_name(warehouse, load):
    tickers = ("BTC", "1INCH", "007", "ALL", "TABLE", "TRUE", "1E5", "USER")
    for days in (2, 3):
        assert warehouse.replace(load(*tickers, days=days) | load("TRX", price=9.0))[1] == {}
    for ticker in tickers:
        view = f'market_data."{ticker.lower()}"'
        assert warehouse.query(f"SELECT count(*), max(price) FROM {view}")[1] == [(3, 1.0)]


def test_a_reader_sees_all_old_or_all_new_rows(warehouse, double, load):
    versions = [load("BTC", "ETH", price=price, days=20 * int(price)) for price in (1.0, 2.0)]
    warehouse.replace(versions[0])
    seen, ended = set(), threading.Event()

    def read() -> None:
        with double.connect() as connection:
            while not ended.is_set():
                row = connection.execute(
                    "SELECT min(price), max(price), count(*), count(DISTINCT ticker), "
                    "(SELECT count(*) FROM market_data.btc) FROM market_data.prices"
                ).fetchone()
                seen.add(row)

    reader = threading.Thread(target=read)
    reader.start()
    expected = [(1.0, 1.0, 40, 2, 20), (2.0, 2.0, 80, 2, 40)]
    try:
        for number in range(7):
            assert warehouse.replace(versions[number % 2])[1] == {}
            until("a look at it", lambda number=number: expected[number % 2] in seen)
    finally:
        ended.set()
        reader.join()
    assert seen == set(expected)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"no Parquet", "invalid version number"),
        (changed("price", pa.array([2.0] * 3, pa.float32())), "incompatible Parquet"),
        (table("DDD", 2.0, 3).drop_columns(["trend"]), "has 5 columns"),
        (table("DDD", 2.0, 3).select([1, 0, 2, 3, 4, 5]), "incompatible Parquet"),
        (changed("date", pa.array(["2024-01-01"] * 3)), "incompatible Parquet"),
        (table("CCC", 2.0, 3), "0 rows loaded of a file of 3"),
        (changed("date", pa.array([None] * 3, pa.date32())), "null value in column"),
    ],
)
def test_one_bad_file_fails_alone_and_keeps_its_old_rows(warehouse, load, put, broken, reason):
    tickers = ("AAA", "BBB", "CCC", "DDD", "EEE")
    warehouse.replace(load(*tickers))
    files = load(*tickers, price=2.0, days=4) | {"DDD": put("DDD", broken)}
    loaded, problems = warehouse.replace(files)
    assert list(problems) == ["DDD"]
    assert reason in problems["DDD"]
    assert "\n" not in problems["DDD"]
    assert sorted(loaded) == ["AAA", "BBB", "CCC", "EEE"]
    assert prices(warehouse) == dict.fromkeys(loaded, (4, 2.0, 2.0)) | {"DDD": (3, 1.0, 1.0)}


def test_a_file_that_is_gone_changed_or_counted_wrong_fails_alone(warehouse, load, put, admin):
    files = load("AAA", "BBB", "CCC", "DDD")
    bucket, _, key = files["AAA"].uri.removeprefix("s3://").partition("/")
    admin.client("s3").delete_object(Bucket=bucket, Key=key)
    files["BBB"] = LoadFile(files["BBB"].uri, files["BBB"].size_bytes + 1, 3)
    files["CCC"] = LoadFile(files["CCC"].uri, files["CCC"].size_bytes, 4)
    loaded, problems = warehouse.replace(files)
    assert list(loaded) == ["DDD"]
    assert "S3ServiceE" in problems["AAA"]
    assert "content_length" in problems["BBB"]
    assert problems["CCC"] == "ticker=CCC/: 3 rows loaded of a file of 4"


def test_a_ticker_whose_name_redshift_cuts_off_is_found_by_halves(ready, load, put, double):
    tickers = [f"T{number:02}" for number in range(8)]
    files = load(*tickers)
    root, _, name = files["T05"].uri.rpartition("/ticker=")
    files["T05"] = LoadFile(f"{root}/{'deep/' * 30}ticker={name}", files["T05"].size_bytes, 3)
    loaded, problems = ready.replace(files)
    assert sorted(loaded) == [ticker for ticker in tickers if ticker != "T05"]
    assert list(problems) == ["T05"]
    assert double.calls["BatchExecuteStatement"] == 7  # 8, 4, 4 with it, 2, 1, 1 with it, 2


def test_when_all_files_are_bad_the_trying_ends(ready, put, double):
    files = {f"T{n}": put(f"T{n}", b"none") for n in range(REFUSALS + 5)}
    loaded, problems = ready.replace(files)
    assert loaded == {}
    assert sorted(problems) == sorted(files)
    assert sum(f"{REFUSALS} loads failed" in problem for problem in problems.values()) == 5
    assert double.calls["BatchExecuteStatement"] == REFUSALS


@pytest.mark.parametrize("ticker", ["A'; DROP TABLE x; --", 'a"b', "btc", "", "A" * 21, "Ä"])
def test_a_name_that_is_no_ticker_reaches_no_sql(warehouse, load, double, ticker):
    (file,) = load("BTC").values()
    loaded, problems = warehouse.replace({ticker: file, "BTC": file})
    assert list(loaded) == ["BTC"]
    assert problems == {ticker: "not a ticker: not loaded"}
    sent = [part.sql for statement in double.statements.values() for part in statement.parts]
    assert not [sql for sql in sent if ticker and f"'{ticker}" in sql]
    with pytest.raises(UsageError, match="is no ticker"):
        warehouse.remove(ticker)


def test_a_removed_ticker_has_neither_rows_nor_view_and_may_be_removed_again(warehouse, load):
    warehouse.remove("BTC")  # nothing there at all yet
    warehouse.replace(load("BTC", "ETH"))
    for _ in range(2):
        warehouse.remove("BTC")
        assert prices(warehouse) == {"ETH": (3, 1.0, 1.0)}
    with pytest.raises(UsageError, match=r'relation "market_data.btc" does not exist'):
        warehouse.query("SELECT * FROM market_data.btc")
    assert warehouse.replace(load("BTC"))[1] == {}
    assert warehouse.query("SELECT count(*) FROM market_data.btc")[1] == [(3,)]


def test_no_list_of_files_stays_behind(warehouse, load, put):
    warehouse.replace(load("AAA") | {"BBB": put("BBB", b"none")})
    assert list(warehouse.objects.below(LISTS)) == []


def test_a_list_that_a_crash_left_is_deleted_by_a_load_of_the_next_day(
    warehouse, load, monkeypatch
):
    left = f"{LISTS}/left.json"
    warehouse.objects.write(left, b"{}")
    warehouse.replace(load("AAA"))
    assert [found.key for found in warehouse.objects.below(LISTS)] == [left]
    tomorrow = SimpleNamespace(time=lambda: time.time() + LISTS_KEPT_S + 60)
    monkeypatch.setattr(copy_lists, "time", tomorrow)
    warehouse.replace(load("AAA"))
    assert list(warehouse.objects.below(LISTS)) == []


def test_the_files_of_the_job_are_what_copy_wants(warehouse, session, put, tmp_path):
    def file(name: str, text: str) -> Upload:
        (path := tmp_path / name).write_text(text)
        return Upload(str(path), name, hashlib.sha256(path.read_bytes()).hexdigest())

    partitions = tuple(
        Currency(
            ticker,
            {
                "history": file(f"{ticker}-history.csv", history_csv(level)),
                "trend": file(f"{ticker}-trend.csv", trend_csv(ticker)),
            },
        ).partition()
        for ticker, level in (("BTC", 100.0), ("007", 7.0))
    )
    staging, lake = tmp_path / "staging", str(tmp_path / "lake")
    layers, optional = ("bronze", "silver", "gold"), (warehouse.loads.path,)
    spec = JobSpec(MARKET_DATA.job, str(staging), lake, layers, partitions, optional, each=True)
    *_, last = run(session, spec)
    files = {}
    for ticker in last.passed:
        path = staging / staged_name(warehouse.loads.folders(ticker)[0])
        rows = parquet.read_metadata(path).num_rows
        files[ticker] = dataclasses.replace(put(ticker, path.read_bytes()), rows=rows)
    loaded, problems = warehouse.replace(files)
    assert problems == {}
    measures = {
        ticker: {**{name: str(value) for name, value in measured.items()}, "warnings": "[]"}
        for ticker, measured in loaded.items()
    }
    assert measures == {
        v.partition: {name: str(value) for name, value in v.measures.items()} for v in last.verdicts
    }
    for ticker in ("BTC", "007"):
        path = staging / staged_name(GOLD.folders(ticker)[0])
        gold = parquet.ParquetFile(path).read()
        found = warehouse.query(f'SELECT * FROM market_data."{ticker.lower()}" ORDER BY date')
        assert found == (gold.column_names, [tuple(row.values()) for row in gold.to_pylist()])


def test_a_thousand_tickers_are_one_transaction(ready, load, double, router, record_property):
    tickers = [f"T{number:04}" for number in range(1000)]
    files = load(*tickers, days=2)
    router.forget()
    started = time.monotonic()
    loaded, problems = ready.replace(files)
    took = time.monotonic() - started
    assert problems == {}
    assert len(loaded) == 1000
    assert ready.query("SELECT count(*) FROM market_data.t0999")[1] == [(2,)]
    figures = {
        **router.operations("redshift-data"),
        **{f"S3 {method}": n for method, n in router.operations("s3").items()},
        "seconds": round(took, 1),
    }
    record_property("thousand_tickers", figures)
    logging.getLogger(__name__).warning("a batch of 1,000 tickers: %s", figures)
    assert double.calls["BatchExecuteStatement"] == 1
    assert router.operations("s3") == {"GET": 1, "PUT": 1, "POST": 1}
