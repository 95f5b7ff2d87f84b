"""Series as they are embedded in the page: every value comes back, what is thinned out is known."""

from __future__ import annotations

import base64
import zlib
from datetime import date, timedelta

import numpy as np
import pytest

from crypto_assets.resources.report.packing import (
    BYTES_PER_ROW,
    SECTIONS,
    SPARK_POINTS,
    Thinning,
    packed,
    sparkline,
    thinning_for,
)
from crypto_assets.resources.report.series import Series
from crypto_assets.spark.market_data.gold import mean_price

EPOCH = date(1970, 1, 1)
NONE = float("nan")
FLOATS = {"price", "pricema", "trend"}


def series(days, price, trend=None, filled=()):
    """A series of these days since 1970."""
    prices = np.array(price, np.float64)
    trends = np.full(len(days), np.nan) if trend is None else np.array(trend, np.float64)
    return Series(
        np.array(days, np.int32), prices, trends, mean_price(prices), np.array(filled, np.int32)
    )


def unpacked(text):
    """The sections, read as the module's docstring describes the format."""
    content = zlib.decompress(base64.b64decode(text))
    exponent, *lengths = np.frombuffer(content, "<i4", len(SECTIONS) + 1).tolist()
    start, found = 4 * (len(SECTIONS) + 1), {}
    for name, length in zip(SECTIONS, lengths, strict=True):
        part = np.frombuffer(content, np.uint8, 4 * length, start).reshape(4, length).T.tobytes()
        values = np.frombuffer(part, "<f4" if name in FLOATS else "<i4")
        found[name] = values.tolist() if name in FLOATS else np.cumsum(values).tolist()
        start += 4 * length
    assert start == len(content)
    for name in ("price", "pricema"):
        found[name] = [value * 2.0**exponent for value in found[name]]
    return found


def test_what_is_packed_is_what_was_there_and_the_mean_is_left_to_the_page():
    found = unpacked(packed(series([10, 11, 15], [1.5, NONE, 2.0], [NONE, 40, NONE], [15]), None))
    assert found["days"] == [10, 11, 15]
    assert (found["price"][0], found["price"][2]) == (1.5, 2.0)
    assert np.isnan(found["price"][1])
    assert (found["trendDays"], found["trend"]) == ([11], [40.0])
    assert (found["gapFrom"], found["gapTo"]) == ([11], [14])
    assert (found["filled"], found["pricema"]) == ([15], [])


@pytest.mark.parametrize("price", [3e300, 1.5e-300])
def test_a_price_that_no_float32_holds_comes_back_with_its_digits(price):
    (found,) = unpacked(packed(series([10], [price]), None))["price"]
    assert found == pytest.approx(price, rel=1e-7)


def test_older_days_are_thinned_out_and_bring_the_mean_of_all_their_days_along():
    days = list(range(700, 1000))
    whole = series(days, [float(day) for day in days], [float(day % 100) for day in days])
    found = unpacked(packed(whole, Thinning(recent_days=30, every_days=50)))
    assert found["days"] == [700, 750, 800, 850, 900, 950, *range(970, 1000)]
    assert found["trendDays"] == found["days"]
    assert found["price"] == pytest.approx(found["days"])
    # From the 14th recent day on, all rows of the window are on the page.
    known = found["days"][: 6 + 13]
    means = dict(zip(days, whole.pricema.tolist(), strict=True))
    assert found["pricema"] == pytest.approx([means[day] for day in known])


def test_a_currency_shorter_than_the_recent_days_keeps_all_of_them():
    short = series([5, 6, 7], [1.0, 2.0, 3.0])
    thinning = Thinning(recent_days=30, every_days=50)
    assert unpacked(packed(short, thinning)) == unpacked(packed(short, None))


def test_a_row_takes_as_many_bytes_as_is_reckoned_with():
    walk = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.03, 1887)))
    trend = np.where(np.arange(1887) % 7 == 0, 50.0, np.nan)
    size = len(packed(series(range(18000, 19887), walk, trend), None))
    assert 0.8 * BYTES_PER_ROW <= size / 1887 <= BYTES_PER_ROW


def test_nothing_is_thinned_out_of_a_thousand_currencies_and_ten_thousand_keep_below_the_limit():
    assert thinning_for(1000, 1000 * 1887, 10_500_000) is None
    thinning = thinning_for(10_000, 10_000 * 1887, 10_500_000)
    assert thinning == Thinning(recent_days=90, every_days=30)
    assert thinning.bytes_of(1887) * 10_000 <= 10_500_000
    assert thinning_for(10**6, 10**6 * 1887, 10_500_000) == Thinning(30, 90)


def test_a_sparkline_shows_the_last_year_from_its_lowest_to_its_highest_price():
    days = [(date(2020, 1, 1) - EPOCH).days + n for n in range(730)]
    price = [1000.0] * 365 + [float(n) for n in range(365)]
    drawn = sparkline(series(days, price))
    assert len(drawn) == SPARK_POINTS
    assert (drawn[0], drawn[-1]) == ("A", "Z")
    assert list(drawn) == sorted(drawn)


def test_a_sparkline_has_a_gap_where_there_is_no_price_and_ends_with_the_last_own_price():
    last = date(2024, 12, 30)
    days = [(last - timedelta(back) - EPOCH).days for back in (300, 0)] + [20090]
    drawn = sparkline(series(days, [5.0, 7.0, 7.0], filled=[20090]))
    assert drawn.strip("-") == "A" + "-" * 41 + "Z"
    assert drawn.endswith("Z")


def test_a_price_that_never_changes_is_a_flat_line():
    assert set(sparkline(series([1, 2], [3.0, 3.0]))) == {"-", "A"}
