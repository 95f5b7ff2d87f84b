"""Steps of a price from one row to the next: which rows are wrong, and which steps are remarked.

Belongs here: a price held against its neighbours. Does not: low and high, stated changes, the order
of the dates (sanity.py, order.py). Nearly all files have no step of `JUMP`: one test finds it out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from . import refusals
from .arrays import arrow, floats
from .model import Options
from .refusals import quoted
from .series import iso
from .values import Values

JUMP = 5.0  # from one row to the next, up or down
OUTLIER = 50.0  # a price this many times its neighbours is wrong
STAYS = 20.0 - 1e-9  # a step of this size that stays may be a redenomination
RUN = 5  # so few rows between a step up and one down (or the other way round) are odd themselves
NEAR_DAYS = 7  # neighbours further apart tell nothing
MIN_JUMPS = 2  # up and down: a decimal mark comes and goes
SHOWN = 5  # remarks


@dataclass(frozen=True)
class Course:
    """The rows with a price in the order of their dates.

    `rows` are their positions in the file, to which `lines` (0-based) and `cells` belong; `days`
    since 1970, the logarithms of the prices, and the steps of these (one fewer).
    """

    rows: NDArray[np.int64]
    lines: Any
    cells: Any
    days: NDArray[np.int32]
    logs: NDArray[np.float64]
    steps: NDArray[np.float64]

    def line(self, at: int) -> int:
        """The line (0-based) of the row at a place of the course."""
        return int(self.lines[int(self.rows[at])].as_py())

    def cell(self, at: int) -> str:
        """The price of that row as it is written."""
        return str(self.cells[int(self.rows[at])].as_py())


@dataclass(frozen=True)
class _Step:
    """A step of `JUMP` or more from one row of a course to another, mostly the next one."""

    before: int
    after: int
    size: float  # a difference of logarithms


def course(
    rows: NDArray[np.int64],
    lines: Any,
    cells: Any,
    days: NDArray[np.int32],
    price: NDArray[np.float64],
) -> Course:
    """The course of a price (NaN where missing), with its rows and days, given by date."""
    present = ~np.isnan(price)
    if not present.all():
        rows, days, price = rows[present], days[present], price[present]
    logs = _logs(price)
    return Course(rows, lines, cells, days, logs, np.diff(logs))


def count_jumps(price: Any) -> int:
    """Steps (in file order) to a price `JUMP` times higher or lower."""
    read = floats(price)
    return int((abs(np.diff(_logs(read[read > 0]))) > math.log(JUMP)).sum())


def _logs(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithms by Arrow: numpy's differ in the last bit from one processor to another."""
    return floats(pc.ln(arrow(numbers)))


def check(values: Values, course: Course, options: Options) -> None:
    """Make rows far off their neighbours bad lines, and remark what is odd but may be true.

    Raises `ReadError` if prices jump up and down.
    """
    found = np.flatnonzero(abs(course.steps) > math.log(JUMP)).tolist()
    if not found:
        return
    steps = [_Step(before, before + 1, float(course.steps[before])) for before in found]
    checked = _Checked(course, accepted=options.accept_outliers)
    while steps:
        step = steps.pop(0)
        if steps and _returns(step, steps[0]):
            back = steps.pop(0)
            checked.run(step, back)
            if abs(rest := step.size + back.size) > math.log(JUMP):
                steps.insert(0, _Step(step.before, back.after, rest))
        else:
            checked.single(step)
    for row, neighbours in checked.bad.items():
        values.problems[course.line(row)] = refusals.OUTLIER.text(
            cell=quoted(course.cell(row)), times=int(OUTLIER), neighbours=neighbours
        )
    values.steps += checked.notes
    values.notes += checked.notes[:SHOWN]
    if len(checked.notes) > SHOWN:
        values.notes.append(f"{len(checked.notes) - SHOWN} more steps of the price like these")
    if not options.accept_outliers:
        _refuse_jumps(values, course, checked.bad)


def _returns(step: _Step, following: _Step) -> bool:
    return following.before - step.after < RUN and (step.size > 0) != (following.size > 0)


class _Checked:
    """The rows found wrong, each with the neighbours it is held against, and remarks."""

    def __init__(self, course: Course, *, accepted: bool) -> None:
        self.bad: dict[int, str] = {}
        self.notes: list[str] = []
        self._days: list[int] = course.days.tolist()
        self._accepted = accepted

    def run(self, step: _Step, back: _Step) -> None:
        """The rows between two steps, up and down, are off the rows around them."""
        size = math.copysign(min(abs(step.size), abs(back.size)), step.size)
        rows = range(step.after, back.before + 1)
        near = self._apart(step.before, back.after) <= 2 * NEAR_DAYS + len(rows) - 1
        one = len(rows) == 1
        if not self._wrong(
            rows, size, near, "both its neighbours" if one else "the rows around it"
        ):
            self.notes.append(
                f"the price {self._when(rows)} is {_times(size)} than before and after"
            )

    def single(self, step: _Step) -> None:
        """A step that stays; or the first or the last row is off its one neighbour."""
        last = len(self._days) - 1
        ends = [row for row in (0, last) if row in (step.before, step.after)]
        near = self._apart(step.before, step.after) <= NEAR_DAYS
        if ends and self._wrong(ends, step.size, near, "its one neighbour"):
            return
        stays = abs(step.size) >= math.log(STAYS)
        if not (near or stays):
            return
        size, rows = step.size, range(step.after, step.after + 1)
        others: Sequence[int] = [step.before]
        earlier, later = range(step.before + 1), range(step.after, last + 1)
        if max(len(earlier), len(later)) <= RUN:  # either may be off
            rows, others = later, earlier
        elif len(later) <= RUN:
            rows = later
        elif len(earlier) <= RUN:
            size, rows, others = -size, earlier, [step.after]
        note = f"the price {self._when(rows)} is {_times(size)} than that {self._when(others)}"
        if stays:
            note += ", and stays so: a redenomination, or another coin?"
        self.notes.append(note)

    def _when(self, rows: Sequence[int]) -> str:
        first, last = (iso(self._days[row]) for row in (rows[0], rows[-1]))
        return f"of {first}" if len(rows) == 1 else f"from {first} to {last}"

    def _wrong(self, rows: Any, size: float, near: bool, neighbours: str) -> bool:
        wrong = near and abs(size) > math.log(OUTLIER) and not self._accepted
        self.bad |= dict.fromkeys(rows, neighbours) if wrong else {}
        return wrong

    def _apart(self, one: int, other: int) -> int:
        return self._days[other] - self._days[one]


def _times(size: float) -> str:
    factor = math.exp(abs(size))
    return f"{factor:,.{0 if factor >= JUMP * 2 else 1}f} times {'higher' if size > 0 else 'lower'}"


def _refuse_jumps(values: Values, course: Course, bad: dict[int, str]) -> None:
    rest = np.array([row for row in range(len(course.days)) if row not in bad], np.int64)
    days, steps = course.days[rest], np.diff(course.logs[rest])
    near = np.diff(days) <= NEAR_DAYS
    up, down = (near & (way * steps > math.log(JUMP)) for way in (1, -1))
    if min(up.sum(), down.sum()) >= MIN_JUMPS:
        first = int(np.flatnonzero(up | down)[0]) + 1
        raise refusals.JUMPS.refused(
            values.show(course.line(int(rest[first]))),
            times=int(JUMP),
            up=int(up.sum()),
            down=int(down.sum()),
            day=iso(int(days[first])),
        )
