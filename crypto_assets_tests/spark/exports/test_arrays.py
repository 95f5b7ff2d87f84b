"""The helpers over arrays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from crypto_assets.spark.exports.arrays import MAX_LINES, arrow, index, lines_of, spread


@pytest.mark.parametrize(
    ("count", "first"),
    [(0, 0), (1, 0), (3, 1), (1 << 14, 0), (1 << 14, 1), (100_000, 7), (2, MAX_LINES * 20)],
)
def test_an_index_counts_on_from_its_first_number(count, first):
    found = index(count, first)
    assert found.type == pa.int32()
    assert found.to_pylist() == list(range(first, first + count))


@pytest.mark.parametrize("text", ["", "\n", "a", "日付,価格\n1,é", "a\n\n\nb", "a\nb\n"])
def test_lines_are_what_stands_between_line_feeds(text):
    found = lines_of(text)
    found.validate(full=True)
    assert found.to_pylist() == text.split("\n")


@pytest.mark.parametrize("valid", [None, [True] * 9, [True, False] * 4 + [True], [False] * 9])
def test_numbers_that_are_not_valid_are_null(valid):
    found = arrow(np.arange(9.0), None if valid is None else np.array(valid))
    found.validate(full=True)
    assert found.is_valid().to_pylist() == (valid or [True] * 9)
    assert found.drop_null().to_pylist() == [n for n in range(9) if valid is None or valid[n]]


@pytest.mark.parametrize(
    ("count", "found"), [(0, []), (1, [0]), (5, [0, 1, 2, 3, 4]), (11, [0, 3, 6, 9])]
)
def test_a_spread_sample_begins_with_the_first_value(count, found):
    assert spread(index(count), 3) == found
