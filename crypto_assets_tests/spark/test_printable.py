"""Text of others is shown as text: nothing invisible is left in it, and JSON stays the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_assets.spark.printable import printable, printable_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Żółć 比特币 🪙 1\u00a0500,5 [x] :y: \\n", "Żółć 比特币 🪙 1\u00a0500,5 [x] :y: \\n"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31m\x07\x7f\x85", "\\u001b[31m\\u0007\\u007f\\u0085"),
        ("\u202egnp.csv\u2066\u200b\ufeff", "\\u202egnp.csv\\u2066\\u200b\\ufeff"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("b\udcff.csv\ue000", "b\\udcff.csv\\ue000"),
        ("\U000e0041", "\\udb40\\udc41"),
    ],
)
def test_what_is_invisible_is_escaped_and_nothing_else(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown


def test_a_text_of_several_lines_keeps_them():
    assert printable_lines("a\x1b\nb\r\n") == "a\\u001b\nb\\r\n"


@given(st.text(st.characters(exclude_categories=())))
def test_a_line_of_json_means_the_same(text):
    line = json.dumps([text], ensure_ascii=False)
    assert json.loads(printable(line)) == json.loads(json.dumps([text]))
