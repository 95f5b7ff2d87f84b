"""The warehouse in Redshift: what DuckDB's does, over the Data API and COPY, and its faults."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet

from crypto_assets.resources import data_api
from crypto_assets.resources.aws import Aws
from crypto_assets.resources.redshift import REFUSALS, RedshiftWarehouse
from crypto_assets.resources.registry import WrongUse
from crypto_assets.resources.warehouse import LoadFile, WarehouseBusy
from crypto_assets.spark import job
from crypto_assets.spark.batch import LAYERS, Batch, Currency, Upload
from crypto_assets.spark.tables import GOLD, LOAD
from crypto_assets_tests.aws.conftest import REGION
from crypto_assets_tests.aws.redshift_double import ROLE, RedshiftDouble, serving_redshift
from crypto_assets_tests.aws.router import Router, routing
from crypto_assets_tests.exports_text import history_csv, trend_csv

FIRST = date(2024, 2, 28)
PRICES = (
    "SELECT ticker, count(*), min(price), max(price) FROM market_data.prices "
    "GROUP BY ticker ORDER BY ticker"
)
Load = Callable[..., dict[str, LoadFile]]


@pytest.fixture(scope="module")
def double(ministack: str) -> Iterator[RedshiftDouble]:
    with serving_redshift(ministack) as double:
        yield double


@pytest.fixture
def router(ministack: str, credentials: None, double: RedshiftDouble) -> Iterator[Router]:
    double.reset()
    with routing(ministack, {"redshift-data": double.url}) as router:
        yield router


@pytest.fixture
def make(router: Router, bucket: str) -> Callable[..., RedshiftWarehouse]:
    def make_warehouse(**settings: object) -> RedshiftWarehouse:
        defaults = {
            "workgroup": "analytics",
            "role_arn": ROLE,
            "manifests": f"s3://{bucket}/lake/_staging/manifests",
            "poll_seconds": 0.02,
            "time_limit_s": 60,
        }
        aws = Aws(region=REGION, endpoint_url=router.url)
        return RedshiftWarehouse(aws=aws, **{**defaults, **settings})

    return make_warehouse


@pytest.fixture
def warehouse(make) -> RedshiftWarehouse:
    return make()


def table(ticker: str, price: float, days: int) -> pa.Table:
    return pa.table(
        {
            "symbol": pa.array([ticker] * days, pa.string()),
            "date": [FIRST + timedelta(days=day) for day in range(days)],
            **dict.fromkeys(("price", "trend", "pricema", "trend_i"), pa.array([price] * days)),
        }
    )


def changed(name: str, values: pa.Array) -> pa.Table:
    """Three rows of DDD, one column of which is another."""
    rows = table("DDD", 2.0, 3)
    return rows.set_column(rows.schema.get_field_index(name), name, values)


@pytest.fixture
def put(aws: Aws, bucket: str) -> Callable[[str, pa.Table | bytes], LoadFile]:
    """Puts one ticker's file into S3."""
    s3, numbers = aws.client("s3"), itertools.count()

    def put_file(ticker: str, rows: pa.Table | bytes) -> LoadFile:
        body, count = rows, 3
        if isinstance(rows, pa.Table):
            parquet.write_table(rows, stream := io.BytesIO())
            body, count = stream.getvalue(), len(rows)
        key = f"ticker={ticker}/{next(numbers)}.parquet"
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        return LoadFile(f"s3://{bucket}/{key}", len(body), count)

    return put_file


@pytest.fixture
def load(put) -> Load:
    """Puts files of so many days, each at one price, and returns them by ticker."""

    def put_files(*tickers: str, price: float = 1.0, days: int = 3) -> dict[str, LoadFile]:
        return {ticker: put(ticker, table(ticker, price, days)) for ticker in tickers}

    return put_files


def prices(warehouse: RedshiftWarehouse) -> dict[str, tuple]:
    return {ticker: tuple(rest) for ticker, *rest in warehouse.query(PRICES)[1]}


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
    try:
        for number in range(1, 7):
            assert warehouse.replace(versions[number % 2])[1] == {}
    finally:
        ended.set()
        reader.join()
    assert seen == {(1.0, 1.0, 40, 2, 20), (2.0, 2.0, 80, 2, 40)}


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


