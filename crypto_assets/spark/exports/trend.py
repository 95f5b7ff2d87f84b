"""Google-Trends series: is it one, which term, which granularity.

Belongs here: what is particular to trends. Does not: dates, cells, numbers in general.
"""

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from crypto_assets.spark.problems import ReadError

from . import numbers
from .arrays import has_byte, index, pick
from .layout import Layout
from .lookup import TREND_TIME_WORDS, plain, word_set
from .model import DecimalMark, Options
from .sanity import flag
from .series import Series, iso, today
from .shapes import source_of
from .table import Table
from .values import Values
from .words import TERM_NOISE, TREND_WORDS

NOISE = word_set(TERM_NOISE)
GEO = re.compile(r":\s?\(")  # as in `bitcoin: (Worldwide)`
FULL = 100  # Google's scale
NUMBER_SHARE = 0.5
AMBIGUOUS_TIMES = ("date", "data", "time", "ngay", "zeit", "heure", "hora", "ora", "时间", "時間")
BAR_ROLES = frozenset(("open", "high", "low", "adjusted", "volume", "market_cap"))
PRICE_ROLES = frozenset(("close",)) | BAR_ROLES
PERIOD = {"day": 1, "week": 7, "month": 28}
SIDE_COLUMN = re.compile(r"_unscaled$|_monthly$|^scale$|^ispartial$", re.IGNORECASE)


def is_trend(  # noqa: PLR0911 - one return per sign, in order of weight
    table: Table, layout: Layout, series: Series, date_column: int
) -> bool:
    """Whether this is search interest rather than prices, by its header and its values."""
    if not layout.header:
        return False
    others = [cell for i, cell in enumerate(layout.header) if i != date_column and cell]
    if any(GEO.search(cell) for cell in others):
        return True
    if source_of("trend", set(map(plain, layout.header))):
        return True
    roles = set(layout.roles())
    time = plain(layout.name(date_column) or "")
    if not roles & BAR_ROLES and time in TREND_TIME_WORDS and time not in AMBIGUOUS_TIMES:
        return _top(table, series, date_column) <= FULL
    if roles & PRICE_ROLES:
        return False
    if any(word in plain(cell) for cell in others for word in map(plain, TREND_WORDS)):
        return True
    top = _top(table, series, date_column)
    return top == FULL or (series.granularity in ("week", "month") and 0 < top <= FULL)


def _top(table: Table, series: Series, date_column: int) -> float:
    """The largest number beside the dates; infinite if one is negative or none is a number."""
    top = 0.0
    for column in range(table.width):
        if column == date_column:
            continue
        cells = numbers.look(_without_less(table.at(column, series.rows)))
        if cells.number_share() < NUMBER_SHARE:
            continue
        if column < date_column and _counts_rows(cells.column):
            continue
        limits = pc.min_max(numbers.parse(cells, max(numbers.MARKS, key=cells.only)).values).as_py()
        if limits["max"] is None or limits["min"] < 0:
            return float("inf")
        top = max(top, limits["max"])
    return top or float("inf")


def _counts_rows(column: Any) -> bool:
    """An index column: 0, 1, 2, … as pandas writes it."""
    first = column[0].as_py() if len(column) else ""
    if first not in ("0", "1") or column[-1].as_py() != str(len(column) - 1 + int(first)):
        return False
    return bool(column.equals(index(len(column), int(first)).cast(pa.string())))


def _without_less(column: Any) -> Any:
    """`<1` as 1; the sign itself is put back where values are written."""
    if has_byte(column, b"<"):
        return pc.replace_substring_regex(column, r"^<\s*", "")
    return column


def read_values(
    table: Table, layout: Layout, series: Series, date_column: int, options: Options
) -> Values:
    """The term's values. Raises `ReadError` for hours, several terms, or no values."""
    _check_steps(series)
    looked: dict[int, numbers.Cells] = {}
    column, term = _pick(table, layout, series, date_column, options, looked)
    uploaded, cells = table.at(column, series.rows), looked[column]
    header = layout.header[column] if column < len(layout.header) else ""
    mark = _decimal_mark(cells, options, counted="volume" in header.lower())
    parsed = numbers.parse(cells, mark)
    text, below = parsed.text, 0
    if has_byte(uploaded, b"<"):
        mask = pc.starts_with(uploaded, "<")
        text = pc.if_else(mask, pc.binary_join_element_wise("<", text, ""), text)
        below = mask.true_count
    values = Values("trend", _source(layout), column, text, mark, series.granularity or "day", term)
    lines = pick(table.body, series.rows)
    flag(values, lines, uploaded, parsed.bad, "not a trend value")
    if (pc.min(parsed.values).as_py() or 0.0) < 0:
        flag(values, lines, uploaded, pc.less(parsed.values, 0), "a negative trend value")
    if parsed.values.null_count == len(parsed.values):
        raise ReadError("no row has a trend value")
    _check_twice(values, lines, series)
    _note(values, series, parsed.values, below)
    return values


