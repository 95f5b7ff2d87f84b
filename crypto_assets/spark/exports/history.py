"""Price histories: which column is the close, which decimal mark, which site.

Belongs here: what is particular to price tables. Does not: whether the prices make sense
(sanity.py), dates, cells, numbers in general.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow.compute as pc

from crypto_assets.spark.problems import ReadError

from . import numbers, sanity
from .arrays import pick
from .layout import Layout
from .lookup import plain, word_set
from .model import DecimalMark, Options
from .series import NAMES, Series
from .shapes import source_of
from .table import Table
from .values import Values

MISSING_MARK = -1.0  # what users put where a price is missing
CLOSE_TOKENS = {"close", "closing", "chiusura", "cierre", "fechamento", "schlusskurs"}
PRICE_TOKENS = {"price", "prices", "last", "prezzo", "precio", "preco", "preis", "prix", "rate"}
OTHER_TOKENS = word_set(
    "open opening high low volume vol cap change chg max min avg average mean weighted vwap "
    "predicted prediction forecast target ma sma ema lag prev previous next log return "
    "returns diff pct count time date adj adjusted std upper lower bid ask"
)
INVESTING = ["date", "close", "open", "high", "low"]
HEADERLESS = {7: "kraken", 12: "binance"}  # columns of the known files without a header
QUOTE_CURRENCY = re.compile(r"(USDT?|USDC|EUR|GBP|JPY|BRL|INR|TRY|AUD|CAD)$", re.IGNORECASE)
TICKER = re.compile(r"^Ticker (\S+)", re.MULTILINE)  # a line of yfinance
SAMPLE = 200
NUMBER_SHARE = 0.9
EXAMPLE = 3


@dataclass(frozen=True)
class _Prices:
    """The parts of a price table the decisions below need."""

    table: Table
    series: Series
    date_column: int
    roles: dict[str, int]  # role -> first column with it
    header: list[str]

    def cells(self, column: int) -> Any:
        """The column's cells, one per dated row."""
        return self.table.at(column, self.series.rows)

    def values(self, role: str, mark: DecimalMark) -> Any | None:
        """The column with this role as float64, or None if there is none."""
        if role not in self.roles:
            return None
        return numbers.quick(self.cells(self.roles[role]), mark)


def is_investing(layout: Layout) -> bool:
    """Investing.com's columns: date, price, open, high, low in this order."""
    return layout.roles()[: len(INVESTING)] == INVESTING


def check_steps(series: Series) -> None:
    """Raise `ReadError` unless the days step like a daily series."""
    if 2 * series.same_day > len(series.days):
        raise ReadError("several rows per day, so not daily: download the daily history")
    if series.granularity in ("week", "month"):
        pace = NAMES[series.granularity]
        raise ReadError(f"the history is {pace}, not daily: download the daily one")
    if series.granularity is None:
        if series.backwards * 4 > len(series.days):
            raise ReadError(
                "the rows are in no order of dates: sort them by date, or download again"
            )
        raise ReadError(f"the history is not daily: {series.pace} ({series.span})")


def read_values(
    table: Table, layout: Layout, series: Series, date_column: int, options: Options
) -> Values:
    """The closing prices. Raises `ReadError` if the series or its notation is not certain."""
    roles: dict[str, int] = {}
    for index, role in enumerate(layout.roles()[: table.width]):
        roles.setdefault(role or "", index)
    prices = _Prices(table, series, date_column, roles, layout.header)
    symbols = _symbols(prices)
    if len(symbols) > 1:
        listed = ", ".join(symbols[:EXAMPLE])
        raise ReadError(f"{len(symbols)} currencies are stacked in one file ({listed}): keep one")
    check_steps(series)
    column, by_evidence = _close_column(prices, layout)
    cells = numbers.look(prices.cells(column))
    mark = _decimal_mark(prices, cells, column, options)
    parsed = numbers.parse(cells, mark)
    values = Values("history", _source(prices, layout), column, parsed.text, mark, "day")
    ticker = TICKER.search(layout.preamble_text)
    values.term = symbols[0] if symbols else (ticker[1] if ticker else None)
    lines = pick(table.body, series.rows)
    sanity.flag(values, lines, cells.column, parsed.bad, "not a price")
    price = parsed.values
    if not (pc.min(price).as_py() or 0.0) > 0:
        negative = pc.and_(pc.less(price, 0), pc.not_equal(price, MISSING_MARK))
        sanity.flag(values, lines, cells.column, negative, "a negative price")
        price = pc.if_else(pc.greater(price, 0), price, None)
    if price.null_count == len(price):
        raise ReadError("no row has a price")
    if is_investing(layout) and options.decimal is None:
        _refuse_lost_decimals(prices, cells)
    if by_evidence:
        values.notes.append(f"column {column + 1} is taken as the close: its numbers behave so")
    sanity.check(
        values,
        sanity.Ohlc(
            lines=lines,
            cells=cells.column,
            raw=parsed.values,
            price=price,
            low=prices.values("low", mark),
            high=prices.values("high", mark),
            changes=_changes(prices, mark),
        ),
        series,
        options,
    )
    return values


