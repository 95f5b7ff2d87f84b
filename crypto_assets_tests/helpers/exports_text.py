"""Small exports as text, in the shapes sites give, for tests that need just any good file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

FIRST = date(2024, 1, 25)


def history_csv(
    level: float = 100.0, *, days: int = 40, cells: Mapping[int, str] | None = None
) -> str:
    """An investing.com US export, newest first; `cells` puts a text for the price of a line.

    Line 1 is the header.
    """
    lines = ['"Date","Price","Open","High","Low","Vol.","Change %"']
    prices = [round(level * (1 + (day * 37 % 11) / 100), 2) for day in range(days)]
    for day in reversed(range(days)):
        price, before = prices[day], prices[max(day - 1, 0)]
        texts = [f"{p:,.2f}" for p in (price, before, max(price, before), min(price, before))]
        texts[0] = (cells or {}).get(len(lines) + 1, texts[0])
        date_text = f"{FIRST + timedelta(days=day):%m/%d/%Y}"
        change = f"{100 * (price / before - 1):.2f}%"
        lines.append(",".join(f'"{cell}"' for cell in (date_text, *texts, "1.25K", change)))
    return "\ufeff" + "\n".join(lines) + "\n"


def highest(level: float) -> float:
    """The highest price of `history_csv` at this level."""
    return round(level * 1.1, 2)


def trend_csv(term: str, values: Sequence[int | str] = (40, "<1", 60, 55, 70, 65, 80)) -> str:
    """A raw weekly Google-Trends export; weeks begin before the history of `history_csv`."""
    weeks = [date(2024, 1, 21) + timedelta(weeks=number) for number in range(len(values))]
    rows = [f"{week},{value}" for week, value in zip(weeks, values, strict=True)]
    head = ["Category: All categories", "", f"Week,{term}: (Worldwide)"]
    return "\n".join([*head, *rows]) + "\n"
