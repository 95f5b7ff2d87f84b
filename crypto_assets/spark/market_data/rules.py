"""The checks of each layer of a currency, and the rules of each in words: what the UI shows.

How a rule is judged is the matter of `audit` and `outliers`, whose findings name it as here. What a
layer fails for beside its rules, such as another run's conflict, is `PUBLISHED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FAR = 30  # robust standard deviations: a day's change further away is an outlier
PUBLISHED = "published"
_READ_BACK = {"read_back": "what is read back is what was written (one currency in a hundred)"}
_TABLE = {
    "dates": "every row has a date",
    "order": "dates ascend, each once",
    "finite": "every value is a finite number",
}
_PUBLISHED = {PUBLISHED: "nothing else kept it from being published"}


@dataclass(frozen=True)
class Check:
    """A check of a layer: what it says in one sentence, and its rules by name, in words.

    One that `warns` concerns what may be true; the others fail where the layer does.
    """

    name: str
    layer: str
    says: str
    rules: Mapping[str, str]
    warns: bool = False


CHECKS = (
    Check(
        "audit",
        "bronze",
        "Both files were read whole and with certainty.",
        {
            "readable": "the file is there and exactly one reading of it fits",
            "lines": "every line of the file is a row, once",
            "roles": "every line has a role that is known",
            "content": "the content is that of the upload",
            "data": "there is a data line",
            "header": "no line between the data was taken for a header",
            "footer": "no line between the data was taken for a footer",
            "bad_lines": "no line is neither data, header, preamble, footer nor blank",
            **_READ_BACK,
            **_PUBLISHED,
        },
    ),
    Check(
        "steps",
        "bronze",
        "The price makes no step of 5 times or more from one day to the next.",
        {"steps": "no step of 5 times or more"},
        warns=True,
    ),
    Check(
        "audit",
        "silver",
        "Every date that was read has its row, with a value that can be one.",
        {
            "values": "there is a valid value",
            "readable_values": "every value can be read",
            "rows": "as many rows as dates that are kept",
            **_TABLE,
            "range": "prices are above 0, trends 0 or more",
            **_READ_BACK,
            **_PUBLISHED,
        },
    ),
    Check(
        "outliers",
        "silver",
        f"No day's change of the price is {FAR} times as far from the usual as is usual (by median "
        "and median deviation; steps of 5 times or more are the check `steps`).",
        {"outliers": f"every change within {FAR} robust standard deviations"},
        warns=True,
    ),
    Check(
        "fresh",
        "silver",
        "The last price is not older than its allowance, 7 days or `late_after_days`.",
        {"fresh": "the last price is within the allowance"},
        warns=True,
    ),
    Check(
        "audit",
        "gold",
        "Gold holds what silver holds, and what is computed lies within what it was made from.",
        {
            "rows": "as many rows as days in silver",
            "first_date": "the first day is silver's",
            "last_date": "the last day is silver's",
            "trends": "as many trends as in silver",
            "prices": "no fewer prices than in silver",
            **_TABLE,
            "pricema_range": "the mean lies within the prices",
            "trend_i_range": "the interpolated trend lies within the trends",
            "load_file": "the file for the warehouse holds what gold holds",
            **_READ_BACK,
            **_PUBLISHED,
        },
    ),
    Check(
        "overlap",
        "gold",
        "The trend covers half of the days with a price, or more.",
        {"overlap": "half of the days with a price have a trend"},
        warns=True,
    ),
    Check(
        "rows",
        "warehouse",
        "The warehouse has gold's rows, counted when they were loaded.",
        {PUBLISHED: "all rows of gold were loaded, in place of those before"},
    ),
)
