"""Which column of a history holds the price: by its name, by its numbers, or by being the only one.

Belongs here: the choice, and the refusal where it is not certain. Does not: what a name says
(headings.py), what the prices must fulfil (sanity.py).
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from . import numbers, refusals, sanity
from .columns import Beside
from .headings import Heading, heading, names_another, words_of
from .lookup import HEADER_WORDS, plain
from .meanings import CLOSE, PRICE, SUBJECTS
from .model import Options
from .shapes import Shape, headerless_shape

NUMBER_SHARE = 0.9
BOUNDED_SHARE = 0.98  # of the rows: a high is one, a low is one
MIN_ROWS = 20  # for the course of the numbers to mean something
ERRATIC = 0.25  # mean log step from which whole numbers are counts of something
SAYS_PRICE = ("price", "close", "kurs", "prezzo", "precio", "preco", "prix")
GEO = re.compile(r":\s?\(")  # as in `bitcoin: (Worldwide)`
FULL = 100  # Google's scale


@dataclass(frozen=True)
class Choice:
    """The price's column; how it was found, where that is worth a word; those that go with it."""

    column: int
    by_evidence: bool = False
    shape: Shape | None = None
    low: int | None = None
    high: int | None = None
    change: int | None = None


def choose_price(beside: Beside, options: Options) -> Choice:
    """The column of closing prices. Raises `ReadError` with the columns if it is not certain."""
    if options.price:
        return _completed(beside, beside.wanted(options.price, "price"))
    headings = {i: heading(beside.name(i), options.terms, options.others) for i in beside.indices}
    column = _by_name(beside, headings)
    if column is None:
        column = _adjusted(beside)
    if column is not None:
        return _completed(beside, column)
    return _by_numbers(beside, headings, options)


def _by_name(beside: Beside, headings: dict[int, Heading]) -> int | None:
    """The column whose name says that it is the price, of this coin; None if no name does."""
    priced = [i for i, said in headings.items() if said.says in ("close", "price")]
    usable = [i for i in priced if headings[i].coin != "foreign"]
    if any(headings[i].coin == "ours" for i in usable):
        usable = [i for i in usable if headings[i].coin == "ours" or not headings[i].strange]
    elif len(usable) < len(priced):
        usable = [i for i in usable if beside.role(i) == "close" and not headings[i].quotes]
        if not usable:
            raise _uncertain(beside, "; some may be of another coin")
    usable = [i for i in usable if not beside.is_empty(i)]
    if len(usable) > 1:
        usable = [i for i in usable if _has_prices(beside, i)]
    if not usable:
        return None
    column = _strongest(beside, headings, usable)
    # Beside columns of unknown names a price may be one of several things that are counted.
    if beside.role(column) != "close" or any(
        said.says == "nothing" and said.strange for said in headings.values()
    ):
        _refuse_counts(beside, column)
    return column


def _has_prices(beside: Beside, column: int) -> bool:
    values = _loose(beside.cells(column))
    return values is not None and (pc.max(values).as_py() or 0) > 0


def _strongest(beside: Beside, headings: dict[int, Heading], usable: list[int]) -> int:
    """The one whose name says it best, if all are stated in one currency."""
    if len(usable) == 1:
        return usable[0]
    best = max(_weight(beside, i, headings[i]) for i in usable)
    strongest = [i for i in usable if _weight(beside, i, headings[i]) == best]
    if len({headings[i].quotes for i in usable}) > 1 or len(strongest) > 1:
        raise refusals.SEVERAL_PRICES.refused(beside.example, columns=_named(beside, usable))
    return strongest[0]


def _weight(beside: Beside, column: int, said: Heading) -> int:
    """The word close itself, then a site's word for it, then words like close, then like price."""
    if plain(beside.name(column)) == "close":
        return 4
    if beside.role(column) == "close":
        return 3
    return 2 if said.says == "close" else 1


def _adjusted(beside: Beside) -> int | None:
    found = [i for i in beside.indices if beside.role(i) == "adjusted"]
    return found[0] if len(found) == 1 and not beside.is_empty(found[0]) else None


def _by_numbers(beside: Beside, headings: dict[int, Heading], options: Options) -> Choice:
    """The column whose numbers behave like a close, or the only column of numbers."""
    numeric = {i: values for i in beside.indices if (values := _loose(beside.cells(i))) is not None}
    first = [i for i in numeric if not beside.is_dates(i)][:4]
    bars = ("open", "high", "low")
    if all(headings[i].says != "other" or beside.role(i) in bars for i in first):
        column = sanity.close_by_evidence([(i, numeric[i]) for i in first], beside.series)
        if column is not None and headings[column].says != "other":
            return Choice(column, by_evidence=True)
    if not numeric:
        raise refusals.NO_VALUES.refused(beside.example, what="price", option="price")
    shape = _headerless(beside)
    if shape and (choice := _bars(shape, numeric)):
        return choice
    alone = _alone(beside, headings, numeric)
    if alone is None:
        raise _uncertain(beside)
    _refuse_by_file_name(beside, options)
    _refuse_counts(beside, alone)
    _refuse_interest(beside, alone, numeric[alone])
    return replace(_completed(beside, alone), shape=shape)


def _headerless(beside: Beside) -> Shape | None:
    """The known shape of a file without a header and without anything before its data."""
    layout = beside.layout
    if layout.header or layout.preamble or layout.bad or beside.date_column:
        return None
    return headerless_shape(beside.table.width, beside.cells(0)[0].as_py())


