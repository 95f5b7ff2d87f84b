"""Price histories: what is particular to price tables.

Belongs here: the steps of a history, its decimal mark, its site. Does not: which column is the
price (choosing.py), whether the prices make sense (sanity.py), dates, cells, numbers in general.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pyarrow.compute as pc

from . import numbers, refusals, sanity
from .arrays import arrow, floats, pick
from .choosing import Choice, choose_price
from .columns import Beside
from .cut import leave_out
from .days import settle
from .layout import Layout
from .lookup import plain
from .model import DecimalMark, Options
from .ragged import check_short
from .refusals import quoted
from .series import NAMES
from .shapes import Shape, shape_of
from .steps import count_jumps
from .twice import Rows
from .values import Values

MISSING_MARK = -1.0  # what users put where a price is missing
INVESTING = ["date", "close", "open", "high", "low"]
QUOTE_CURRENCY = re.compile(r"(USDT?|USDC|EUR|GBP|JPY|BRL|INR|TRY|AUD|CAD)$", re.IGNORECASE)
TICKER = re.compile(r"^Ticker (\S+)", re.MULTILINE)  # a line of yfinance
SAMPLE = 200
NUMBER_SHARE = 0.9


def is_investing(layout: Layout) -> bool:
    """Investing.com's columns: date, price, open, high, low in this order."""
    return layout.roles()[: len(INVESTING)] == INVESTING


def check_steps(beside: Beside) -> None:
    """Raise `ReadError` unless the days step like a daily series."""
    series = beside.series
    if 2 * series.same_day > len(series.days):
        raise refusals.SEVERAL_A_DAY.refused(beside.line(0))
    if series.granularity == "day":
        return
    if series.granularity is None and series.backwards * 4 > len(series.days):
        raise refusals.NO_ORDER.refused(beside.line(0), count=series.backwards)
    pace = NAMES[series.granularity] if series.granularity else series.pace
    raise refusals.NOT_DAILY.refused(beside.line(0), pace=pace, span=series.span)


def read_values(beside: Beside, options: Options) -> Values:
    """The closing prices. Raises `ReadError` if the series or its notation is not certain."""
    symbols = _symbols(beside)
    if len(symbols) > 1:
        names = refusals.listed(symbols, 3)
        at = beside.line(_first(beside.cells(beside.roles.index("symbol")), symbols[1]))
        raise refusals.STACKED.refused(at, count=len(symbols), names=names)
    check_steps(beside)
    choice = choose_price(beside, options)
    beside, cut = leave_out(beside, choice.column)
    uploaded = beside.cells(choice.column)
    cells = numbers.look(uploaded)
    shape = choice.shape or shape_of("history", {plain(name) for name in beside.layout.header})
    mark = _decimal_mark(beside, cells, choice.column, options, shape)
    parsed = numbers.parse(cells, mark)
    source, show = _source(beside.layout, shape), beside.table.line
    values = Values("history", source, choice.column, show, beside.series, parsed.text, mark, "day")
    values.left_out |= cut
    ticker = TICKER.search(beside.layout.preamble_text)
    values.term = symbols[0] if symbols else (ticker[1] if ticker else None)
    if choice.by_evidence:
        values.notes.append(
            f"column {choice.column + 1} is taken as the close: its numbers behave so"
        )
    lines = pick(beside.table.body, beside.series.rows)
    price = _prices(values, lines, uploaded, parsed)
    if price.null_count == len(price):
        raise refusals.NO_VALUES.refused(beside.example, what="price", option="price")
    if is_investing(beside.layout) and options.decimal is None:
        _refuse_lost_decimals(beside, cells)
    settled = settle(beside, Rows(lines, price, "price", show), options)
    values.take(settled)
    beside, price = beside.following(values.series), settled.of(price)
    low, high = (_beside(beside, column, mark) for column in (choice.low, choice.high))
    check_short(beside, values, price, low, high)
    changes = _changes(beside, choice, mark)
    rows = sanity.Ohlc(settled.of(lines), settled.of(uploaded), price, low, high, changes)
    sanity.check(values, rows, options)
    return values


def _prices(values: Values, lines: Any, cells: Any, parsed: numbers.Numbers) -> Any:
    """The prices above 0, else null; cells that are neither those nor missing make bad lines."""
    sanity.flag(values, lines, cells, parsed.bad, refusals.NOT_A_PRICE)
    price = parsed.values
    read = floats(price)
    if not (read <= 0).any():
        return price
    negative = np.flatnonzero((read < 0) & (read != MISSING_MARK)).tolist()
    sanity.flag_rows(values, lines, cells, negative, refusals.NEGATIVE_PRICE)
    return arrow(read, valid=read > 0)


def _beside(beside: Beside, column: int | None, mark: DecimalMark) -> Any | None:
    """Another column as float64 to hold the prices against; None if there is none."""
    return None if column is None else numbers.quick(beside.cells(column), mark)


def _changes(beside: Beside, choice: Choice, mark: DecimalMark) -> list[Callable[[], Any]]:
    """The stated change in percent under the prices' mark, then under the other one."""
    if choice.change is None:
        return []
    cells = beside.cells(choice.change)
    tests = (pc.ends_with, pc.match_substring)  # the first is quick and mostly enough
    if not any(2 * test(cells, "%").true_count >= len(cells) for test in tests):
        return []
    marks = sorted(numbers.MARKS, key=lambda other: other != mark)
    return [partial(numbers.quick, cells, other) for other in marks]


