"""Number notations: decimal marks, thousands, units, the words for missing.

Belongs here: what a number cell can mean under a decimal mark. Does not: which mark the file has
(that takes the prices' own sense, see history.py) or whether a value is plausible.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .arrays import false_if_null, has_byte, translated
from .model import DecimalMark

# ruff: noqa: RUF001 - dashes and spaces as they occur in files

MARKS: tuple[DecimalMark, DecimalMark] = ("dot", "comma")
MISSING = (
    ",-,--,.,—,–,null,Null,NULL,N/A,n/a,#N/A,#N/D,#NV,NA,na,n.a.,n.d.,NaN,nan,NAN,None,undefined"
)
MISSING_WORDS = sorted({word.lower() for word in MISSING.split(",")})
MISSING_PRICES = (-1.0, 0.0)  # numbers that people put where a price is missing
_MISSING = frozenset([*MISSING.split(","), "none"])  # the empty cell is one of them
_SIGN = r"(?:(?:R|US|A|C)?\$|[€£¥₹₿₩₽₫₺฿]|USDT?|EUR|GBP)"
_CURRENCY = re.compile(_SIGN)
# Only at the ends of a cell: inside, as in 4$5000, it is damage.
_AT_START, _AT_END = rf"^([-+−]?)\s*{_SIGN}", rf"{_SIGN}$"
SPACES = " \u00a0\u202f\u2009'’"
_SPACE = f"[{SPACES}]"
_GROUPS = r"[1-9]\d{{0,2}}(?:{t}\d{{3}})+|[1-9]\d?(?:{t}\d\d)+{t}\d{{3}}"


def _grammar(decimal: str, thousands: str) -> str:
    groups = "|".join(_GROUPS.format(t=t) for t in (thousands, _SPACE))
    return rf"(?:(?:\d+|{groups})(?:{decimal}\d*)?|{decimal}\d+)"


_GRAMMAR = {"dot": _grammar(r"\.", ","), "comma": _grammar(",", r"\.")}
_EXPONENT = r"(?:[eE][-+]?\d{1,2})?"
_UNIT = r"[ \t\f]*(?:%|[KMBTkmbt]|Mio\.?|Mrd\.?|тыс\.?|млн\.?|млрд\.?)?"
# Read alike by `re` and by the regex kernels.
_NUMBER = {mark: rf"^[-+−]?{grammar}{_EXPONENT}$" for mark, grammar in _GRAMMAR.items()}
_WITH_UNIT = {mark: number[:-1] + rf"{_UNIT}$" for mark, number in _NUMBER.items()}
_COMPILED = {
    units: {mark: re.compile(pattern, re.ASCII) for mark, pattern in patterns.items()}
    for units, patterns in ((False, _NUMBER), (True, _WITH_UNIT))
}
_MARKED = re.compile(r"^[-+−]?\d+[.,]")
_BOTH_MARKS = re.compile(r"\.\d+,\d|,\d+\.\d")
_FOUR_DIGITS = re.compile(r"^[-+−]?\d{4}")
_DIGITS_ALIKE = bytes.maketrans(b"012345678", b"999999999")
_DIGITS_BUT_ZERO_ALIKE = bytes.maketrans(b"12345678", b"99999999")
MANY = 1000  # shapes: no column of numbers has as many
CLEAR = 20  # times as many cells must speak for a decimal mark as against it
FEW = 5  # fewer cells that insist on a mark, where others do not, may be damaged ones
FEW_SHARE = 0.02


@dataclass(frozen=True)
class _Shapes:
    """A column with its digits alike ("99,999.9"): few distinct cells, to which grammar applies.

    What is asked of a number's notation is asked once per shape, not once per cell.
    """

    cells: Any
    counts: dict[str, int]  # shape -> cells that have it

    def number(self, shapes: Iterable[str]) -> int:
        """How many cells have one of `shapes`."""
        return sum(self.counts[shape] for shape in shapes)

    def mask(self, shapes: frozenset[str]) -> Any:
        """Which cells have one of `shapes`."""
        return pc.is_in(self.cells, value_set=pa.array(sorted(shapes), pa.string()))


@dataclass(frozen=True)
class Cells:
    """A trimmed text column and which of its cells are numbers under which decimal mark."""

    column: Any
    missing: Any | None  # a mask; None if no cell is missing
    _shapes: _Shapes
    _reads: dict[DecimalMark, frozenset[str]]  # the shapes that are numbers under a mark

    def good(self, mark: DecimalMark) -> Any | None:
        """Which cells are numbers under `mark`: a mask; None if all are."""
        reads = self._reads[mark]
        return None if len(reads) == len(self._shapes.counts) else self._shapes.mask(reads)

    def only(self, mark: DecimalMark) -> int:
        """How many cells are numbers under `mark` and not under the other one."""
        return self._shapes.number(self._only(mark))

    def first_only(self, mark: DecimalMark) -> str:
        """The first of the cells that `only` counts."""
        return self._first(self._only(mark))

    def unclear(self) -> int:
        """How many cells are other numbers under one mark than under the other, as 1,234 is."""
        return self._shapes.number(self._unclear())

    def first_unclear(self) -> str:
        """The first of the cells that `unclear` counts."""
        return self._first(self._unclear())

    def unmarked(self) -> int:
        """How many cells are the same number, not below 0, under either mark."""
        same = self._both() - self._unclear()
        return self._shapes.number(shape for shape in same if not shape.startswith(("-", "−")))

    def ungrouped(self) -> int:
        """How many cells have four digits or more before any mark."""
        return self._shapes.number(filter(_FOUR_DIGITS.match, self._shapes.counts))

    def insisted(self) -> DecimalMark | None:
        """The mark that so many cells insist on that they are not a few damaged ones.

        Of cells with both marks, as 1,234.5, fewer are enough: damage hardly makes them. But one
        is not, where there are many others.
        """
        counts = {mark: self.only(mark) for mark in MARKS}
        other, mark = sorted(MARKS, key=lambda each: counts[each])
        both = self._shapes.number(filter(_BOTH_MARKS.search, self._only(mark)))
        present = self._present()
        share = max(1, FEW_SHARE * present)
        two = both >= min(2, max(1, present // FEW))
        enough = (both >= share and two) or counts[mark] >= max(share, min(FEW, present))
        return mark if enough and counts[mark] >= CLEAR * counts[other] else None

    def few_insist(self, mark: DecimalMark) -> bool:
        """Whether so few cells insist on a mark that the file's other columns know better."""
        few = min(max(FEW, FEW_SHARE * self._present()), self._present() / 2)
        return self.only(mark) < few

    def _first(self, shapes: frozenset[str]) -> str:
        return str(self.column.filter(self._shapes.mask(shapes))[0].as_py())

    def _unclear(self) -> frozenset[str]:
        return frozenset(shape for shape in self._both() if _MARKED.match(shape))

    def _both(self) -> frozenset[str]:
        return self._reads["dot"] & self._reads["comma"]

    def _present(self) -> int:
        return len(self.column) - (0 if self.missing is None else self.missing.true_count)

    def _only(self, mark: DecimalMark) -> frozenset[str]:
        other: DecimalMark = "comma" if mark == "dot" else "dot"
        return self._reads[mark] - self._reads[other]

    def number_share(self) -> float:
        """Which part of the cells that are not missing are numbers under some mark."""
        present = self._present()
        best = max(self._shapes.number(reads) for reads in self._reads.values())
        return best / present if present else 0.0

    def characters(self, mark: DecimalMark) -> frozenset[str]:
        """The characters of the cells that are numbers under `mark`; 9 stands for any digit."""
        return frozenset("".join(self._reads[mark]))


