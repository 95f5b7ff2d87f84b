"""Number notations: decimal marks, thousands, units, the words for missing.

Belongs here: what a number cell can mean under a decimal mark. Does not: which mark the file has
(that takes the prices' own sense, see history.py) or whether a value is plausible.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .arrays import false_if_null, has_byte, only_bytes
from .model import DecimalMark

# ruff: noqa: RUF001 - dashes and spaces as they occur in files

MARKS: tuple[DecimalMark, DecimalMark] = ("dot", "comma")
MISSING = ",-,--,.,—,–,null,Null,NULL,N/A,n/a,#N/A,#N/D,#NV,NA,na,n.a.,n.d.,NaN,nan,NAN,None"
_MISSING = pa.array([*MISSING.split(","), "none"])  # the empty cell is one of them
CURRENCY = r"[$€£¥₹₿₩₽₫₺฿]|USDT?|EUR|GBP|R\$"
_SPACE = r"[ \x{00A0}\x{202F}\x{2009}'’]"
_GROUPS = r"[1-9]\d{{0,2}}(?:{t}\d{{3}})+|[1-9]\d?(?:{t}\d\d)+{t}\d{{3}}"


def _grammar(decimal: str, thousands: str) -> str:
    groups = "|".join(_GROUPS.format(t=t) for t in (thousands, _SPACE))
    return rf"(?:(?:\d+|{groups})(?:{decimal}\d*)?|{decimal}\d+)"


_GRAMMAR = {"dot": _grammar(r"\.", ","), "comma": _grammar(",", r"\.")}
_EXPONENT = r"(?:[eE][-+]?\d{1,2})?"
_UNIT = r"(?:%|[KMBTkmbt]|Mio\.?|Mrd\.?|тыс\.?|млн\.?|млрд\.?)?"
_NUMBER = {mark: rf"^[-+−]?{grammar}{_EXPONENT}$" for mark, grammar in _GRAMMAR.items()}
_WITH_UNIT = {mark: number[:-1] + rf"\s*{_UNIT}$" for mark, number in _NUMBER.items()}


@dataclass(frozen=True)
class Cells:
    """A trimmed text column and which of its cells are numbers under which decimal mark."""

    column: Any
    missing: Any
    good: dict[DecimalMark, Any]

    def only(self, mark: DecimalMark) -> int:
        """How many cells are numbers under `mark` and not under the other one."""
        other: DecimalMark = "comma" if mark == "dot" else "dot"
        return int(pc.and_not(self.good[mark], self.good[other]).true_count)

    def number_share(self) -> float:
        """Which part of the cells that are not missing are numbers under some mark."""
        present = len(self.column) - self.missing.true_count
        best = max(mask.true_count for mask in self.good.values())
        return best / present if present else 0.0


@dataclass(frozen=True)
class Numbers:
    """A column under one decimal mark.

    `text` is the normal form (plain decimal, or the missing word as uploaded; null where bad),
    `values` float64 (null where missing or bad), `bad` a mask.
    """

    text: Any
    values: Any
    bad: Any


def look(column: Any, *, units: bool = False) -> Cells:
    """Test every cell of `column`; `units` also allows %, K, M, B after the number."""
    missing = pc.is_in(column, value_set=_MISSING)
    cells = Cells(column, missing, _good(column, units=units))
    some = pc.or_(pc.or_(cells.good["dot"], cells.good["comma"]), missing)
    if some.true_count < len(some) and pc.match_substring_regex(column, CURRENCY).true_count:
        column = pc.utf8_trim_whitespace(pc.replace_substring_regex(column, CURRENCY, ""))
        return Cells(column, missing, _good(column, units=units))
    return cells


def _good(column: Any, *, units: bool) -> dict[DecimalMark, Any]:
    patterns = _WITH_UNIT if units else _NUMBER
    return {mark: pc.match_substring_regex(column, patterns[mark]) for mark in MARKS}


def parse(cells: Cells, mark: DecimalMark) -> Numbers:
    """Read a column under `mark`; see `Numbers`."""
    good = cells.good[mark]
    column = cells.column
    if good.true_count < len(good):
        column = pc.if_else(pc.and_not(good, cells.missing), column, None)
    plain = _plain(column, mark)
    bad = pc.invert(pc.or_(good, cells.missing))
    text = pc.if_else(cells.missing, cells.column, plain) if cells.missing.true_count else plain
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


def _plain(cells: Any, mark: DecimalMark) -> Any:
    """Well-formed cells (or null) as plain decimals with a dot."""
    cells = _unmarked(cells, mark)
    if not only_bytes(cells, b"0123456789.-"):
        cells = pc.replace_substring_regex(cells, _SPACE, "")
        cells = pc.replace_substring(cells, "−", "-")
        cells = _without_exponents(pc.replace_substring_regex(cells, r"^\+", ""))
    return cells


def _without_exponents(cells: Any) -> Any:
    """1.585e-05 becomes 0.00001585. Only such cells are touched one by one: no kernel does it."""
    mask = false_if_null(pc.match_substring(cells, "e", ignore_case=True))
    if not mask.true_count:
        return cells
    written = [format(Decimal(cell), "f") for cell in cells.filter(mask).to_pylist()]
    return pc.replace_with_mask(cells, mask, pa.array(written, pa.string()))
