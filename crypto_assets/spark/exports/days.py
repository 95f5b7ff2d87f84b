"""Which day each row belongs to, by the times of day that are written with the dates.

Belongs here: what follows from the times. Does not: reading them (clock.py), where clocks change
(places.py), which row of a day is kept (twice.py).
"""

from bisect import bisect
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from . import refusals
from .clock import DAY, NOON, Clock, hhmm, read_clock, read_times
from .columns import Beside
from .model import Options
from .places import midnights
from .series import Series, iso, with_days
from .twice import OneADay, Rows, one_a_day

LAST_MINUTE = DAY - 1
TWO = 2
TIMES_SHOWN = 6


@dataclass
class Settled:
    """The rows that are kept: their `series` by the days they belong to.

    `kept` are their positions among the rows given (None: all), `left_out` the lines (0-based) of
    the others, with the reason of each; `chosen` are lines that an option keeps.
    """

    series: Series
    kept: Any | None = None
    left_out: dict[int, str] = field(default_factory=dict)
    chosen: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def of(self, values: Any) -> Any:
        """Those of an array with one entry per row that belong to the rows that are kept."""
        return values if self.kept is None else values.take(self.kept)


@dataclass(frozen=True)
class _Times:
    """Per row the day and the minute as written; `usual`: the rows that have a value.

    The newest of these may be of another time of day than they are: `late`, its position.
    """

    days: list[int]
    clock: Clock
    usual: list[int]
    late: int | None

    @property
    def regular(self) -> list[int]:
        """The times of day of the usual rows."""
        return sorted({self.clock.minutes[row] for row in self.usual})

    @property
    def instants(self) -> list[int]:
        """Minutes since 1970 in UTC."""
        east = self.clock.east or [0] * len(self.days)
        rows = zip(self.days, self.clock.minutes, east, strict=True)
        return [day * DAY + minute - offset for day, minute, offset in rows]

    def shown(self) -> str:
        """The regular times, the first few of them."""
        more = ", …" if len(self.regular) > TIMES_SHOWN else ""
        return ", ".join(map(hhmm, self.regular[:TIMES_SHOWN])) + more


def settle(beside: Beside, rows: Rows, options: Options) -> Settled:
    """One row a day. Raises `ReadError` if a row's day, or a day's value, is not certain."""
    series = beside.series
    clock = _clock(beside)
    if clock is None and not (series.backwards or series.same_day):
        return Settled(series)
    days: list[int] = series.days.to_pylist()
    if clock is None:
        return _kept(series, days, rows, one_a_day(days, None, rows, options))
    notes: list[str] = []
    times = _times(days, clock, rows.values.is_valid().to_pylist())
    days, late = _days(times, rows, options, notes), times.late
    found = one_a_day(days, late, rows, options)
    if late is not None:
        at = f"{iso(times.days[late])} {hhmm(clock.minutes[late])}"
        second = ": another row of it is kept" if rows.numbers[late] - 1 in found.left_out else ""
        notes.append(f"the newest row is of {at}, before that day was over{second}")
    found.notes[:0] = notes
    return _kept(series, days, rows, found)


def _kept(series: Series, days: list[int], rows: Rows, found: OneADay) -> Settled:
    """What is kept of a series whose rows belong to `days`."""
    settled = Settled(series, None, found.left_out, found.chosen, found.notes)
    if not found.left_out and days == series.days.to_pylist():
        return settled
    kept = [row for row, number in enumerate(rows.numbers) if number - 1 not in found.left_out]
    settled.kept = pa.array(kept, pa.int32())
    there = pa.array([days[row] for row in kept], pa.int32())
    settled.series = with_days(series, series.rows.take(settled.kept), there)
    return settled


def _clock(beside: Beside) -> Clock | None:
    """The times of day written with the dates, or in a column of their own."""
    found = read_clock(beside.cells(beside.date_column), beside.series.reading.notation)
    own = (i for i in beside.indices if beside.role(i) == "time") if found is None else ()
    return next(filter(None, (read_times(beside.cells(i)) for i in own)), found)


def _times(days: list[int], clock: Clock, valued: list[bool]) -> _Times:
    usual = [row for row, has in enumerate(valued) if has] or list(range(len(days)))
    newest = max(usual, key=lambda row: (days[row], clock.minutes[row]))
    others = {clock.minutes[row] for row in usual if row != newest}
    if not others or clock.minutes[newest] in others:
        return _Times(days, clock, usual, None)
    return _Times(days, clock, [row for row in usual if row != newest], newest)


def _days(times: _Times, rows: Rows, options: Options, notes: list[str]) -> list[int]:
    """The day of each row; how it was found is added to `notes`."""
    regular, minutes = times.regular, times.clock.minutes
    if regular == [0]:
        return times.days
    if len(regular) == 1 and (regular[0] < NOON or regular[0] == LAST_MINUTE):
        notes.append(f"every row is of {times.shown()}: its day is the one written")
        return times.days
    if len(regular) > 1 and (found := _utc(times, notes) or _place(times, notes)):
        return found
    if options.day == "stated":
        notes.append(f"the rows are of {times.shown()}: each keeps the day written (--day stated)")
        return times.days
    if options.day == "next":
        notes.append(f"the rows are of {times.shown()}: from noon on, of the next day (--day next)")
        start = regular[0] if len(regular) == 1 else NOON
        return [day + (at >= start) for day, at in zip(times.days, minutes, strict=True)]
    row = times.usual[0]
    at, day = rows.show(rows.lines[row].as_py()), times.days[row]
    if len(regular) > 1:
        raise refusals.TIMES_OF_DAY.refused(at, times=times.shown())
    stated, following = iso(day), iso(day + 1)
    raise refusals.TIME_OF_DAY.refused(at, time=times.shown(), stated=stated, next=following)


def _utc(times: _Times, notes: list[str]) -> list[int] | None:
    """The days in UTC, if all rows are midnight there as the offsets written with them say."""
    instants = times.instants
    if times.clock.east is None or any(instants[row] % DAY for row in times.usual):
        return None
    notes.append(f"the times of day ({times.shown()}) are midnight in UTC, and so are the days")
    return [instant // DAY for instant in instants]


def _place(times: _Times, notes: list[str]) -> list[int] | None:
    """The local days, if all rows are midnight of one place, in winter and in summer."""
    instants = times.instants
    usual = sorted(instants[row] for row in times.usual)
    found = midnights(usual) if len({instant % DAY for instant in usual}) == TWO else None
    if not found:
        return None
    winter, summer = found
    notes.append(
        f"the times of day ({times.shown()}) are midnight at UTC{_east(winter)}, in summer "
        f"UTC{_east(summer)}: the days are the local ones"
    )
    offsets = {-winter % DAY: winter, -summer % DAY: summer}
    # A row at another hour has the clock of the midnight before it.
    before = [usual[max(0, bisect(usual, instant) - 1)] for instant in instants]
    return [
        (instant + offsets[midnight % DAY]) // DAY
        for instant, midnight in zip(instants, before, strict=True)
    ]


def _east(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{hhmm(abs(minutes))}"