@dataclass(frozen=True)
class Numbers:
    """A column under one decimal mark.

    `text` is the normal form (plain decimal, or the missing word as uploaded; null where bad),
    `values` float64 (null where missing or bad), `bad` a mask or None if no cell is bad.
    """

    text: Any
    values: Any
    bad: Any | None


def look(column: Any, *, units: bool = False) -> Cells:
    """Test every cell of `column`; `units` also allows %, K, M, B after the number."""
    shapes, reads = _read(column, units=units)
    absent = _MISSING.intersection(shapes.counts)
    missing = shapes.mask(absent) if absent else None
    unknown = set(shapes.counts).difference(absent, *reads.values())
    if unknown and any(map(_CURRENCY.search, unknown)):
        column = pc.replace_substring_regex(column, _AT_START, r"\1")
        column = pc.utf8_trim_whitespace(pc.replace_substring_regex(column, _AT_END, ""))
        shapes, reads = _read(column, units=units)
    return Cells(column, missing, shapes, reads)


def _read(column: Any, *, units: bool) -> tuple[_Shapes, dict[DecimalMark, frozenset[str]]]:
    """The shapes of `column`, and which of them are numbers under which mark."""
    shapes = _shapes(column, _DIGITS_ALIKE)
    if len(shapes.counts) < MANY:
        grouped = [shape for shape in shapes.counts if _may_not_begin_with_zero(shape, units)]
        if grouped and (
            not all(shape[0] == "9" for shape in grouped) or pc.starts_with(column, "0").true_count
        ):
            shapes = _shapes(column, _DIGITS_BUT_ZERO_ALIKE)
    else:
        shapes = _shapes(column, _DIGITS_BUT_ZERO_ALIKE)
    return shapes, {mark: _numbers(shapes, mark, units=units) for mark in MARKS}


