"""The rules in words say the numbers that they are judged by.

They are read where Dagster shows them, without Arrow, which the code that judges needs: so most of
the numbers cannot be put into the words from there.
"""

from __future__ import annotations

import re

import pytest

from crypto_assets.resources.market_data.freshness import LATE_AFTER_DAYS
from crypto_assets.spark.exports.steps import JUMP
from crypto_assets.spark.market_data.audit import MIN_COVERED, READ_BACK
from crypto_assets.spark.market_data.rules import CHECKS

TEXTS = [text for check in CHECKS for text in (check.says, *check.rules.values())]
WORDS = {0.5: "half", 100: "a hundred"}


@pytest.mark.parametrize(
    ("phrase", "number", "times"),
    [
        (r"(\S+) times or more", f"{JUMP:g}", 3),
        (r"(\S+) of the days with a price", WORDS.get(MIN_COVERED), 2),
        (r"one currency in ([^)]+)", WORDS.get(READ_BACK), 3),
        (r"its allowance, (\S+) days", f"{LATE_AFTER_DAYS}", 1),
    ],
)
def test_a_rule_in_words_says_the_number_that_it_is_judged_by(phrase, number, times):
    assert [found for text in TEXTS for found in re.findall(phrase, text)] == [number] * times