def _symbols(beside: Beside) -> list[str]:
    """The different names in a symbol column; none if it holds numbers."""
    if "symbol" not in beside.roles:
        return []
    names = pc.unique(beside.cells(beside.roles.index("symbol"))).to_pylist()[:SAMPLE]
    different = {re.sub(r"\W", "", name).lower(): name for name in reversed(names)}
    return [
        name
        for key, name in reversed(different.items())
        if key and not key.isdigit() and not QUOTE_CURRENCY.fullmatch(key)
    ]


def _decimal_mark(
    beside: Beside, cells: numbers.Cells, column: int, options: Options, shape: Shape | None
) -> DecimalMark:
    """Dot or comma: by the price column, else by the other columns, else by the prices' sense.

    What a few damaged cells could say decides nothing where other cells can be read either way.
    Where nothing decides, it is what the option says or what the file's site writes.
    """
    _refuse_both_marks(beside, cells)
    if not cells.unclear():
        return _where_all_is_clear(beside, cells, column)
    insisted = cells.insisted()
    marks = set[DecimalMark]()
    if not insisted or cells.few_insist(insisted):
        marks = _marks_beside(beside, column)
    if insisted and marks <= {insisted}:
        _refuse_if_denied(beside, insisted, cells)
        return insisted
    jumps = _jumps(cells)
    if len(marks) == 1:
        (mark,) = marks
        if jumps[mark] == min(jumps.values()):
            return mark
    elif jumps["dot"] != jumps["comma"] and 0 in jumps.values() and _enough_unmarked(cells):
        return min(numbers.MARKS, key=lambda candidate: jumps[candidate])
    if options.decimal:
        return options.decimal
    if shape and shape.decimal:
        return shape.decimal
    example = cells.first_unclear()
    read = [f"--decimal {mark} reads {_example(example, mark)}" for mark in numbers.MARKS]
    at = beside.line(_first(cells.column, example))
    raise refusals.PRICE_MARK.refused(at, cell=quoted(example), readings="; ".join(read))


def _enough_unmarked(cells: numbers.Cells) -> bool:
    """Whether the cells without a mark are more than a few that lost it.

    Where thousands are grouped none has four digits.
    """
    enough = max(2, min(numbers.FEW, len(cells.column) - 1))
    return not cells.ungrouped() and cells.unmarked() >= enough


def _jumps(cells: numbers.Cells) -> dict[DecimalMark, int]:
    return {mark: count_jumps(numbers.parse(cells, mark).values) for mark in numbers.MARKS}


def _example(cell: str, mark: DecimalMark) -> str:
    thousands, decimal = (",", ".") if mark == "dot" else (".", ",")
    return cell.replace(thousands, "").replace(decimal, ".")


def _refuse_both_marks(beside: Beside, cells: numbers.Cells) -> None:
    fewer, more = sorted(numbers.MARKS, key=cells.only)
    if cells.only(fewer) and cells.only(more) < numbers.CLEAR * cells.only(fewer):
        found = {mark: cells.first_only(mark) for mark in numbers.MARKS}
        at = beside.line(_first(cells.column, found[fewer]))
        dot, comma = (quoted(found[mark]) for mark in numbers.MARKS)
        raise refusals.BOTH_MARKS.refused(at, dot=dot, comma=comma)


def _first(cells: Any, cell: str) -> int:
    return int(pc.index(cells, cell).as_py())


def _where_all_is_clear(beside: Beside, cells: numbers.Cells, column: int) -> DecimalMark:
    """No price depends on the mark, unless it insists on one; other columns may depend on it."""
    mark = max(numbers.MARKS, key=cells.only)
    if cells.only(mark) and not cells.few_insist(mark):
        return mark
    marks = _marks_beside(beside, column)
    return marks.pop() if len(marks) == 1 else mark


def _refuse_if_denied(beside: Beside, mark: DecimalMark, cells: numbers.Cells) -> None:
    """Fewer than half of the cells must not insist on what the prices deny."""
    if 2 * cells.only(mark) >= len(cells.column):
        return
    jumps = _jumps(cells)
    if jumps[mark] > min(jumps.values()):
        other: DecimalMark = "comma" if mark == "dot" else "dot"
        cell = cells.first_only(mark)
        at = beside.line(_first(cells.column, cell))
        raise refusals.MARK_DENIED.refused(at, cell=quoted(cell), mark=mark, other=other)


def _marks_beside(beside: Beside, column: int) -> set[DecimalMark]:
    """The marks that the other columns (a spread sample of their cells) insist on."""
    marks: set[DecimalMark] = set()
    for other in beside.indices:
        if other == column:
            continue
        cells = beside.cells(other)
        looked = numbers.look(cells[:: max(1, len(cells) // SAMPLE)], units=True)
        mark = looked.insisted()
        if mark and looked.number_share() >= NUMBER_SHARE:
            marks.add(mark)
    return marks


def _refuse_lost_decimals(beside: Beside, cells: numbers.Cells) -> None:
    """Investing.com writes decimals or thousands; bare digits throughout have lost theirs."""
    if cells.insisted():
        return
    for role in ("close", "open", "high", "low"):
        column = beside.cells(beside.roles.index(role))
        digits = pc.match_substring_regex(column, r"^\d{4,}$").true_count
        if digits < NUMBER_SHARE * len(column):
            return
    raise refusals.LOST_DECIMALS.refused(beside.line(0), cell=quoted(cells.column[0].as_py()))


def _source(layout: Layout, shape: Shape | None) -> str:
    if shape:
        return shape.source
    if is_investing(layout):
        return "investing.com"
    return "yahoo" if TICKER.search(layout.preamble_text) else "unknown"