def test_a_file_that_is_gone_changed_or_counted_wrong_fails_alone(warehouse, load, put, aws):
    files = load("AAA", "BBB", "CCC", "DDD")
    bucket, _, key = files["AAA"].uri.removeprefix("s3://").partition("/")
    aws.client("s3").delete_object(Bucket=bucket, Key=key)
    files["BBB"] = LoadFile(files["BBB"].uri, files["BBB"].size_bytes + 1, 3)
    files["CCC"] = LoadFile(files["CCC"].uri, files["CCC"].size_bytes, 4)
    loaded, problems = warehouse.replace(files)
    assert list(loaded) == ["DDD"]
    assert "S3ServiceE" in problems["AAA"]
    assert "content_length" in problems["BBB"]
    assert problems["CCC"] == "ticker=CCC/: 3 rows loaded of a file of 4"


def test_a_ticker_whose_name_redshift_cuts_off_is_found_by_halves(warehouse, load, put, double):
    tickers = [f"T{number:02}" for number in range(8)]
    files = load(*tickers)
    root, _, name = files["T05"].uri.rpartition("/ticker=")
    files["T05"] = LoadFile(f"{root}/{'deep/' * 30}ticker={name}", files["T05"].size_bytes, 3)
    loaded, problems = warehouse.replace(files)
    assert sorted(loaded) == [ticker for ticker in tickers if ticker != "T05"]
    assert list(problems) == ["T05"]
    assert double.calls["BatchExecuteStatement"] == 7  # 8, 4, 4 with it, 2, 1, 1 with it, 2


def test_when_all_files_are_bad_the_trying_ends(warehouse, put, double):
    files = {f"T{n}": put(f"T{n}", b"none") for n in range(REFUSALS + 5)}
    loaded, problems = warehouse.replace(files)
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
    with pytest.raises(WrongUse, match="is no ticker"):
        warehouse.remove(ticker)


def test_a_removed_ticker_has_neither_rows_nor_view_and_may_be_removed_again(warehouse, load):
    warehouse.remove("BTC")  # nothing there at all yet
    warehouse.replace(load("BTC", "ETH"))
    for _ in range(2):
        warehouse.remove("BTC")
        assert prices(warehouse) == {"ETH": (3, 1.0, 1.0)}
    with pytest.raises(WrongUse, match=r'relation "market_data.btc" does not exist'):
        warehouse.query("SELECT * FROM market_data.btc")
    assert warehouse.replace(load("BTC"))[1] == {}
    assert warehouse.query("SELECT count(*) FROM market_data.btc")[1] == [(3,)]


