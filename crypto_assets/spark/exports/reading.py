"""`read_export`: the path of one file from bytes to an `Export`.

Here is the order of decisions; each decision has its own module: text, table, dates and series
(which day), layout (which line is what), history and trend (which value), assembly (the result).
"""

from typing import IO

from crypto_assets.spark.problems import ReadError

from . import history, trend
from .assembly import assemble
from .dates import Notation, Reading, notation_of, read_column
from .layout import Layout, layout_of
from .model import Export, Options
from .series import Series, choose, describe
from .table import Table, read_table
from .text import Text, read_text

DATE_COLUMNS = 20  # a date further right has not been seen
NUMERIC = ("Excel day", "Unix time", "YYYYMMDD")  # may be prices or volumes as well
DATE_ROLES = ("date", "time", "unix")
MIN_NUMERIC = 2
RANK = {"date": 0, "time": 1, None: 2, "unix": 3}


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
        raise ReadError(
            f"{text.truncated}, as no daily file has; its beginning: {refusal}"
        ) from None


def _read(text: Text, options: Options) -> Export:
    table = read_table(text.lines)
    candidates = _date_columns(table)
    readings = _Readings(table)
    first = next(filter(readings.any_of, candidates), None)
    if not first:
        raise ReadError("no column of dates was found")
    provisional = first[0]
    layout = layout_of(table, readings.of(*first)[0])
    roles = layout.roles()
    candidates.sort(key=lambda candidate: _rank(candidate, roles))
    series, column = _choose_dates(candidates, readings, layout, options)
    if column != provisional:
        layout = layout_of(table, series.reading)
    if text.truncated:
        history.check_steps(series)
        raise ReadError("the dates are daily")
    kind = trend if trend.is_trend(table, layout, series, column) else history
    values = kind.read_values(table, layout, series, column, options)
    return assemble(text, table, layout, series, column, values)


class _Readings:
    """The readings per column, each made once."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._known: dict[int, list[Reading]] = {}

    def of(self, column: int, notation: Notation) -> list[Reading]:
        if column not in self._known:
            self._known[column] = read_column(self._table.column(column), notation)
        return self._known[column]

    def any_of(self, candidate: tuple[int, Notation]) -> bool:
        """Whether any cell of the column is written in the notation: the sample only says so."""
        return bool(self.of(*candidate)[0].matched.true_count)


def _date_columns(table: Table) -> list[tuple[int, Notation]]:
    """The columns that may hold the dates, those that cannot be plain numbers first."""
    sample = table.sample()
    found = [
        (column, notation)
        for column in range(min(table.width, DATE_COLUMNS))
        if (notation := notation_of([cells[column] for cells in sample]))
    ]
    if not found:
        raise ReadError(
            "no column of dates was found"
            if len(table.body) > 1
            else "no column of dates was found: is it only a header?"
        )
    return sorted(found, key=lambda candidate: candidate[1].name in NUMERIC)


def _rank(candidate: tuple[int, Notation], roles: list[str | None]) -> tuple[int, bool, int]:
    """Header words first, then notations that cannot be plain numbers, then position."""
    column, notation = candidate
    role = roles[column] if column < len(roles) else None
    return RANK.get(role, len(RANK)), notation.name in NUMERIC, column


def _choose_dates(
    candidates: list[tuple[int, Notation]], readings: _Readings, layout: Layout, options: Options
) -> tuple[Series, int]:
    """The first column with one certain reading; else the first column's refusal.

    After an ambiguous column only one that the header calls a date may decide.
    """
    months_begin = history.is_investing(layout)
    roles = layout.roles()
    first: ReadError | None = None
    for column, notation in candidates:
        named = column < len(roles) and roles[column] in DATE_ROLES
        if (first and not named) or not readings.any_of((column, notation)):
            continue
        every = [describe(r, months_begin=months_begin) for r in readings.of(column, notation)]
        try:
            series = choose(every, options.dates)
            if notation.name in NUMERIC and not named:
                _check_numbers(series)
        except ReadError as refusal:
            first = first or refusal
        else:
            return series, column
    raise first or ReadError("no column of dates was found")


def _check_numbers(series: Series) -> None:
    """Numbers without a name are days only if they are regular; prices are not."""
    regular = series.granularity is not None or 2 * series.same_day > len(series.days)
    if len(series.days) < MIN_NUMERIC or not regular:
        raise ReadError("no column of dates was found: the numbers do not step like days")
