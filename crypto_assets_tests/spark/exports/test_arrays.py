"""The helpers over arrays."""

from __future__ import annotations

import pyarrow as pa
import pytest

from crypto_assets.spark.exports.arrays import MAX_LINES, index, lines_of


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