FAULTS = ["1023", "lock", "S3 slow down", "ActiveStatementsExceededException"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_conflict_is_tried_again(warehouse, load, double, fault):
    double.fail_next(fault, times=data_api.TRIES - 1)
    assert warehouse.replace(load("BTC"))[1] == {}
    assert double.calls["BatchExecuteStatement"] == data_api.TRIES


@pytest.mark.parametrize("fault", FAULTS)
def test_a_conflict_that_lasts_is_told_after_a_bounded_number_of_tries(
    warehouse, load, double, fault
):
    warehouse.replace(load("BTC"))
    double.calls.clear()
    double.fail_next(fault, times=100)
    with pytest.raises(WarehouseBusy, match="run again later"):
        warehouse.replace(load("BTC", price=2.0))
    assert double.calls["BatchExecuteStatement"] == data_api.TRIES
    with double.connect() as connection:
        assert connection.execute(PRICES).fetchall() == [("BTC", 3, 1.0, 1.0)]


def test_throttling_and_lost_answers_start_no_statement_twice(warehouse, router, load, double):
    router.fail("redshift-data", operation="BatchExecuteStatement", drop="after")
    router.fail("redshift-data", 3, operation="DescribeStatement", status=503)
    assert warehouse.replace(load("BTC"))[1] == {}
    assert (double.calls["BatchExecuteStatement"], len(double.statements)) == (2, 1)
    double.fail_next("ThrottlingException", times=2)
    assert warehouse.replace(load("BTC"))[1] == {}
    assert (double.calls["BatchExecuteStatement"], len(double.statements)) == (5, 2)


def test_two_loads_at_once_both_end_with_all_their_rows(make, load):
    make().replace(load("BTC", "ETH", "AAA"))
    files = [load("BTC", "ETH", price=price, days=int(price)) for price in (2.0, 3.0)]
    results = []
    writers = [
        threading.Thread(target=lambda part=part: results.append(make().replace(part)))
        for part in files
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [problems for _, problems in results] == [{}, {}]
    found = prices(make())
    assert found.pop("AAA") == (3, 1.0, 1.0)
    assert found in [dict.fromkeys(("BTC", "ETH"), (int(p), p, p)) for p in (2.0, 3.0)]


def test_a_statement_that_takes_too_long_is_cancelled(make, load, double):
    double.fail_next("hang")
    with pytest.raises(WarehouseBusy, match=r"has not ended within 0.3 s and was told to stop"):
        make(time_limit_s=0.3).replace(load("BTC"))
    assert double.calls["CancelStatement"] == 1
    assert aborted(double)


def aborted(double: RedshiftDouble) -> bool:
    deadline = time.monotonic() + 10
    (statement,) = double.statements.values()
    while statement.status != "ABORTED" and time.monotonic() < deadline:
        time.sleep(0.02)
    return statement.status == "ABORTED"


def test_an_interrupted_wait_cancels_the_statement(warehouse, load, double, monkeypatch):
    files = load("BTC")
    double.fail_next("hang")

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data_api.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        warehouse.replace(files)
    monkeypatch.undo()
    assert aborted(double)


def test_a_statement_cancelled_by_somebody_else_is_told(warehouse, load, double):
    double.fail_next("hang")

    def cancel() -> None:
        while not double.statements:
            time.sleep(0.01)
        double.answer("CancelStatement", {"Id": next(iter(double.statements))})

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(WarehouseBusy, match="was cancelled in Redshift"):
        warehouse.replace(load("BTC"))
    thread.join()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"workgroup": "elsewhere"}, "CRYPTO_ASSETS_AWS_REDSHIFT_WORKGROUP"),
        (
            {"database": "other"},
            'database "other" does not exist: set CRYPTO_ASSETS_AWS_REDSHIFT_DA',
        ),
        ({"role_arn": "arn:aws:iam::123456789012:role/other"}, "s3:GetObject on the lake"),
        ({"manifests": "s3://test-no-such-bucket/x"}, "test-no-such-bucket"),
    ],
)
def test_what_is_set_up_wrong_is_told_for_every_ticker_with_its_cure(
    make, load, double, settings, words
):
    loaded, problems = make(**settings).replace(load("AAA", "BBB", "CCC", "DDD"))
    assert loaded == {}
    assert sorted(problems) == ["AAA", "BBB", "CCC", "DDD"]
    assert all(words in problem and "\n" not in problem for problem in problems.values())
    assert double.calls["BatchExecuteStatement"] <= 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "allow redshift-data:.* on workgroup analytics"),
        ("ExpiredTokenException", "a new key file"),
    ],
)
def test_what_aws_refuses_is_told_with_its_cure(warehouse, router, code, words):
    router.fail("redshift-data", operation="ExecuteStatement", status=400, code=code)
    with pytest.raises(WrongUse, match=words):
        warehouse.query("SELECT 1")


def test_a_query_gives_python_values_of_all_pages(warehouse, load, double):
    warehouse.replace(load("BTC", days=250))
    columns, rows = warehouse.query("SELECT date, price FROM market_data.btc ORDER BY date")
    assert columns == ["date", "price"]
    assert rows == [(FIRST + timedelta(days=day), 1.0) for day in range(250)]
    assert double.calls["GetStatementResult"] == 1 + 3
    values = warehouse.query(
        "WITH one AS (SELECT 1 AS n) SELECT n, n > 0 AS yes, NULL AS none, 'a;b''into' AS text, "
        "CAST(1.25 AS NUMERIC(8, 3)) AS exact, 0.5::float8 AS half, "
        "TIMESTAMP '2024-01-02 03:04:05' AS moment FROM one -- into"
    )
    assert values == (
        ["n", "yes", "none", "text", "exact", "half", "moment"],
        [(1, True, None, "a;b'into", Decimal("1.250"), 0.5, datetime(2024, 1, 2, 3, 4, 5))],  # noqa: DTZ001
    )
    assert warehouse.query("SELECT date FROM market_data.btc WHERE price < 0") == (["date"], [])


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM market_data.prices",
        "WITH old AS (SELECT 1) DELETE FROM market_data.prices",
        "SELECT * INTO market_data.mine FROM market_data.prices",
        "SELECT 1; DELETE FROM market_data.prices",
        "/* SELECT */ DROP VIEW market_data.btc",
        "SELECT '\\'' AS a INTO market_data.mine FROM market_data.prices WHERE ticker <> '\\''",
        "SELECT 1 AS a$$ INTO market_data.mine FROM market_data.prices --$$",
        'SELECT 1 AS "a INTO market_data.mine',
        "COPY market_data.prices FROM 's3://bucket/x' IAM_ROLE default FORMAT PARQUET",
        "UNLOAD ('SELECT 1') TO 's3://bucket/x' IAM_ROLE default",
        "CALL market_data.sp_finish_batch()",
        "COMMIT",
        "",
        "-- SELECT 1",
    ],
)
def test_a_query_cannot_write_and_is_refused_before_it_is_sent(warehouse, double, statement):
    with pytest.raises(WrongUse, match=r"can only be read|cannot stand here") as refused:
        warehouse.query(statement)
    assert "\n" not in str(refused.value)
    assert not double.calls


