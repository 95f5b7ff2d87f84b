"""Date notations: which ones a column can be written in, and the days under each reading.

Belongs here: turning a text column into day numbers, per candidate reading. Does not: choosing
between readings (series.py). A new notation is one row in `NOTATIONS`.
"""

import calendar
import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .fixed import WIDTH, days_of, iso_text, uniform
from .lookup import MONTH_NUMBERS, plain

FIRST_YEAR, LAST_YEAR = 1995, 2100
EPOCH_EXCEL = -25569  # 1899-12-30, the day 0 of Excel serials, in days from 1970-01-01
EXCEL_DAYS = (35000, 75000)  # 1995..2105
UNIX_SECONDS = (1_230_000_000, 4_100_000_000)  # 2008-12..2099
CENTURY = 100
MONTHS_PER_YEAR = 12
SECONDS_PER_DAY = 86400.0
SAMPLE_SHARE = 0.4  # of very few rows the header is half

# A time of day, a zone: accepted and not used, since a day is a day.
_TIME = (
    r"(?:(?:[T ]|,\s*)\s*\d{1,2}(?::\d{2}){0,2}(?:[.,]\d+)?\s*(?:[AaPp]\.?[Mm]\.?)?"
    r"\s*(?:Z|[A-Z]{3,4})?(?:[+-]\d{2}:?\d{2})?(?:\s*\(.*\))?)?"
)
_WORD = r"(?P<m>[^\d\s.,/()\[\]-]{3,})\.?"
_WEEKDAY = r"(?:[^\d\s.,]+[.,]?\s+)?"
_OF = r"(?:de\s+|del\s+)?"


@dataclass(frozen=True)
class Notation:
    """One way to write a date: a pattern with the groups a, b, c or y, m, d, and its orders."""

    name: str
    pattern: str
    orders: tuple[str, ...] = ("ymd",)
    fixed: tuple[str, tuple[tuple[int, int], ...]] | None = None  # the usual form, and its slices

    def regex(self, *, timed: bool) -> str:
        """The whole cell; without `timed` a time of day does not match, which is quicker."""
        return f"^{self.pattern}{_TIME if timed else ''}$"


NOTATIONS = (
    Notation(
        "YYYY{s}MM{s}DD",
        r"(?P<a>\d{4})[-/.]\s?(?P<b>\d{1,2})[-/.]\s?(?P<c>\d{1,2})\.?",
        fixed=(r"\d{4}[-/.]\d\d[-/.]\d\d", ((0, 4), (5, 7), (8, 10))),
    ),
    Notation(
        "{1}{s}{2}{s}YYYY",
        r"(?P<a>\d{1,2})[-/.]\s?(?P<b>\d{1,2})[-/.]\s?(?P<c>\d{4})\.?",
        ("dmy", "mdy"),
        fixed=(r"\d\d[-/.]\d\d[-/.]\d{4}", ((0, 2), (3, 5), (6, 10))),
    ),
    Notation(
        "{1}{s}{2}{s}{3}",
        r"(?P<a>\d{1,2})[-/.]\s?(?P<b>\d{1,2})[-/.]\s?(?P<c>\d{2})\.?",
        ("dmy", "mdy", "ymd"),
    ),
    Notation("Mon DD, YYYY", rf"{_WEEKDAY}{_WORD}\s+(?P<d>\d{{1,2}})\.?,?\s+(?P<y>\d{{4}})"),
    Notation(
        "DD Mon YYYY",
        rf"{_WEEKDAY}(?P<d>\d{{1,2}})\.?[\s/-]*{_OF}{_WORD},?[\s/-]*{_OF}(?P<y>\d{{4}}|\d{{2}})\.?",
    ),
    Notation("YYYY Mon DD", rf"(?P<y>\d{{4}})[\s/.-]+{_WORD}[\s/-]+(?P<d>\d{{1,2}})"),
    Notation(
        "YYYY年M月D日",
        r"(?P<y>\d{4})\s*[年년]\s*(?P<m>\d{1,2})\s*[月월]\s*(?P<d>\d{1,2})\s*[日일]?",
    ),
    Notation("YYYY年M月", r"(?P<y>\d{4})\s*[年년]\s*(?P<m>\d{1,2})\s*[月월]"),
    Notation("YYYY{s}MM", r"(?P<y>\d{4})[-/](?P<m>\d{1,2})"),
    Notation("MM{s}YYYY", r"(?P<m>\d{1,2})[-/](?P<y>\d{4})"),
    Notation("Mon YYYY", rf"{_WORD}[\s-]+{_OF}(?P<y>\d{{4}}|\d{{2}})"),
    Notation("YYYYMMDD", r"(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>[0-3]\d)"),
    Notation("Excel day", r"(?P<n>[3-7]\d{4}(?:[.,]\d+)?)"),
    Notation("Unix time", r"(?P<n>[1-3]\d{9}(?:\.\d+)?|[1-3]\d{12}|[1-3]\d{15}|[1-3]\d{18})"),
)
_COMPILED = {notation: re.compile(notation.regex(timed=True), re.ASCII) for notation in NOTATIONS}
_FIXED = {each: re.compile(each.fixed[0], re.ASCII) for each in NOTATIONS if each.fixed}
_ANY = re.compile(
    "|".join(re.sub(r"\?P<\w>", "?:", each.regex(timed=True)) for each in NOTATIONS), re.ASCII
)


