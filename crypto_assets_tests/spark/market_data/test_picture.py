"""What people see of a currency's gold: its chart and its last rows, of odd prices too."""

from __future__ import annotations

import base64
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from crypto_assets.spark.market_data.gold import gold
from crypto_assets.spark.market_data.picture import HEIGHT, WIDTH, last_rows, shown
from crypto_assets.spark.market_data.silver import Series

NAN = float("nan")


def series(first_day: int, *values: float) -> Series:
    days = np.arange(first_day, first_day + len(values), dtype=np.int32)
    return Series(days, np.array(values, dtype=np.float64))


def lines(markdown: str) -> list[list[tuple[int, int]]]:
    """The points of each line of a chart."""
    (encoded,) = re.findall(r"base64,([\w+/=]+)\)$", markdown)
    svg = ET.fromstring(base64.b64decode(encoded))  # noqa: S314 - our own
    return [
        [(int(x), int(y)) for x, y in (point.split(",") for point in line.get("points").split())]
        for line in svg
    ]


def test_the_last_rows_are_the_newest_first_with_empty_cells_where_there_is_no_number():
    made = gold(series(19_000, 1.5, 2.5, 0.1234567891234), series(19_002, 7.0, 9.0))
    assert last_rows(made).splitlines() == [
        "| date | price | trend | pricema | trend_i |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| 2022-01-11 | 0.1234567891 | 9 | 1.061728395 | 9 |",
        "| 2022-01-10 | 0.1234567891 | 7 | 1.374485596 | 7 |",
        "| 2022-01-09 | 2.5 |  | 2 | 7 |",
        "| 2022-01-08 | 1.5 |  | 1.5 | 7 |",
    ]


def test_a_chart_shows_no_more_than_ten_rows_and_names_its_days():
    made = shown(gold(series(19_000, *range(1, 400)), series(19_000, *range(100))))
    assert len(made["last_rows"].splitlines()) == 2 + 10
    assert "2022-01-08 to 2023-02-10" in made["chart"]
    price, mean, trend = lines(made["chart"])
    assert price[0] == (0, HEIGHT - 2)
    assert price[-1] == (WIDTH, 2)
    assert mean[-1][1] > price[-1][1]  # it lags behind a rising price
    assert len(made["chart"]) < 4_000
    assert trend


def test_a_gap_in_the_prices_is_a_gap_in_the_line():
    prices = series(19_000, *[1.0] * 10, *[NAN] * 10, *[2.0] * 10)
    before, after, *_ = lines(shown(gold(prices, series(19_000, 5.0)))["chart"])
    assert before[-1] == (11 * WIDTH // 29, HEIGHT - 2)  # a price holds for two more rows
    assert after[0] == (20 * WIDTH // 29, 2)


@pytest.mark.parametrize(
    ("prices", "trend"),
    [
        ([5.0], [50.0]),
        ([1e-300, 1e300, 1e-300], [0.0]),
        ([1.7e308, 5e-324], [0.0, 0.0]),
        ([NAN, NAN], [1.0]),
        ([3.0, 3.0, 3.0], [100.0]),
    ],
)
def test_a_chart_of_odd_values_stays_within_its_edges(prices, trend):
    chart = shown(gold(series(19_000, *prices), series(19_000, *trend)))["chart"]
    for line in lines(chart):
        for across, down in line:
            assert 0 <= across <= WIDTH
            assert 0 <= down <= HEIGHT