def test_a_wrong_query_is_told_in_one_line(warehouse, load):
    warehouse.replace(load("BTC"))
    with pytest.raises(WrongUse, match=r'^column "nothing" does not exist$'):
        warehouse.query("SELECT nothing FROM market_data.btc")
    with pytest.raises(WrongUse, match=r'^relation "market_data.eth" does not exist$'):
        warehouse.query("SELECT * FROM market_data.eth")


def test_an_empty_warehouse_is_told_and_not_made_by_reading_it(warehouse, double):
    with pytest.raises(WrongUse, match="the warehouse is still empty: run `crypto-assets"):
        warehouse.query("SELECT * FROM market_data.btc")
    assert warehouse.check() == "database dev of workgroup analytics: empty so far"
    with double.connect() as connection:
        found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'market_data'")
        assert found.fetchall() == []


def test_the_doctor_is_told_how_much_there_is(warehouse, load):
    warehouse.replace(load("BTC", "ETH", days=600))
    assert warehouse.check() == ("database dev of workgroup analytics: 1,200 rows of 2 currencies")


def test_no_manifest_stays_behind(warehouse, load, put, aws, bucket):
    warehouse.replace(load("AAA") | {"BBB": put("BBB", b"none")})
    listed = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="lake/")
    assert listed["KeyCount"] == 0


def test_the_files_of_the_job_are_what_copy_wants(warehouse, session, put, tmp_path):
    def file(name: str, text: str) -> Upload:
        (path := tmp_path / name).write_text(text)
        return Upload(str(path), name, hashlib.sha256(path.read_bytes()).hexdigest())

    currencies = [
        Currency(
            ticker,
            file(f"{ticker}-history.csv", history_csv(level)),
            file(f"{ticker}-trend.csv", trend_csv(ticker)),
        )
        for ticker, level in (("BTC", 100.0), ("007", 7.0))
    ]
    staging = tmp_path / "staging"
    batch = Batch(str(staging), str(tmp_path / "lake"), LAYERS, tuple(currencies))
    *_, last = job.run(session, batch)
    files = {}
    for ticker in last.passed:
        (path,) = (staging / LOAD.folders(ticker)[0]).glob("*.parquet")
        rows = parquet.read_metadata(path).num_rows
        files[ticker] = dataclasses.replace(put(ticker, path.read_bytes()), rows=rows)
    loaded, problems = warehouse.replace(files)
    assert problems == {}
    assert loaded == {v.partition: v.measures for v in last.verdicts}
    for ticker in ("BTC", "007"):
        (path,) = (staging / GOLD.folders(ticker)[0]).glob("*.parquet")
        gold = parquet.ParquetFile(path).read()
        found = warehouse.query(f'SELECT * FROM market_data."{ticker.lower()}" ORDER BY date')
        assert found == (gold.column_names, [tuple(row.values()) for row in gold.to_pylist()])


def test_a_thousand_tickers_are_one_transaction(warehouse, load, double, router, record_property):
    tickers = [f"T{number:04}" for number in range(1000)]
    files = load(*tickers, days=2)
    router.forget()
    started = time.monotonic()
    loaded, problems = warehouse.replace(files)
    took = time.monotonic() - started
    assert problems == {}
    assert len(loaded) == 1000
    assert warehouse.query("SELECT count(*) FROM market_data.t0999")[1] == [(2,)]
    figures = {
        **router.operations("redshift-data"),
        **{f"S3 {method}": n for method, n in router.operations("s3").items()},
        "seconds": round(took, 1),
    }
    record_property("thousand_tickers", figures)
    logging.getLogger(__name__).warning("a batch of 1,000 tickers: %s", figures)
    assert double.calls["BatchExecuteStatement"] == 1
    assert router.operations("s3") == {"PUT": 1, "DELETE": 1}