@dataclass(frozen=True)
class Reading:
    """A column read one way: `days` int32 since 1970 (null where invalid), over the body lines."""

    name: str
    order: str
    days: Any
    matched: Any  # bool: the cell is written in this notation, valid or not
    monthly: bool  # the notation names months, not days
    written: Any | None = None  # the days as ISO text, if the cells gave it at once


def notation_of(sample: list[str]) -> Notation | None:
    """The notation most of a column's cells are written in, judged by a spread sample of them."""
    sample = [cell for cell in sample if cell]
    if not sample:
        return None
    few = sample[:: max(1, len(sample) // 3)]
    if not any(map(_ANY.match, few)):
        return None
    for notation, pattern in _COMPILED.items():
        if not any(map(pattern.match, few)):
            continue
        found = [match for cell in sample if (match := pattern.match(cell))]
        words = [m["m"] for m in found if "m" in m.re.groupindex and not m["m"].isdigit()]
        known = sum(month_number(word) is not None for word in words)
        if len(found) - len(words) + known >= SAMPLE_SHARE * len(sample):
            return notation
    return None


def month_number(word: str) -> int | None:
    """1..12 for a month's name or its beginning in any known language."""
    word = plain(word)
    return MONTH_NUMBERS.get(word) or MONTH_NUMBERS.get(word[:4]) or MONTH_NUMBERS.get(word[:3])


def read_column(column: Any, notation: Notation) -> list[Reading]:
    """The readings of `column` in `notation`: one, or one per order of day and month.

    Orders under which more days are impossible than under another are left out at once.
    """
    if quick := _read_uniform(column, notation):
        return quick
    matched, fields = _parts(column, notation)
    if "n" in fields:
        days, name = _from_numbers(fields["n"], notation.name)
        return [Reading(name, "", days, matched, monthly=False)]
    seen = column.filter(matched)
    example = seen[len(seen) // 2].as_py() if len(seen) else ""
    if "a" not in fields:
        day = _integers(fields["d"]) if "d" in fields else None
        days = to_days(_integers(fields["y"]), _months(fields["m"]), day)
        return [Reading(_label(notation.name, "ymd", example), "", days, matched, day is None)]
    numbers = {slot: _integers(fields[slot]) for slot in "abc"}
    read = {
        order: to_days(*(numbers["abc"[order.index(part)]] for part in "ymd"))
        for order in notation.orders
    }
    fewest = min(days.null_count for days in read.values())
    return [
        Reading(_label(notation.name, order, example), order, days, matched, monthly=False)
        for order, days in read.items()
        if days.null_count == fewest
    ]


def _read_uniform(column: Any, notation: Notation) -> list[Reading]:
    """The readings of a column in its notation's fixed form throughout, but perhaps a header.

    Empty if it is not so: then the patterns must tell. A reading under which all days exist
    leaves another one only if that has no impossible month, and then all days exist there too.
    """
    if not notation.fixed or not len(column):
        return []
    header = column[0].as_py()
    skip = 0 if _FIXED[notation].match(header) else 1
    cells = column.slice(skip)
    if not (found := uniform(cells)) or not _may_stand(cells, notation, header if skip else ""):
        return []
    readings = []
    for order in notation.orders:
        slots = dict(zip(order, notation.fixed[1], strict=True))
        text: Any = iso_text(*found, slots)
        days = None if text is None else days_of(text)
        if days is not None:
            label = _label(notation.name, order, cells[len(cells) // 2].as_py())
            if skip:
                days, text = (pa.concat_arrays([pa.nulls(1, x.type), x]) for x in (days, text))
            readings.append(Reading(label, order, days, days.is_valid(), False, text))
    return readings


def _may_stand(cells: Any, notation: Notation, header: str) -> bool:
    """Whether `_parts` would match these cells, equal after the day, and not the header."""
    first = cells[0].as_py()
    if not _FIXED[notation].match(first):
        return False
    tail = first[WIDTH:]
    if not tail:
        return True
    timed = (":" in tail or "T" in tail) and tail.isprintable() and len(cells) > 1
    pattern = _COMPILED[notation]
    return bool(timed and pattern.match(first) and not pattern.match(header))


def _parts(column: Any, notation: Notation) -> tuple[Any, dict[str, Any]]:
    """Which cells are written in `notation`, and the texts of its groups."""
    if notation.fixed:
        matched = pc.match_substring_regex(column, f"^{notation.fixed[0]}$")
        if matched.true_count >= len(column) - 1:  # all but the header: slices are much quicker
            cells = (
                column if matched.true_count == len(column) else pc.if_else(matched, column, None)
            )
            return matched, {
                group: pc.utf8_slice_codeunits(cells, *notation.fixed[1][i])
                for i, group in enumerate("abc")
            }
    timed = any(pc.match_substring(column, mark).true_count for mark in (":", "T"))
    parts = pc.extract_regex(column, notation.regex(timed=timed))
    names = (field.name for field in parts.type)
    return parts.is_valid(), dict(zip(names, parts.flatten(), strict=True))


def _label(name: str, order: str, example: str) -> str:
    """The notation's name as a person writes it: DD.MM.YYYY."""
    separator = next((c for c in example if c in "-/."), "")
    short = not re.search(r"\d{4}", re.split(r"[ T]\d+:", example)[0])
    slots = {"d": "DD", "m": "MM", "y": "YY" if short else "YYYY"}
    name = name.replace("{s}", separator)
    for index, letter in enumerate(order, 1):
        name = name.replace(f"{{{index}}}", slots[letter])
    if name == "DD Mon YYYY" and separator:
        name = name.replace(" ", separator)
    return name.replace("YYYY", "YY") if short and name != "YYYYMMDD" else name


def _integers(text: Any) -> Any:
    return text.cast(pa.int32())


def _months(text: Any) -> Any:
    """Month numbers from digits or words; an unknown word gives null."""
    if pc.all(pc.utf8_is_decimal(text)).as_py():
        return _integers(text)
    words = pc.unique(text.drop_null())
    numbers = pa.array(
        [int(w) if w.isdigit() else month_number(w) for w in words.to_pylist()], pa.int32()
    )
    return pc.take(numbers, pc.index_in(text, value_set=words))


def _calendar() -> tuple[Any, Any]:
    """First day (since 1970-01-01) and length of each month from FIRST_YEAR on."""
    firsts, lengths, day = [], [], (FIRST_YEAR - 1970) * 365 + (FIRST_YEAR - 1969) // 4
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        for month in range(1, 13):
            length = calendar.monthrange(year, month)[1]
            firsts.append(day)
            lengths.append(length)
            day += length
    return pa.array(firsts, pa.int32()), pa.array(lengths, pa.int32())


_FIRSTS, _LENGTHS = _calendar()


def to_days(year: Any, month: Any, day: Any | None) -> Any:
    """Days since 1970; null where there is no such day. Two-digit years are 20yy."""
    if _ends(year)[0] < CENTURY:
        year = pc.if_else(pc.less(year, CENTURY), pc.add(year, 2000), year)
    year = _inside(year, FIRST_YEAR, LAST_YEAR)
    first = _month_slot(year, _inside(month, 1, MONTHS_PER_YEAR))
    if day is None:
        return pc.take(_FIRSTS, first)
    exists = pc.and_(pc.greater_equal(day, 1), pc.less_equal(day, pc.take(_LENGTHS, first)))
    days = pc.subtract(pc.add(pc.take(_FIRSTS, first), day), 1)
    days = days if exists.true_count == len(days) else pc.if_else(exists, days, None)
    return days.cast(pa.int32())


def _swapped() -> Any:
    """For each day from FIRST_YEAR on the one with day and month swapped; itself if there is none.

    A day above 12 is no month, so it stays.
    """
    days = pa.array(
        range(_FIRSTS[0].as_py(), _FIRSTS[-1].as_py() + _LENGTHS[-1].as_py()), pa.int32()
    )
    dates = days.cast(pa.date32())
    year, month, day = (part(dates).cast(pa.int32()) for part in (pc.year, pc.month, pc.day))
    movable = pc.less_equal(day, MONTHS_PER_YEAR)
    slot = _month_slot(year, pc.if_else(movable, day, 1))
    return pc.if_else(movable, pc.subtract(pc.add(pc.take(_FIRSTS, slot), month), 1), days)


def swap_day_and_month(days: Any) -> tuple[Any, int]:
    """Days since 1970 with day and month swapped where both are 12 or less; how many moved."""
    swapped = _SWAPPED.take(pc.subtract(days, _FIRSTS[0]))
    return swapped, pc.not_equal(swapped, days).true_count


def _month_slot(year: Any, month: Any) -> Any:
    return pc.subtract(pc.add(pc.multiply(year, 12), month), FIRST_YEAR * 12 + 1)


_SWAPPED = _swapped()


def _ends(numbers: Any) -> tuple[int, int]:
    ends = pc.min_max(numbers).as_py()
    return ends["min"] or 0, ends["max"] or 0


def _inside(numbers: Any, low: int, high: int) -> Any:
    """The numbers, with null for those outside low..high; mostly there are none."""
    least, most = _ends(numbers)
    if low <= least and most <= high:
        return numbers
    fits = pc.and_(pc.greater_equal(numbers, low), pc.less_equal(numbers, high))
    return pc.if_else(fits, numbers, None)


def _from_numbers(text: Any, name: str) -> tuple[Any, str]:
    numbers = pc.replace_substring(text, ",", ".").cast(pa.float64())
    if name == "Excel day":
        low, high = EXCEL_DAYS
        days = pc.add(pc.floor(numbers), EPOCH_EXCEL)
        return _within(days, numbers, low, high), name
    low, high = UNIX_SECONDS
    seconds, units = numbers, []
    for power, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "us"), (1e9, "ns")):
        finer = pc.greater_equal(numbers, low * power)
        if pc.and_(finer, pc.less(numbers, low * power * 1e3)).true_count:
            units.append(unit)
            seconds = pc.if_else(finer, pc.divide(numbers, power), seconds)
    days = pc.floor(pc.divide(seconds, SECONDS_PER_DAY))
    return _within(days, seconds, low, high), f"{name} ({', '.join(units)})"


def _within(days: Any, numbers: Any, low: float, high: float) -> Any:
    inside = pc.and_(pc.greater_equal(numbers, low), pc.less(numbers, high))
    return pc.if_else(inside, days, None).cast(pa.int32())
