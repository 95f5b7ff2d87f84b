"""Gold's numbers against values worked out by hand: literal rows in, literal rows out."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from crypto_assets.spark.market_data import gold as module
from crypto_assets.spark.market_data.silver import Series

EPOCH = date(1970, 1, 1)


def series(rows):
    return Series(
        np.array([(day - EPOCH).days for day, _ in rows], np.int32),
        np.array([np.nan if value is None else value for _, value in rows], np.float64),
    )


def gold_of(history, trend):
    """Rows in date order as (date, price, trend, pricema, trend_i)."""
    found = module.gold(series(history), series(trend))
    columns = (found.price, found.trend, found.pricema, found.trend_i)
    return [
        (EPOCH + timedelta(day), *(None if np.isnan(value) else value for value in values))
        for day, *values in zip(found.days.tolist(), *map(np.ndarray.tolist, columns), strict=True)
    ]


def day(number, month=1):
    return date(2024, month, number)


def test_a_currency_of_one_row_has_its_price_as_mean_and_its_trend_as_interpolation():
    assert gold_of([(day(1), 10.0)], [(day(1), 50.0)]) == [(day(1), 10.0, 50.0, 10.0, 50.0)]


def test_days_are_the_union_of_price_days_and_trend_days():
    found = gold_of([(day(2), 10.0), (day(4), 20.0)], [(day(1), 5.0), (day(3), 7.0)])
    assert [row[0] for row in found] == [day(1), day(2), day(3), day(4)]
    assert [row[2] for row in found] == [5.0, None, 7.0, None]


def test_a_day_without_price_takes_the_last_one_at_most_two_rows_back():
    trend = [(day(number), 1.0) for number in (2, 3, 4, 5)]
    found = gold_of([(day(1), 10.0)], trend)
    assert [row[1] for row in found] == [10.0, 10.0, 10.0, None, None]


def test_a_null_price_is_filled_like_an_absent_one_and_never_from_the_future():
    found = gold_of([(day(1), None), (day(2), 8.0), (day(3), None)], [(day(1), 1.0)])
    assert [row[1] for row in found] == [None, 8.0, 8.0]


def test_the_moving_average_is_the_mean_of_this_row_and_the_thirteen_before():
    history = [(day(number), float(number)) for number in range(1, 17)]
    found = gold_of(history, [(day(1), 1.0)])
    assert [row[3] for row in found][:3] == [1.0, 1.5, 2.0]
    assert found[13][3] == sum(range(1, 15)) / 14
    assert found[15][3] == sum(range(3, 17)) / 14


def test_the_moving_average_leaves_nulls_out_and_is_null_where_all_are():
    trend = [(day(number), 1.0) for number in range(1, 4)] + [(day(25), 1.0)]
    history = [(day(4), 6.0), (day(20), None), (day(21), None), (day(22), None), (day(23), None)]
    found = {row[0]: row[3] for row in gold_of(history, trend)}
    assert found[day(1)] is None
    assert found[day(4)] == 6.0
    assert found[day(25)] == 6.0


def test_the_moving_average_is_exact_after_a_crash_of_the_price():
    history = [(day(1), 1e16)] + [(day(number), 0.1) for number in range(2, 20)]
    found = gold_of(history, [(day(1), 1.0)])
    assert found[18][3] == pytest.approx(0.1, rel=1e-15)


def test_the_trend_is_interpolated_in_time_not_in_rows():
    history = [(day(number), 1.0) for number in (8, 9, 12)]
    found = gold_of(history, [(day(8), 10.0), (day(15), 80.0)])
    assert [(row[0], row[4]) for row in found] == [
        (day(8), 10.0),
        (day(9), 20.0),
        (day(12), 50.0),
        (day(15), 80.0),
    ]


def test_six_days_before_the_first_and_after_the_last_observation_take_it_the_seventh_none():
    history = [(day(number), 1.0) for number in (3, 4, 10, 16, 17)]
    found = gold_of(history, [(day(10), 42.0)])
    assert [row[4] for row in found] == [None, 42.0, 42.0, 42.0, None]


def test_a_trend_wholly_before_the_prices_ends_six_days_later():
    found = gold_of([(day(20), 1.0), (day(28), 2.0)], [(day(1), 4.0), (day(15), 18.0)])
    assert found == [
        (day(1), None, 4.0, None, 4.0),
        (day(15), None, 18.0, None, 18.0),
        (day(20), 1.0, None, 1.0, 18.0),
        (day(28), 2.0, None, 1.5, None),
    ]


def test_a_trend_wholly_after_the_prices_begins_six_days_earlier():
    found = gold_of([(day(1), 1.0), (day(9), 2.0)], [(day(15), 3.0)])
    assert found == [
        (day(1), 1.0, None, 1.0, None),
        (day(9), 2.0, None, 1.5, 3.0),
        (day(15), 2.0, 3.0, 5 / 3, 3.0),
    ]


def test_a_leap_day_is_a_day_like_any_other():
    leap = date(2024, 2, 29)
    history = [(date(2024, 2, 28), 1.0), (leap, 2.0), (date(2024, 3, 1), 3.0)]
    found = gold_of(history, [(date(2024, 2, 25), 0.0), (date(2024, 3, 3), 7.0)])
    assert (leap, 2.0, None, 1.5, 4.0) in found
    assert len(found) == 5


def test_complete_daily_data_gives_the_seven_row_mean_of_back_filled_weekly_values():
    first = date(2024, 1, 7)
    weekly = [30.0, 44.0, 37.0]
    history = [(first + timedelta(days=number), 1.0) for number in range(15)]
    trend = [(first + timedelta(weeks=number), value) for number, value in enumerate(weekly)]
    found = [row[4] for row in gold_of(history, trend)]
    back_filled = [weekly[(number + 6) // 7] for number in range(15)]
    means = [sum(back_filled[number - 6 : number + 1]) / 7 for number in range(7, 15)]
    assert found[7:15] == pytest.approx(means, rel=1e-12)