def _changes(prices: _Prices, mark: DecimalMark) -> list[Callable[[], Any]]:
    """The stated change in percent under the prices' mark, then under the other one."""
    if "change" not in prices.roles:
        return []
    cells = prices.cells(prices.roles["change"])
    tests = (pc.ends_with, pc.match_substring)  # the first is quick and mostly enough
    if not any(2 * test(cells, "%").true_count >= len(cells) for test in tests):
        return []
    marks = sorted(numbers.MARKS, key=lambda other: other != mark)
    return [partial(numbers.quick, cells, other) for other in marks]


def _symbols(prices: _Prices) -> list[str]:
    """The different names in a symbol column; none if it holds numbers."""
    if "symbol" not in prices.roles:
        return []
    names = pc.unique(prices.cells(prices.roles["symbol"])).to_pylist()[:SAMPLE]
    different = {re.sub(r"\W", "", name).lower(): name for name in reversed(names)}
    return [
        name
        for key, name in reversed(different.items())
        if key and not key.isdigit() and not QUOTE_CURRENCY.fullmatch(key)
    ]


def _close_column(prices: _Prices, layout: Layout) -> tuple[int, bool]:
    """The column of closing prices, by its header or else by how its numbers behave."""
    width = prices.table.width
    for role in ("close", "adjusted"):
        found = [
            i
            for i, known in enumerate(layout.roles()[:width])
            if known == role and i != prices.date_column
        ]
        named = [i for i in found if plain(layout.header[i]) == "close"]
        if len(found) == 1 or len(named) == 1:
            return (named or found)[0], False
        if found:
            names = ", ".join(repr(layout.header[i]) for i in found)
            raise ReadError(
                f"several columns could be the closing price: {names}; keep one of them"
            )
    tokens = {i: set(plain(name).split()) for i, name in enumerate(layout.header[:width])}
    for wanted in (CLOSE_TOKENS, PRICE_TOKENS):
        found = [i for i, words in tokens.items() if words & wanted and not words & OTHER_TOKENS]
        if len(found) == 1:
            return found[0], False
    numeric = [(i, _loose(prices.cells(i))) for i in range(width) if i != prices.date_column]
    alone = [i for i, values in numeric if values is not None]
    if len(alone) == 1 and QUOTE_CURRENCY.search(layout.name(alone[0]) or ""):
        return alone[0], False
    column = sanity.close_by_evidence(numeric, prices.series)
    if column is not None:
        return column, True
    if _is_headerless(prices, layout):
        return 4, False
    names = ", ".join(repr(name) for name in layout.header[:8]) or "there is no header"
    raise ReadError(f"no single column is named close or price in a known language: {names}")


def _is_headerless(prices: _Prices, layout: Layout) -> bool:
    """The known files without a header: so many columns, Unix time first, nothing before it."""
    return (
        prices.table.width in HEADERLESS
        and prices.series.reading.name.startswith("Unix")
        and prices.date_column == 0
        and not (layout.header or layout.preamble or layout.bad)
    )


def _loose(cells: Any) -> Any | None:
    """A column's numbers under the mark that fits more cells; None if it holds other things."""
    looked = numbers.look(cells)
    if looked.number_share() < NUMBER_SHARE:
        return None
    return numbers.parse(looked, max(numbers.MARKS, key=looked.only)).values