def _shapes(column: Any, table: bytes) -> _Shapes:
    cells = translated(column, table)
    values, counts = pc.value_counts(cells).flatten()
    return _Shapes(cells, dict(zip(values.to_pylist(), counts.to_pylist(), strict=True)))


def _numbers(shapes: _Shapes, mark: DecimalMark, *, units: bool) -> frozenset[str]:
    if len(shapes.counts) < MANY:
        return frozenset(shape for shape in shapes.counts if _is_number(shape, mark, units))
    distinct = pa.array(list(shapes.counts))
    pattern = (_WITH_UNIT if units else _NUMBER)[mark]
    return frozenset(distinct.filter(pc.match_substring_regex(distinct, pattern)).to_pylist())


@lru_cache(maxsize=4096)
def _is_number(shape: str, mark: DecimalMark, units: bool) -> bool:
    return _COMPILED[units][mark].match(shape) is not None


@lru_cache(maxsize=4096)
def _may_not_begin_with_zero(shape: str, units: bool) -> bool:
    """Whether the shape is a number under some mark only if its first digit is not 0."""
    zero = shape.replace("9", "0", 1)
    return any(_is_number(shape, mark, units) != _is_number(zero, mark, units) for mark in MARKS)


def parse(cells: Cells, mark: DecimalMark) -> Numbers:
    """Read a column under `mark`; see `Numbers`."""
    good, missing = cells.good(mark), cells.missing
    column = cells.column if good is None else pc.if_else(good, cells.column, None)
    plain = _plain(column, mark, cells.characters(mark))
    text = plain if missing is None else pc.if_else(missing, cells.column, plain)
    bad = pc.is_null(text) if text.null_count else None
    return Numbers(text, plain.cast(pa.float64()), bad)


def quick(column: Any, mark: DecimalMark) -> Any:
    """float64 of a column that serves as evidence only (a % sign is passed over); null if none.

    A cast of the whole column is several times faster than testing each cell's grammar first.
    """
    if has_byte(column, b"%"):
        column = pc.utf8_rtrim(column, characters="% \u00a0")
    try:
        return _unmarked(column, mark).cast(pa.float64())
    except pa.ArrowInvalid:
        return parse(look(column), mark).values


def _unmarked(cells: Any, mark: DecimalMark) -> Any:
    """Without thousands separators, with a dot as decimal mark."""
    thousands = "," if mark == "dot" else "."
    if has_byte(cells, thousands.encode()):
        cells = pc.replace_substring(cells, thousands, "")
    return pc.replace_substring(cells, ",", ".") if mark == "comma" else cells


def _plain(cells: Any, mark: DecimalMark, characters: frozenset[str]) -> Any:
    """Well-formed cells (or null), made of `characters`, as plain decimals with a dot."""
    thousands = "," if mark == "dot" else "."
    if thousands in characters:
        cells = pc.replace_substring(cells, thousands, "")
    if mark == "comma" and "," in characters:
        cells = pc.replace_substring(cells, ",", ".")
    if not characters.isdisjoint(SPACES):
        cells = pc.replace_substring_regex(cells, _SPACE, "")
    if "−" in characters:
        cells = pc.replace_substring(cells, "−", "-")
    if "+" in characters:
        cells = pc.replace_substring_regex(cells, r"^\+", "")
    return cells if characters.isdisjoint("eE") else _without_exponents(cells)


def _without_exponents(cells: Any) -> Any:
    """1.585e-05 becomes 0.00001585. Only such cells are touched one by one: no kernel does it."""
    mask = false_if_null(pc.match_substring(cells, "e", ignore_case=True))
    if not mask.true_count:
        return cells
    written = [format(Decimal(cell), "f") for cell in cells.filter(mask).to_pylist()]
    return pc.replace_with_mask(cells, mask, pa.array(written, pa.string()))
