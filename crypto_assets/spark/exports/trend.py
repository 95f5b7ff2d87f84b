"""Google-Trends series: is it one, which term, which granularity.

Belongs here: what is particular to trends. Does not: dates, cells, numbers in general.
"""

import re

import pyarrow.compute as pc

from . import numbers, order, refusals, scale
from .arrays import pick
from .choosing import GEO
from .columns import Beside
from .cut import leave_out
from .days import settle
from .headings import heading, words_of
from .layout import Layout
from .lookup import TREND_TIME_WORDS, plain, word_set
from .meanings import NO_TRENDS
from .model import DecimalMark, Options
from .ragged import check_short
from .refusals import counted, quoted
from .sanity import flag
from .scale import FULL, with_less, without_less
from .series import iso, today
from .shapes import shape_of
from .twice import Rows
from .values import Values
from .words import TERM_NOISE, TREND_WORDS

NOISE = word_set(TERM_NOISE)
NUMBER_SHARE = 0.5
AMBIGUOUS_TIMES = ("date", "data", "time", "ngay", "zeit", "heure", "hora", "ora", "时间", "時間")
BAR_ROLES = frozenset(("open", "high", "low", "adjusted", "volume", "market_cap"))
PRICE_ROLES = frozenset(("close",)) | BAR_ROLES
OTHER_ROLES = BAR_ROLES | {"date", "time", "unix", "change", "symbol", "partial"}
PRICED = ("close", "price")
PERIOD = {"day": 1, "week": 7, "month": 28}
SIDE_COLUMN = re.compile(r"_unscaled$|_monthly$|^scale$|^ispartial$", re.IGNORECASE)


def is_trend(beside: Beside) -> bool:
    """Whether this is search interest rather than prices, by its header and its values."""
    layout = beside.layout
    names = [beside.name(i) for i in beside.indices]
    if says_trend(layout):
        return True
    if _periods(beside):
        return _top(beside) <= FULL
    if PRICE_ROLES.intersection(beside.roles) or any(
        heading(n, (), frozenset()).says in PRICED for n in names
    ):
        return False
    if any(word in plain(name) for name in names for word in map(plain, TREND_WORDS)):
        return True
    top = _top(beside)
    return top == FULL or (beside.series.granularity in ("week", "month") and 0 < top <= FULL)


def says_trend(layout: Layout) -> bool:
    """Whether the header is Google's or a tool's for its series."""
    return any(map(GEO.search, layout.header)) or bool(
        shape_of("trend", set(map(plain, layout.header)))
    )


def _periods(beside: Beside) -> bool:
    """Whether the dates are headed Week, Month or Day, as only Google does."""
    time = plain(beside.layout.name(beside.date_column) or "")
    known = time in TREND_TIME_WORDS and time not in AMBIGUOUS_TIMES
    return known and BAR_ROLES.isdisjoint(beside.roles)


def _top(beside: Beside) -> float:
    """The largest number beside the dates; infinite if one is negative or none is a number."""
    top = 0.0
    for column in beside.indices:
        cells = numbers.look(without_less(beside.cells(column)))
        if cells.number_share() < NUMBER_SHARE:
            continue
        if column < beside.date_column and beside.counts_rows(column):
            continue
        limits = pc.min_max(numbers.parse(cells, max(numbers.MARKS, key=cells.only)).values).as_py()
        if limits["max"] is None or limits["min"] < 0:
            return float("inf")
        top = max(top, limits["max"])
    return top or float("inf")


def read_values(beside: Beside, options: Options) -> Values:
    """The term's values. Raises `ReadError` for hours, several terms, or no values."""
    layout = beside.layout
    _check_steps(beside)
    looked: dict[int, numbers.Cells] = {}
    column, term = _pick(beside, options, looked)
    beside, cut = leave_out(beside, column)
    uploaded, series = beside.cells(column), beside.series
    found = None if cut else looked.get(column)
    cells = found or numbers.look(without_less(uploaded))
    header = layout.header[column] if column < len(layout.header) else ""
    mark = _decimal_mark(beside, cells, options, counted="volume" in header.lower())
    parsed = numbers.parse(cells, mark)
    text, below = with_less(parsed.text, uploaded)
    source, show, granularity = _source(layout), beside.table.line, series.granularity or "day"
    values = Values("trend", source, column, show, series, text, mark, granularity, term)
    values.left_out |= cut
    lines = pick(beside.table.body, series.rows)
    check_short(beside, values, parsed.values, None, None)
    flag(values, lines, uploaded, parsed.bad, refusals.NOT_A_TREND)
    if (pc.min(parsed.values).as_py() or 0.0) < 0:
        flag(values, lines, uploaded, pc.less(parsed.values, 0), refusals.NEGATIVE_TREND)
    if parsed.values.null_count == len(parsed.values):
        raise refusals.NO_VALUES.refused(beside.example, what="trend value", option="term")
    settled = settle(beside, Rows(lines, parsed.values, "value", show), options)
    values.take(settled)
    order.check_strictly(values, settled.of(lines))
    scale.check(values, *map(settled.of, (lines, uploaded, parsed.values)))
    _note(values, below)
    return values


