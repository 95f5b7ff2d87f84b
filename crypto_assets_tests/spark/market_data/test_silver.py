"""Silver's rules for missing, doubled and unreadable values: literal rows in, literal rows out."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from crypto_assets.spark.files import encoded
from crypto_assets.spark.job_spec import Upload
from crypto_assets.spark.market_data import audit, silver
from crypto_assets.spark.market_data.bronze import data_lines
from crypto_assets.spark.market_data.currency import Currency
from crypto_assets.spark.market_data.job import _rows
from crypto_assets.spark.market_data.tables import SILVER_HISTORY

LINES = pa.schema([("role", pa.string()), ("date", pa.string()), ("value", pa.string())])


def lines(*rows):
    """Data lines of these days of January 2024 and values."""
    return pa.Table.from_pylist(
        [
            {"role": "data", "date": f"2024-01-{number:02}", "value": value}
            for number, value in rows
        ],
        LINES,
    )


def history_of(rows, missing="fill"):
    return values(silver.history(silver.prices(lines(*rows)).series, missing))


def trend_of(rows):
    return values(silver.trend(silver.trends(lines(*rows)).series))


def values(series):
    days = [(date(1970, 1, 1) + timedelta(day)).day for day in series.days.tolist()]
    return [
        (day, None if np.isnan(value) else value)
        for day, value in zip(days, series.values.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    "mark",
    [
        "-1",
        "nan",
        "NaN",
        "-1.0",
        "-1.00",
        "0",
        "0.0",
        "",
        " ",
        "-",
        "null",
        "NULL",
        "N/A",
        "n/a",
        "#N/A",
        None,
    ],
)
def test_every_mark_for_a_missing_price_is_filled_with_the_price_before(mark):
    assert history_of([(1, "5.5"), (2, mark)]) == [(1, 5.5), (2, 5.5)]


def test_a_gap_of_ten_rows_is_filled_and_the_eleventh_row_stays_null():
    gap = [(number, "-1") for number in range(2, 13)]
    found = history_of([(1, "7"), *gap])
    assert found == [(number, 7.0) for number in range(1, 12)] + [(12, None)]


def test_a_gap_of_one_row_takes_the_price_before_not_after():
    assert history_of([(1, "1"), (2, "-"), (3, "3")]) == [(1, 1.0), (2, 1.0), (3, 3.0)]


def test_a_gap_at_the_beginning_stays_null():
    assert history_of([(1, "-1"), (2, "3")]) == [(1, None), (2, 3.0)]


def test_missing_drop_leaves_the_rows_out():
    assert history_of([(1, "1"), (2, "-1"), (3, "3")], "drop") == [(1, 1.0), (3, 3.0)]


def test_identical_rows_collapse_and_different_spellings_of_a_price_are_identical():
    assert history_of([(1, "2.50"), (1, "2.5"), (2, "3")]) == [(1, 2.5), (2, 3.0)]


def test_a_very_small_price_keeps_all_its_digits():
    assert history_of([(1, "0.00000001585"), (2, "1.585E-8")]) == [(1, 1.585e-8), (2, 1.585e-8)]


@pytest.mark.parametrize(
    "word", ["12a", "1,5", "1_000", "0x10", "1e", "--1", "٣", "inf", "Infinity", "<5", "1d"]
)
def test_a_value_that_is_no_number_is_counted_apart_from_a_missing_one(word):
    found = silver.prices(lines((1, word), (2, "-1"), (3, "4")))
    assert found.unreadable == 1
    assert np.isnan(found.series.values).tolist() == [True, True, False]


def test_a_number_too_large_to_be_one_is_infinite_which_the_audit_refuses():
    found = silver.prices(lines((1, "1e999"), (2, "x"), (3, "1e999")))
    assert np.isinf(found.series.values).tolist() == [True, False, True]


def test_a_date_that_is_no_day_of_the_calendar_is_refused():
    rows = [{"role": "data", "date": day, "value": "1"} for day in ("2024-02-28", "2024-02-30")]
    data = pa.Table.from_pylist(rows, LINES)
    read = silver.prices(data)
    history = silver.history(read.series, "fill")
    file = encoded(_rows(SILVER_HISTORY, history.days, history.values))
    upload = Upload("uri", "btc.csv", "etag")
    order = Currency("BTC", {"history": upload, "trend": upload})
    given, written = (
        audit.given_measures(data, read),
        audit.series_measures(history, file, "price"),
    )
    found = audit.silver_findings("history", given, written, order)
    assert [each.problem for each in found] == ["history: 1 rows whose date cannot be read"]


def test_a_trend_below_one_is_a_half_and_a_missing_one_is_no_observation():
    assert trend_of([(1, "<1"), (2, ""), (3, "0"), (4, "73")]) == [(1, 0.5), (3, 0.0), (4, 73.0)]


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u202f", "\u2009", "\t", "  "])
def test_below_one_is_a_half_with_any_kind_of_blank(blank):
    assert trend_of([(1, f"<{blank}1"), (2, "5")]) == [(1, 0.5), (2, 5.0)]


def test_any_other_value_below_a_number_is_unreadable():
    found = silver.trends(lines((1, "<5"), (2, "<10"), (3, "<"), (4, "<1.5"), (5, "<1")))
    assert found.unreadable == 4
    assert found.series.values[4] == 0.5


def test_only_data_lines_become_rows():
    rows = [
        {"role": role, "date": "2024-01-01", "value": "1"}
        for role in ("header", "preamble", "footer", "blank", "bad", "left_out", "data")
    ]
    assert len(data_lines(pa.Table.from_pylist(rows, LINES))) == 1


def test_a_date_with_two_values_keeps_both_rows_for_the_audit_to_refuse():
    assert history_of([(2, "3"), (1, "1"), (2, "4"), (2, "3")]) == [(1, 1.0), (2, 3.0), (2, 4.0)]