def _decimal_mark(
    prices: _Prices, cells: numbers.Cells, column: int, options: Options
) -> DecimalMark:
    """Dot or comma: by the price column, else by the other columns, else by the prices' sense.

    What a few damaged cells could say decides nothing where other cells can be read either way.
    """
    _refuse_both_marks(cells)
    if not cells.unclear():
        return _where_all_is_clear(prices, cells, column)
    insisted = cells.insisted()
    if insisted:
        _refuse_if_denied(insisted, cells)
        return insisted
    jumps = _jumps(cells)
    voices = _voices(prices, column)
    if len(voices) == 1:
        (mark,) = voices
        if jumps[mark] == min(jumps.values()):
            return mark
    elif jumps["dot"] != jumps["comma"] and 0 in jumps.values() and _enough_unmarked(cells):
        return min(numbers.MARKS, key=lambda candidate: jumps[candidate])
    if options.decimal:
        return options.decimal
    if source_of("history", {plain(name) for name in prices.header}):
        return "dot"  # every site that is known by its header writes dots
    example = cells.first_unclear()
    read = [f"--decimal {mark} reads {_example(example, mark)}" for mark in numbers.MARKS]
    raise ReadError(f"the decimal mark is not certain: {example!r}: {'; '.join(read)}")


def _enough_unmarked(cells: numbers.Cells) -> bool:
    """Whether the cells without a mark are more than a few that lost it.

    Where thousands are grouped none has four digits.
    """
    enough = max(2, min(numbers.FEW, len(cells.column) - 1))
    return not cells.ungrouped() and cells.unmarked() >= enough


def _jumps(cells: numbers.Cells) -> dict[DecimalMark, int]:
    return {mark: sanity.count_jumps(numbers.parse(cells, mark).values) for mark in numbers.MARKS}


def _example(cell: str, mark: DecimalMark) -> str:
    thousands, decimal = (",", ".") if mark == "dot" else (".", ",")
    return cell.replace(thousands, "").replace(decimal, ".")


def _refuse_both_marks(cells: numbers.Cells) -> None:
    fewer, more = sorted(cells.only(mark) for mark in numbers.MARKS)
    if fewer and more < numbers.CLEAR * fewer:
        first = {mark: cells.first_only(mark) for mark in numbers.MARKS}
        raise ReadError(f"both decimal marks are used: {first['dot']!r} and {first['comma']!r}")


def _where_all_is_clear(prices: _Prices, cells: numbers.Cells, column: int) -> DecimalMark:
    """No price depends on the mark, unless it insists on one; other columns may depend on it."""
    if any(cells.only(mark) for mark in numbers.MARKS):
        return max(numbers.MARKS, key=cells.only)
    voices = _voices(prices, column)
    return voices.pop() if len(voices) == 1 else "dot"


def _refuse_if_denied(mark: DecimalMark, cells: numbers.Cells) -> None:
    """Fewer than half of the cells must not insist on what the prices deny."""
    if 2 * cells.only(mark) >= len(cells.column):
        return
    jumps = _jumps(cells)
    if jumps[mark] > min(jumps.values()):
        other: DecimalMark = "comma" if mark == "dot" else "dot"
        raise ReadError(
            f"the decimal mark is not certain: {cells.first_only(mark)!r} has a decimal {mark}, "
            f"but the other prices only make sense with a decimal {other}"
        )


def _voices(prices: _Prices, column: int) -> set[DecimalMark]:
    """The marks that the other columns (a spread sample of their cells) insist on."""
    voices: set[DecimalMark] = set()
    for other in range(prices.table.width):
        if other in (column, prices.date_column):
            continue
        cells = prices.cells(other)
        looked = numbers.look(cells[:: max(1, len(cells) // SAMPLE)], units=True)
        mark = looked.insisted()
        if mark and looked.number_share() >= NUMBER_SHARE:
            voices.add(mark)
    return voices


def _refuse_lost_decimals(prices: _Prices, cells: numbers.Cells) -> None:
    """Investing.com writes decimals or thousands; bare digits throughout have lost theirs."""
    if cells.insisted():
        return
    for role in ("close", "open", "high", "low"):
        column = prices.cells(prices.roles[role])
        digits = pc.match_substring_regex(column, r"^\d{4,}$").true_count
        if digits < NUMBER_SHARE * len(column):
            return
    raise ReadError(
        f"the prices have neither decimals nor thousands separators ({cells.column[0]}): a "
        "spreadsheet probably dropped the decimal mark; download again, or say --decimal dot if "
        "they are whole numbers"
    )


def _source(prices: _Prices, layout: Layout) -> str:
    known = source_of("history", {plain(cell) for cell in layout.header})
    if known:
        return known
    if is_investing(layout):
        return "investing.com"
    if TICKER.search(layout.preamble_text):
        return "yahoo"
    return HEADERLESS[prices.table.width] if _is_headerless(prices, layout) else "unknown"
