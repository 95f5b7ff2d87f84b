"""Silver's rules for missing, doubled and unreadable values: literal rows in, literal rows out."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from crypto_assets.spark.job_spec import Upload
from crypto_assets.spark.market_data import audit, silver
from crypto_assets.spark.market_data.currency import Currency

BRONZE = pa.schema(
    [("ticker", pa.string()), ("role", pa.string()), ("date", pa.string()), ("value", pa.string())]
)


@pytest.fixture
def bronze(session):
    def build(lines, ticker="BTC"):
        rows = [
            {"ticker": ticker, "role": "data", "date": f"2024-01-{number:02}", "value": value}
            for number, value in lines
        ]
        return session.createDataFrame(pa.Table.from_pylist(rows, BRONZE))

    return build


@pytest.fixture
def history_of(session, bronze):
    def compute(lines, missing="fill"):
        settings = session.createDataFrame(pa.table({"ticker": ["BTC"], "missing": [missing]}))
        return values(silver.history(silver.prices(bronze(lines)), settings), "price")

    return compute


def values(frame, name):
    found = sorted(frame.toArrow().to_pylist(), key=lambda row: row["date"])
    return [(row["date"].day, row[name]) for row in found]


def test_ansi_sql_is_on_so_that_no_cast_gives_a_silent_null(session):
    assert session.conf.get("spark.sql.ansi.enabled") == "true"


@pytest.mark.parametrize(
    "mark",
    ["-1", "-1.0", "-1.00", "0", "0.0", "", " ", "-", "null", "NULL", "N/A", "n/a", "#N/A", None],
)
def test_every_mark_for_a_missing_price_is_filled_with_the_price_before(history_of, mark):
    assert history_of([(1, "5.5"), (2, mark)]) == [(1, 5.5), (2, 5.5)]


def test_a_gap_of_ten_rows_is_filled_and_the_eleventh_row_stays_null(history_of):
    gap = [(number, "-1") for number in range(2, 13)]
    found = history_of([(1, "7"), *gap])
    assert found == [(number, 7.0) for number in range(1, 12)] + [(12, None)]


def test_a_gap_of_one_row_takes_the_price_before_not_after(history_of):
    assert history_of([(1, "1"), (2, "-"), (3, "3")]) == [(1, 1.0), (2, 1.0), (3, 3.0)]


def test_a_gap_at_the_beginning_stays_null(history_of):
    assert history_of([(1, "-1"), (2, "3")]) == [(1, None), (2, 3.0)]


def test_missing_drop_leaves_the_rows_out(history_of):
    assert history_of([(1, "1"), (2, "-1"), (3, "3")], "drop") == [(1, 1.0), (3, 3.0)]


def test_identical_rows_collapse_and_different_spellings_of_a_price_are_identical(history_of):
    assert history_of([(1, "2.50"), (1, "2.5"), (2, "3")]) == [(1, 2.5), (2, 3.0)]


def test_a_very_small_price_keeps_all_its_digits(history_of):
    assert history_of([(1, "0.00000001585"), (2, "1.585E-8")]) == [(1, 1.585e-8), (2, 1.585e-8)]


def test_a_value_that_is_no_number_is_told_apart_from_a_missing_one(bronze):
    found = silver.prices(bronze([(1, "12a"), (2, "-1"), (3, "4")])).toArrow().to_pylist()
    unreadable = {row["date"]: row["unreadable"] for row in found}
    assert unreadable == {"2024-01-01": True, "2024-01-02": False, "2024-01-03": False}


def test_a_date_that_is_no_day_of_the_calendar_is_refused(session):
    rows = [
        {"ticker": "BTC", "role": "data", "date": day, "value": "1"}
        for day in ("2024-02-28", "2024-02-30")
    ]
    settings = session.createDataFrame(pa.table({"ticker": ["BTC"], "missing": ["fill"]}))
    prices = silver.prices(session.createDataFrame(pa.Table.from_pylist(rows, BRONZE)))
    history = silver.history(prices, settings)
    given, written = (
        measures.toArrow().to_pylist()[0]
        for measures in (
            audit.parsed_measures(prices, "price"),
            audit.table_measures(history, "price"),
        )
    )
    upload = Upload("uri", "btc.csv", "etag")
    order = Currency("BTC", {"history": upload, "trend": upload})
    assert list(audit.silver_problems("history", given, written, order)) == [
        "history: 1 rows whose date cannot be read"
    ]


def test_a_trend_below_one_is_a_half_and_a_missing_one_is_no_observation(bronze):
    frame = silver.trend(silver.trends(bronze([(1, "<1"), (2, ""), (3, "0"), (4, "73")])))
    assert values(frame, "g_trend") == [(1, 0.5), (3, 0.0), (4, 73.0)]


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u202f", "\u2009", "\t", "  "])
def test_below_one_is_a_half_with_any_kind_of_blank(bronze, blank):
    frame = silver.trend(silver.trends(bronze([(1, f"<{blank}1"), (2, "5")])))
    assert values(frame, "g_trend") == [(1, 0.5), (2, 5.0)]


def test_any_other_value_below_a_number_is_unreadable(bronze):
    frame = silver.trends(bronze([(1, "<5"), (2, "<10"), (3, "<"), (4, "<1.5"), (5, "<1")]))
    read = frame.toArrow().sort_by("date")
    assert read["unreadable"].to_pylist() == [True, True, True, True, False]


def test_only_data_lines_become_rows(session):
    rows = [
        {"ticker": "BTC", "role": role, "date": "2024-01-01", "value": "1"}
        for role in ("header", "preamble", "footer", "blank", "bad", "left_out")
    ]
    frame = session.createDataFrame(pa.Table.from_pylist(rows, BRONZE))
    assert silver.prices(frame).count() == 0


def test_dates_become_dates(bronze, session):
    settings = session.createDataFrame(pa.table({"ticker": ["BTC"], "missing": ["fill"]}))
    frame = silver.history(silver.prices(bronze([(29, "1")])), settings)
    assert frame.toArrow()["date"].to_pylist() == [date(2024, 1, 29)]
