"""`read_export`: the path of one file from bytes to an `Export`.

Here is the order of decisions; each decision has its own module: text, table, dates and series
(which day), layout (which line is what), history and trend (which value), assembly (the result).
"""

from typing import IO

from crypto_assets.spark.problems import ReadError

from . import history, refusals, trend
from .assembly import assemble
from .columns import Beside
from .cut import whole_lines
from .dates import Notation, Reading, notation_of, read_column
from .layout import DATE_ROLES, Layout, align, layout_of
from .model import Export, Options
from .series import Series, choose, describe
from .table import Table, read_table
from .text import Text, read_text
from .values import Values

DATE_COLUMNS = 20  # a date further right has not been seen
NUMERIC = ("Excel day", "Unix time", "YYYYMMDD")  # may be prices or volumes as well
MIN_NUMERIC = 2
FULL_SHARE = 0.5  # of the dates in the fullest column, or it is not the one of the rows
RANK = {"date": 0, "time": 1, None: 2, "unix": 3}
Candidates = list[tuple[int, Notation]]


def read_export(stream: IO[bytes], options: Options = Options()) -> Export:  # noqa: B008 - frozen
    """Read a CSV export from a binary stream; see `Export` for the result's shape.

    Raises `ReadError` (one clear line) if the file as a whole cannot be read with certainty. Single
    broken lines do not raise: they have role "bad" and a problem.
    """
    text = read_text(stream)
    try:
        return _read(text, options)
    except ReadError as refusal:
        if not text.truncated:
            raise
        raise refusals.TOO_LARGE.refused(why=text.truncated, reason=str(refusal)) from None


def _read(text: Text, options: Options) -> Export:
    table = whole_lines(text, read_table(text.lines))
    candidates, readings, layout = _lines_around(table)
    completed = table.completed(layout.names)
    if completed is not table:
        table = completed
        candidates, readings, layout = _lines_around(table)
    provisional = candidates[0][0]
    align(layout, table, provisional)
    roles = layout.roles()
    candidates.sort(key=lambda candidate: _rank(candidate, roles))
    series, column = _choose_dates(candidates, readings, layout, options)
    if column != provisional:
        layout = layout_of(table, series.reading)
        align(layout, table, column)
    beside = Beside(table, layout, series, column)
    if text.truncated:
        history.check_steps(beside)
        raise refusals.DAILY_DATES.refused(beside.line(0))
    values = _values(beside, options)
    return assemble(text, table, layout, column, values)


def _values(beside: Beside, options: Options) -> Values:
    """The values of the kind that the option names, else of the one that the content shows."""
    if options.kind == "history" and not options.price and trend.says_trend(beside.layout):
        raise refusals.TREND_NOT_HISTORY.refused(beside.example, detail="")
    if options.kind == "trend" or (not options.kind and trend.is_trend(beside)):
        return trend.read_values(beside, options)
    return history.read_values(beside, options)


class _Readings:
    """The readings per column, each made once."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._known: dict[int, list[Reading]] = {}

    def of(self, column: int, notation: Notation) -> list[Reading]:
        if column not in self._known:
            self._known[column] = read_column(self.table.column(column), notation)
        return self._known[column]

    def count(self, candidate: tuple[int, Notation]) -> int:
        """How many cells of the column are written in the notation: the sample only says so."""
        return int(self.of(*candidate)[0].matched.true_count)


def _lines_around(table: Table) -> tuple[Candidates, _Readings, Layout]:
    """The columns that may hold the dates, and the lines around those of the first of them."""
    readings = _Readings(table)
    candidates = _full(_date_columns(table), readings)
    if not candidates:
        raise refusals.NO_DATES.refused(_first_line(table), detail="")
    return candidates, readings, layout_of(table, readings.of(*candidates[0])[0])


def _date_columns(table: Table) -> Candidates:
    """The columns that may hold the dates, those that cannot be plain numbers first."""
    sample = table.sample()
    found = [
        (column, notation)
        for column in range(min(table.width, DATE_COLUMNS))
        if (notation := notation_of([cells[column] for cells in sample]))
    ]
    if not found:
        detail = "" if len(table.body) > 1 else ": is it only a header?"
        raise refusals.NO_DATES.refused(_first_line(table), detail=detail)
    return sorted(found, key=lambda candidate: candidate[1].name in NUMERIC)


def _full(candidates: Candidates, readings: _Readings) -> Candidates:
    """Without the columns that hold no dates, or only a few where another has them all."""
    counts = [readings.count(candidates[0])]
    if counts[0] < FULL_SHARE * len(readings.of(*candidates[0])[0].matched):
        counts += map(readings.count, candidates[1:])
        least = max(1, FULL_SHARE * max(counts))
        return [each for each, count in zip(candidates, counts, strict=True) if count >= least]
    return candidates


def _first_line(table: Table) -> refusals.Line:
    """The first line that is not blank."""
    return table.line(max(0, table.blank.index(False).as_py()))


def _rank(candidate: tuple[int, Notation], roles: list[str | None]) -> tuple[int, bool, int]:
    """Header words first, then notations that cannot be plain numbers, then position."""
    column, notation = candidate
    role = roles[column] if column < len(roles) else None
    return RANK.get(role, len(RANK)), notation.name in NUMERIC, column


def _choose_dates(
    candidates: Candidates, readings: _Readings, layout: Layout, options: Options
) -> tuple[Series, int]:
    """The first column with one certain reading; else the first column's refusal.

    After an ambiguous column only one that the header calls a date may decide. One day in most
    rows is the day of something else, if another column tells the rows apart.
    """
    months_begin = history.is_investing(layout)
    at = readings.table.line(layout.first)
    roles = layout.roles()
    first: ReadError | None = None
    spare: tuple[Series, int] | None = None
    for column, notation in candidates:
        named = column < len(roles) and roles[column] in DATE_ROLES
        if (first and not named) or not readings.count((column, notation)):
            continue
        every = [describe(r, months_begin=months_begin) for r in readings.of(column, notation)]
        try:
            series = choose(every, options.dates, at)
            if notation.name in NUMERIC and not named:
                _check_numbers(series, at)
        except ReadError as refusal:
            first = first or refusal
        else:
            if 2 * series.same_day <= len(series.days):
                return series, column
            spare = spare or (series, column)
    if spare:
        return spare
    raise first or refusals.NO_DATES.refused(at, detail="")


def _check_numbers(series: Series, at: refusals.Line) -> None:
    """Numbers without a name are days only if they are regular; prices are not."""
    regular = series.granularity is not None or 2 * series.same_day > len(series.days)
    if len(series.days) < MIN_NUMERIC or not regular:
        raise refusals.NO_DATES.refused(at, detail=": the numbers do not step like days")