def _bars(shape: Shape, numeric: dict[int, Any]) -> Choice | None:
    """The choice in a shape without a header that has a high and a low, if they bound the rest."""
    roles = [HEADER_WORDS.get(plain(name), [("", "")])[0][0] for name in shape.columns]
    places = {role: i for i, role in reversed(list(enumerate(roles)))}
    if not {"open", "high", "low"} <= places.keys():
        return None
    prices = [numeric.get(places[role]) for role in ("open", "close", "high", "low")]
    if any(values is None for values in prices):
        return None
    top, bottom = pc.max_element_wise(*prices), pc.min_element_wise(*prices)
    inside = pc.and_(pc.equal(top, prices[2]), pc.equal(bottom, prices[3]))
    if inside.true_count < BOUNDED_SHARE * len(inside):
        return None
    change = places.get("change")
    return Choice(places["close"], False, shape, places["low"], places["high"], change)


def _alone(beside: Beside, headings: dict[int, Heading], numeric: dict[int, Any]) -> int | None:
    """The only column of numbers, or the only one that names this coin; None if it is not one."""
    numeric = {
        i: v for i, v in numeric.items() if not (beside.is_dates(i) or beside.counts_rows(i))
    }
    unnamed = [i for i in numeric if headings[i].says in ("value", "nothing")]
    ours = [i for i in unnamed if headings[i].coin == "ours"]
    free = [i for i in unnamed if headings[i].coin != "foreign"]
    if len(ours) == 1:
        return ours[0]
    if len(free) != 1 or len(free) < len(unnamed):
        return None
    alone = len(numeric) == 1 or headings[free[0]].says == "value"
    interest = GEO.search(beside.name(free[0]))
    return free[0] if alone and not interest else None


def _loose(cells: Any) -> Any | None:
    """A column's numbers under the mark that fits more cells; None if it holds other things."""
    looked = numbers.look(cells)
    if looked.number_share() < NUMBER_SHARE:
        return None
    return numbers.parse(looked, max(numbers.MARKS, key=looked.only)).values


def _completed(beside: Beside, column: int) -> Choice:
    """The choice with the columns of the same thing that its prices are held against."""
    low, high, change = (_partner(beside, column, role) for role in ("low", "high", "change"))
    return Choice(column, low=low, high=high, change=change)


def _partner(beside: Beside, column: int, role: str) -> int | None:
    """The column with this role for the thing whose price is in `column`: `btc_high`."""
    named = beside.roles.index(role) if role in beside.roles else None
    plainly = beside.role(column) == "close"
    if beside.roles.count("close") == plainly and (plainly or named is not None):
        return named
    about = _about(beside, column, CLOSE | PRICE)
    word = frozenset((role,))
    found = [i for i in beside.indices if i != column and role in words_of(beside.name(i))]
    found = [i for i in found if _about(beside, i, word) == about]
    return found[0] if len(found) == 1 else None


def _about(beside: Beside, column: int, words: frozenset[str]) -> list[str]:
    return [word for word in words_of(beside.name(column)) if word not in words]


def _refuse_by_file_name(beside: Beside, options: Options) -> None:
    """The name of a file may say that its only column is no price of this coin."""
    words = words_of(options.file)
    subject = next((word for word in words if word in SUBJECTS), None)
    if subject and not any(word.startswith(SAYS_PRICE) for word in words):
        raise _uncertain(beside, f"; the file's name says {subject}")
    if names_another(options.file, options.terms, options.others):
        raise _uncertain(beside, "; the file's name names another coin")


def _refuse_counts(beside: Beside, column: int) -> None:
    """Whole numbers that never fall, or leap from day to day, count something."""
    values = _loose(beside.cells(column))
    if values is None:
        return
    kept = values.drop_null()
    if len(kept) < MIN_ROWS or not pc.all(pc.equal(kept, pc.floor(kept))).as_py():
        return
    days = beside.series.days.filter(values.is_valid())
    kept = kept.take(pc.sort_indices(days))
    steps = pc.subtract(kept.slice(1), kept.slice(0, len(kept) - 1))
    ends = pc.min_max(steps).as_py()
    rises = ends["min"] >= 0 and ends["max"] > 0
    logs = pc.ln(kept.filter(pc.greater(kept, 0)))
    moves = pc.abs(pc.subtract(logs.slice(1), logs.slice(0, max(0, len(logs) - 1))))
    if rises or (pc.mean(moves).as_py() or 0.0) > ERRATIC:
        name = beside.name(column) or str(column + 1)
        raise _uncertain(beside, f"; the whole numbers of {name} look counted")


def _refuse_interest(beside: Beside, column: int, values: pa.Array) -> None:
    """Whole numbers up to exactly 100 in a column that is no price by name are Google's."""
    kept = values.drop_null()
    whole = pc.all(pc.equal(kept, pc.floor(kept))).as_py()
    if whole and len(kept) >= MIN_ROWS and pc.max(kept).as_py() == FULL:
        name = beside.name(column) or str(column + 1)
        raise refusals.TREND_NOT_HISTORY.refused(beside.example, detail=f": {name} ends at 100")


def _named(beside: Beside, columns: list[int]) -> str:
    return ", ".join(f"{i + 1} {refusals.quoted(beside.name(i))}" for i in columns)


def _uncertain(beside: Beside, detail: str = "") -> Exception:
    columns = beside.listed
    return refusals.NO_PRICE_COLUMN.refused(beside.example, columns=columns, detail=detail)
