"""What a run would refuse a file for, worked out on the file alone: one judgement everywhere.

`inspect`, `add` and the sensor ask here before anything is computed. The audit of a run finds the
same on the tables; what needs both files or the published tables is its matter alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from crypto_assets.spark.exports.numbers import MISSING

if TYPE_CHECKING:
    from crypto_assets.spark.exports import Export

NOT_A_PRICE = (-1.0, 0.0)
SHOWN = 3


def bad_lines(export: Export) -> list[dict[str, Any]]:
    """The `line` and `problem` of each line that will fail the currency."""
    return _lines(export, "bad")


def remarks(export: Export) -> list[str]:
    """What people should know of a file that is read: the reader's notes, lines left out."""
    left = [f"line {each['line']}: {each['problem']}" for each in _lines(export, "left_out")]
    more = [f"{len(left) - SHOWN} more lines left out"] if len(left) > SHOWN else []
    return [*export.notes, *left[:SHOWN], *more]


def _lines(export: Export, role: str) -> list[dict[str, Any]]:
    found = export.lines.filter(pc.equal(export.lines["role"], role))
    lines: list[dict[str, Any]] = found.select(["line", "problem"]).to_pylist()
    return lines


def file_problems(export: Export) -> list[str]:
    """What a run would refuse this file for; nothing if it can be computed."""
    problems = [f"line {bad['line']}: {bad['problem']}" for bad in bad_lines(export)]
    data = export.lines.filter(pc.equal(export.lines["role"], "data"))
    words = {word.lower() for word in MISSING.split(",")}
    numbers = [
        float(word.replace("<1", "0.5"))
        for value in pc.utf8_lower(pc.utf8_trim_whitespace(data["value"])).to_pylist()
        if (word := value) is not None and word not in words
    ]
    if export.kind == "history":
        numbers = [number for number in numbers if number not in NOT_A_PRICE]
    if not numbers:
        problems.append(f"there is no valid value in {len(data)} data lines")
    elif max(map(abs, numbers)) == float("inf"):
        problems.append("a value is too large for a number")
    return problems