def _decimal_mark(cells: numbers.Cells, options: Options, *, counted: bool) -> DecimalMark:
    """Dot or comma; that values are at most `FULL` tells nothing of searches `counted`."""
    if not cells.unclear():
        return max(numbers.MARKS, key=cells.only)
    if mark := cells.insisted():
        return mark
    read = {mark: numbers.parse(cells, mark).values for mark in numbers.MARKS}
    fits = [m for m in numbers.MARKS if (pc.max(read[m]).as_py() or 0) <= FULL]
    if len(fits) == 1 and not counted:
        return fits[0]
    if options.decimal:
        return options.decimal
    raise ReadError("the decimal mark is not certain: say --decimal dot or --decimal comma")


def _check_steps(series: Series) -> None:
    if 2 * series.same_day > len(series.days):
        raise ReadError(
            "several rows per day: the trend is by hour or minute; download a range of more than "
            "a week, so that it is by day, week or month"
        )
    if series.granularity is None:
        raise ReadError(f"the trend is neither daily, weekly nor monthly: {series.pace}")
    if series.backwards:
        raise ReadError("the dates neither ascend nor descend: are several series in one file?")


def _check_twice(values: Values, lines: Any, series: Series) -> None:
    if series.same_day:
        steps = pc.subtract(series.days.slice(1), series.days.slice(0, len(series.days) - 1))
        for row in pc.indices_nonzero(pc.equal(steps, 0)).to_pylist():
            if values.text[row] != values.text[row + 1]:
                pair = f"{lines[row].as_py() + 1} and {lines[row + 1].as_py() + 1}"
                for each in (row, row + 1):
                    values.problems[lines[each].as_py()] = (
                        f"{iso(series.days[row].as_py())} has different values on lines {pair}"
                    )


def _pick(
    table: Table,
    layout: Layout,
    series: Series,
    date_column: int,
    options: Options,
    looked: dict[int, numbers.Cells],
) -> tuple[int, str | None]:
    """The column of values and its term: the only one, or the one that is the currency.

    Fills `looked` with the columns it looked at.
    """
    terms: dict[int, str] = {}
    for column in range(table.width):
        name = layout.name(column) or ""
        if column == date_column or not name or SIDE_COLUMN.search(name):
            continue
        cells = looked[column] = numbers.look(_without_less(table.at(column, series.rows)))
        if column < date_column and _counts_rows(cells.column):
            continue
        if cells.number_share() >= NUMBER_SHARE:
            terms[column] = _term(name)
    relative = {i: name for i, name in terms.items() if "absolute" not in name.lower()}
    terms = relative or terms  # Glimpse adds estimated searches beside Google's scale
    if len(terms) == 1:
        return next(iter(terms.items()))
    if not terms:
        raise ReadError("no column of trend values beside the dates")
    exact = [i for i, name in terms.items() if plain(name) in options.terms]
    core = [i for i, name in terms.items() if _core(name) in options.terms]
    for found in (exact, core):
        if len(found) == 1:
            return found[0], terms[found[0]]
    names = ", ".join(repr(name) for name in list(terms.values())[:8])
    wanted = f", and not exactly one is {' or '.join(options.terms)}" if options.terms else ""
    raise ReadError(f"{len(terms)} terms in one file ({names}){wanted}: download the one alone")


def _term(header: str) -> str:
    """The search term in a header: `bitcoin: (Worldwide)` is bitcoin."""
    return re.sub(r":\s*\(.*$", "", header).strip(' "')


def _core(name: str) -> str:
    return " ".join(word for word in plain(name).split() if word not in NOISE)


def _source(layout: Layout) -> str:
    names = {plain(cell) for cell in layout.header}
    if any("glimpse" in cell.lower() for cell in (*layout.header, layout.preamble_text)):
        return "glimpse"
    known = source_of("trend", names)
    if known:
        return known
    google = any(GEO.search(cell) for cell in layout.header)
    if google or names & (set(TREND_TIME_WORDS) - {"date", "data"}):
        return "google-trends"
    return "unknown"


def _note(values: Values, series: Series, parsed: Any, below: int) -> None:
    if below:
        values.notes.append(f"{below} values are <1")
    if (pc.max(parsed).as_py() or 0) > FULL:
        values.notes.append("values above 100: a rescaled series or a search volume")
    last = pc.max(series.days).as_py()
    if last + PERIOD[values.granularity] >= today():
        values.notes.append(f"the {values.granularity} of {iso(last)} is not over: partial value")
    if series.irregular:
        values.notes.append(f"{series.irregular} gaps in the dates")
