"""Days on which a price changes so much more than usual that people should look at them.

A robust z-score of the changes (of logarithms) from day to day: in medians of their size, as if
they were normal. Mean and standard deviation would follow the outliers. Their middle is taken as 0:
a price that grows evenly has no spread around its own.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from crypto_assets.spark.exports.steps import JUMP
from crypto_assets.spark.job_spec import Finding
from crypto_assets.spark.market_data.rules import FAR
from crypto_assets.spark.problems import SHOWN_PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crypto_assets.spark.market_data.silver import Series

MIN_CHANGES = 30  # fewer do not show what is usual
_NORMAL = 1.4826  # a standard deviation in median absolute deviations, if changes are normal
_EPOCH = date(1970, 1, 1)


def outlier_warnings(prices: Series) -> Iterator[Finding]:
    """The days whose change from the day before is `FAR` from the usual, the furthest first.

    A day without a change, such as one filled in, says nothing about what is usual. Steps of `JUMP`
    or more are the reader's remarks.
    """
    known = ~np.isnan(prices.values) & (prices.values > 0)
    days, logs = prices.days[known], np.log(prices.values[known])
    changes = np.diff(logs)
    at = np.flatnonzero((np.diff(days) == 1) & (changes != 0) & (abs(changes) < math.log(JUMP)))
    if len(at) < MIN_CHANGES:
        return
    sizes = abs(changes[at])
    far = np.flatnonzero(sizes > FAR * _NORMAL * np.median(sizes))
    if not len(far):
        return
    furthest = at[far[np.argsort(-sizes[far], kind="stable")]]
    texts = [_text(int(days[row + 1]), float(changes[row])) for row in furthest[:SHOWN_PROBLEMS]]
    count = "1 day's change" if len(far) == 1 else f"{len(far):,} days' changes"
    problem = f"{count} of the price beyond {FAR} robust standard deviations"
    yield Finding("outliers", problem, 0, len(far), tuple(texts), warns=True)


def _text(day: int, change: float) -> str:
    return f"{_EPOCH + timedelta(day)}: {math.expm1(change):+.1%}"