def _decimal_mark(
    beside: Beside, cells: numbers.Cells, options: Options, *, counted: bool
) -> DecimalMark:
    """Dot or comma; that values are at most `FULL` tells nothing of searches `counted`."""
    if not cells.unclear():
        return max(numbers.MARKS, key=cells.only)
    if mark := cells.insisted():
        return mark
    whole = cells.unmarked() > cells.unclear() and not any(map(cells.only, numbers.MARKS))
    read = {mark: numbers.parse(cells, mark).values for mark in numbers.MARKS}
    fits = [m for m in numbers.MARKS if (pc.max(read[m]).as_py() or 0) <= FULL]
    if len(fits) == 1 and not (counted or whole):
        return fits[0]
    if options.decimal:
        return options.decimal
    cell = cells.first_unclear()
    at = beside.line(pc.index(cells.column, cell).as_py())
    raise refusals.TREND_MARK.refused(at, cell=quoted(cell))


def _check_steps(beside: Beside) -> None:
    series = beside.series
    if 2 * series.same_day > len(series.days):
        raise refusals.HOURLY_TREND.refused(beside.line(0))
    if series.granularity is None:
        raise refusals.TREND_PACE.refused(beside.line(0), pace=series.pace)


def _pick(
    beside: Beside, options: Options, looked: dict[int, numbers.Cells]
) -> tuple[int, str | None]:
    """The column of values and its term: the only one, or the one that is the currency.

    Fills `looked` with the columns it looked at.
    """
    if options.term:
        column = beside.wanted(options.term, "term")
        return column, _term(beside.name(column)) or None
    found = [i for i in beside.indices if _may_be_trend(beside, i, looked)]
    if len(found) > 1:
        found = [i for i in found if not beside.is_dates(i)]
    terms = {i: _term(beside.name(i)) for i in found}
    relative = {i: name for i, name in terms.items() if "absolute" not in name.lower()}
    terms = relative or terms  # Glimpse adds estimated searches beside Google's scale
    exact = [i for i, name in terms.items() if plain(name) in options.terms]
    core = [i for i, name in terms.items() if _core(name) in options.terms]
    for found in (exact, core):
        if len(found) == 1:
            return found[0], terms[found[0]]
    own = {i: name for i, name in terms.items() if not _is_foreign(name, options)}
    if len(terms) == 1 and own:
        return next((i, name or None) for i, name in own.items())
    if len(terms) > 1:
        wanted = f", and not exactly one is {' or '.join(options.terms)}" if options.terms else ""
        names = refusals.listed(list(terms.values()))
        raise refusals.SEVERAL_TERMS.refused(
            beside.example, count=len(terms), columns=names, detail=wanted
        )
    priced = (heading(beside.name(i), (), frozenset()).says in PRICED for i in beside.indices)
    if not terms and (any(priced) or not BAR_ROLES.isdisjoint(beside.roles)):
        raise refusals.HISTORY_NOT_TREND.refused(beside.example, columns=beside.listed)
    detail = "; it is the term of another coin" if terms else ""
    raise refusals.NO_TREND_COLUMN.refused(beside.example, columns=beside.listed, detail=detail)


def _may_be_trend(beside: Beside, column: int, looked: dict[int, numbers.Cells]) -> bool:
    """Whether the column holds numbers, and its name does not say that they are something else."""
    name = beside.name(column)
    if SIDE_COLUMN.search(name) or beside.role(column) in OTHER_ROLES:
        return False
    if not (says_trend(beside.layout) or _periods(beside)):
        priced = heading(name, (), frozenset()).says in PRICED
        if priced or not NO_TRENDS.isdisjoint(words_of(name)):
            return False
    cells = looked[column] = numbers.look(without_less(beside.cells(column)))
    if cells.number_share() < NUMBER_SHARE:
        return False
    return column > beside.date_column or not beside.counts_rows(column)


def _is_foreign(name: str, options: Options) -> bool:
    """Whether a term is another coin's name, with or without words such as price."""
    return plain(name) in options.others or _core(name) in options.others


def _term(header: str) -> str:
    """The search term in a header: `bitcoin: (Worldwide)` is bitcoin."""
    return re.sub(r":\s*\(.*$", "", header).strip(' "')


def _core(name: str) -> str:
    return " ".join(word for word in plain(name).split() if word not in NOISE)


def _source(layout: Layout) -> str:
    names = {plain(cell) for cell in layout.header}
    if any("glimpse" in cell.lower() for cell in (*layout.header, layout.preamble_text)):
        return "glimpse"
    if known := shape_of("trend", names):
        return known.source
    google = any(GEO.search(cell) for cell in layout.header)
    if google or names & (set(TREND_TIME_WORDS) - {"date", "data"}):
        return "google-trends"
    return "unknown"


def _note(values: Values, below: int) -> None:
    series = values.series
    if below:
        are = "is" if below == 1 else "are"
        values.notes.append(f"{counted(below, 'value')} {are} <1")
    last = pc.max(series.days).as_py()
    if last + PERIOD[values.granularity] >= today():
        values.notes.append(f"the {values.granularity} of {iso(last)} is not over: partial value")
    if series.irregular and (gaps := series.gaps()):
        values.notes.append(f"no {values.granularity} between {gaps}")
