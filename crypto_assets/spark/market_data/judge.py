"""What a run will refuse a file for, worked out on the file alone.

`inspect`, `add` and the sensor ask here before anything is computed; the run's audit finds the same
on the tables. What needs both files or the published tables is the run's alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from crypto_assets.spark.market_data import silver
from crypto_assets.spark.market_data.bronze import data_lines

if TYPE_CHECKING:
    from crypto_assets.spark.exports import Export

SHOWN = 3


def bad_lines(export: Export) -> list[dict[str, Any]]:
    """The `line` and `problem` of each line that will fail the currency."""
    return _lines(export, "bad")


def remarks(export: Export) -> list[str]:
    """What people should know of a file that is read: the reader's notes, lines left out."""
    left = [f"line {each['line']}: {each['problem']}" for each in _lines(export, "left_out")]
    return [*export.notes, *in_short(left)]


def in_short(texts: list[str]) -> list[str]:
    """The first `SHOWN` of them, and how many there are more."""
    more = len(texts) - SHOWN
    return [*texts[:SHOWN], *([f"{more:,} more lines like that"] if more > 0 else [])]


def _lines(export: Export, role: str) -> list[dict[str, Any]]:
    of_role = pc.equal(export.lines["role"], role)
    found = export.lines.select(["line", "problem"]).filter(of_role)
    lines: list[dict[str, Any]] = found.to_pylist()
    return lines


def file_problems(export: Export) -> list[str]:
    """What a run will refuse this file for; nothing if it can be computed."""
    problems = [f"line {bad['line']}: {bad['problem']}" for bad in bad_lines(export)]
    data = data_lines(export.lines)
    read = silver.prices(data) if export.kind == "history" else silver.trends(data)
    if read.unreadable:
        problems.append(f"{read.unreadable} rows whose value cannot be read")
    if np.isnan(read.series.values).all():
        problems.append(f"there is no valid value in {len(data)} data lines")
    elif np.isinf(read.series.values).any():
        problems.append("a value is too large for a number")
    return problems
