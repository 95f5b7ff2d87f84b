"""Date notations: which ones a column can be written in, and the days under each reading.

Belongs here: turning a text column into day numbers, per candidate reading. Does not: choosing
between readings (series.py). A new notation is one row in `NOTATIONS`.
"""

import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .fixed import WIDTH, days_of, iso_text, uniform
from .gregorian import to_days
from .lookup import MONTH_NUMBERS, plain

EPOCH_EXCEL = -25569  # 1899-12-30, the day 0 of Excel serials, in days from 1970-01-01
EXCEL_DAYS = (35000, 75000)  # 1995..2105
UNIX_SECONDS = (1_230_000_000, 4_100_000_000)  # 2008-12..2099
SECONDS_PER_DAY = 86400.0
SAMPLE_SHARE = 0.4  # of very few rows the header is half

# A time of day, a zone: clock.py reads them.
_TIME = (
    r"(?:(?:[T ]|,\s*)\s*\d{1,2}(?::\d{2}){0,2}(?:[.,]\d+)?\s*(?:[AaPp]\.?[Mm]\.?)?"
    r"\s*(?:Z|[A-Z]{3,4})?(?:[+-]\d{2}(?::?\d{2})?)?(?:\s*\(.*\))?)?"
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
        r"(?P<a>\d{4}|\d{1,2})[-/.]\s?(?P<b>\d{1,2})[-/.]\s?(?P<c>\d{4}|\d{2})\.?",
        ("dmy", "mdy", "ymd"),
    ),
    Notation(
        "Mon DD, YYYY",
        rf"{_WEEKDAY}{_WORD}[\s./-]*(?P<d>\d{{1,2}})[\s.,/-]+(?P<y>\d{{4}}|\d{{2}})",
    ),
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
_MIXED_YEARS = NOTATIONS[2]  # of two or four digits, in one column too
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
    notation: Notation
    written: Any | None = None  # the days as ISO text, if the cells gave it at once


def notation_of(sample: list[str]) -> Notation | None:
    """The notation most of a column's cells are written in, judged by a spread sample of them.

    The first that fits all but a header, else that which fits most: years may have 2 or 4 digits.
    """
    sample = [cell for cell in sample if cell]
    if not sample:
        return None
    few = sample[:: max(1, len(sample) // 3)]
    if not any(map(_ANY.match, few)):
        return None
    best, most = None, SAMPLE_SHARE * len(sample)
    for notation, pattern in _COMPILED.items():
        if not any(map(pattern.match, few)):
            continue
        found = [match for cell in sample if (match := pattern.match(cell))]
        words = [m["m"] for m in found if "m" in m.re.groupindex and not m["m"].isdigit()]
        known = sum(month_number(word) is not None for word in words)
        fitting = len(found) - len(words) + known
        if fitting >= max(1, len(sample) - 1):
            return notation
        if fitting > most or (fitting == most and not best):
            best, most = notation, fitting
    return best


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
    if notation.fixed and len(column) > matched.true_count + 1:
        mixed = pc.match_substring_regex(column, _MIXED_YEARS.regex(timed=True))
        if mixed.true_count > matched.true_count + 1:
            return read_column(column, _MIXED_YEARS)
    if "n" in fields:
        days, name = _from_numbers(fields["n"], notation.name)
        return [Reading(name, "", days, matched, False, notation)]
    seen = column.filter(matched)
    example = seen[len(seen) // 2].as_py() if len(seen) else ""
    if "a" not in fields:
        day = _integers(fields["d"]) if "d" in fields else None
        days = to_days(_integers(fields["y"]), _months(fields["m"]), day)
        name = _label(notation.name, "ymd", example)
        return [Reading(name, "", days, matched, day is None, notation)]
    numbers = {slot: _integers(fields[slot]) for slot in "abc"}
    read = {
        order: to_days(*(numbers["abc"[order.index(part)]] for part in "ymd"))
        for order in notation.orders
    }
    fewest = min(days.null_count for days in read.values())
    return [
        Reading(_label(notation.name, order, example), order, days, matched, False, notation)
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
            readings.append(Reading(label, order, days, days.is_valid(), False, notation, text))
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
    if "Mon" in name and separator:
        name = name.replace(",", "").replace(" ", separator)
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


def _from_numbers(text: Any, name: str) -> tuple[Any, str]:
    if name == "Excel day":
        numbers = excel_days(text)
        return _within(pc.add(pc.floor(numbers), EPOCH_EXCEL), numbers, *EXCEL_DAYS), name
    seconds, units = unix_seconds(text)
    days = pc.floor(pc.divide(seconds, SECONDS_PER_DAY))
    return _within(days, seconds, *UNIX_SECONDS), f"{name} ({', '.join(units)})"


def excel_days(text: Any) -> Any:
    """Excel's serial numbers as float64: the day, and the time as a part of one."""
    return pc.replace_substring(text, ",", ".").cast(pa.float64())


def unix_seconds(text: Any) -> tuple[Any, list[str]]:
    """Unix times in s, ms, us or ns, also mixed, as seconds (float64); the units that occur."""
    low, units = UNIX_SECONDS[0], []
    numbers = seconds = text.cast(pa.float64())
    for power, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "us"), (1e9, "ns")):
        finer = pc.greater_equal(numbers, low * power)
        if pc.and_(finer, pc.less(numbers, low * power * 1e3)).true_count:
            units.append(unit)
            seconds = pc.if_else(finer, pc.divide(numbers, power), seconds)
    return seconds, units


def _within(days: Any, numbers: Any, low: float, high: float) -> Any:
    inside = pc.and_(pc.greater_equal(numbers, low), pc.less(numbers, high))
    return pc.if_else(inside, days, None).cast(pa.int32())
