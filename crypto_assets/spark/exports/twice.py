"""Several rows of one day: which of them is kept, and why the others are left out.

Belongs here: a choice among rows of one day. Does not: which day a row belongs to (days.py).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from . import refusals
from .model import Options
from .refusals import Line, Reason, counted
from .series import iso

MAX_SHARE = 0.05  # more dates with several values are those of several series
MAX_ALWAYS = 5
ALIKE = 2.0  # but for values as near as this
LINES_SHOWN = 4


@dataclass(frozen=True)
class Rows:
    """What is known of each row: its line (0-based), and its value (float64, null if missing).

    `what` names the value in messages, `show` gives a line of the file.
    """

    lines: Any
    values: Any
    what: str
    show: Callable[[int], Line]

    @cached_property
    def numbers(self) -> list[int]:
        """The line numbers, from 1."""
        return [line + 1 for line in self.lines.to_pylist()]

    @cached_property
    def read(self) -> list[float | None]:
        """The values, None where missing."""
        return list(self.values.to_pylist())


@dataclass
class OneADay:
    """The lines (0-based) that are left out, with the reason of each, and notes on them.

    `chosen`: the lines that an option keeps.
    """

    left_out: dict[int, str] = field(default_factory=dict)
    chosen: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def drop(self, rows: Rows, row: int, kept: int, why: Reason, day: int) -> None:
        """Leave out a row, as another one is kept for its day."""
        self.left_out[rows.numbers[row] - 1] = why.text(
            day=iso(day), line=rows.numbers[kept], what=rows.what
        )


def one_a_day(days: list[int], late: int | None, rows: Rows, options: Options) -> OneADay:
    """Which rows are left out so that each day has one value; rows with the same value stay.

    `late`: a newest row whose day was not over. Raises `ReadError` if the choice is not certain.
    """
    result, conflicts, same = OneADay(), {}, 0
    for day, group in _several(days):
        valued = [row for row in group if rows.read[row] is not None]
        for row in set(group).difference(valued) if valued else ():
            result.drop(rows, row, valued[0], refusals.NO_SECOND_VALUE, day)
        if late in valued and len(valued) > 1:
            valued.remove(late)
            result.drop(rows, late, valued[0], refusals.NOT_OVER, day)
        if len({rows.read[row] for row in valued}) > 1:
            conflicts[day] = valued
        same += len(valued) > 1
    if result.left_out:
        lines = counted(len(result.left_out), "line")
        result.notes.append(f"{lines} left out: another one has the {rows.what} of the date")
    if same > len(conflicts):
        result.notes.append(
            f"{counted(same - len(conflicts), 'date')} more than once, with the same {rows.what}"
        )
    if conflicts:
        _settle(result, conflicts, rows, options)
    return result


def _several(days: list[int]) -> Iterator[tuple[int, list[int]]]:
    """The days with several rows, and those rows."""
    rows = defaultdict(list)
    for row, day in enumerate(days):
        rows[day].append(row)
    return ((day, group) for day, group in rows.items() if len(group) > 1)


def _settle(result: OneADay, conflicts: dict[int, list[int]], rows: Rows, options: Options) -> None:
    """Of each day with several values, keep the row that the option says."""
    day, group = next(iter(conflicts.items()))
    many = len(conflicts) > max(MAX_ALWAYS, MAX_SHARE * len(rows.read))
    if many and not all(_alike(rows, each) for each in conflicts.values()):
        at = rows.show(rows.numbers[group[1]] - 1)
        raise refusals.MANY_TWICE.refused(at, count=len(conflicts), day=iso(day))
    if options.duplicates is None:
        lines = " and ".join(str(rows.numbers[row]) for row in group[:LINES_SHOWN])
        others = len(conflicts) - 1
        more = f", and {counted(others, 'other date')} too" if others else ""
        at = rows.show(rows.numbers[group[0]] - 1)
        raise refusals.SEVERAL_VALUES.refused(
            at, day=iso(day), what=rows.what, lines=lines, more=more
        )
    for day, group in conflicts.items():
        kept = group[0 if options.duplicates == "first" else -1]
        result.chosen.add(rows.numbers[kept] - 1)
        for row in set(group).difference([kept]):
            result.drop(rows, row, kept, refusals.NOT_CHOSEN, day)
    result.notes.append(
        f"{counted(len(conflicts), 'date')} with several {rows.what}s: the {options.duplicates} "
        f"line of each is kept (--duplicates {options.duplicates})"
    )


def _alike(rows: Rows, group: list[int]) -> bool:
    values = sorted(value for row in group if (value := rows.read[row]) is not None)
    return values[-1] <= ALIKE * values[0]
