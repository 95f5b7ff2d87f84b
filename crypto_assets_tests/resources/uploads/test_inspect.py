"""What the check of a file says before it is uploaded."""

from __future__ import annotations

from crypto_assets.resources.uploads.inspect import inspect_file
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets_tests.helpers.exports_text import history_csv


def test_a_line_that_is_left_out_is_shown(write):
    lines = ["Date,Close", *(f"2024-01-{day:02},{100 + day}.25" for day in range(1, 29))]
    path = write("btc.csv", "\n".join([*lines, "2024-01-29,12"]))
    finding = inspect_file(path, Choices())
    assert (finding["rows"], finding["problems"]) == (28, [])
    assert any(
        note.startswith(f"line {len(lines) + 1}: the file ends") for note in finding["notes"]
    )


def test_a_read_file_and_a_refused_one_have_the_same_keys(write):
    read = inspect_file(write("btc.csv", history_csv()), Choices())
    refused = inspect_file(write("notes.csv", "Dear all,\nsee below\n"), Choices())
    assert read.keys() == refused.keys()
    assert (read["refused"], refused["rows"]) == (None, None)
