"""The scale of a trend: Google's own is 0 to 100 in whole numbers, and `<1`.

Belongs here: values held against the scale and against their neighbours. Does not: which column is
the trend (trend.py), what is a number (numbers.py).
"""

from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from . import refusals
from .arrays import floats, has_byte
from .sanity import flag_rows
from .series import iso
from .values import Values

FULL = 100  # Google's highest value
OWN_SCALE = ("google-trends", "pytrends")  # sources that give Google's own
BELOW_ONE = r"^<[\s\p{Z}\p{Cf}]*1$"  # with any kind of blank
COMPUTED_SHARE = 0.5  # so many values are not like Google's where someone computed them
MAX_FEW, MAX_FEW_SHARE = 12, 0.02
MAX_SMALL = 5
ODD = 5.0  # a value so many times its neighbours
ODD_POINTS = 5.0  # and so far from them
LARGE = 10.0  # nothing below 1 stands beside it
RUN = 8  # as many at most
PAIR = 2  # steps that leave no doubt
SHOWN = 20
Read = list[float | None]  # a value per row
Known = list[tuple[int, float]]  # the rows that have one


def without_less(column: Any) -> Any:
    """`<1` as 1; `with_less` puts the sign back."""
    return pc.replace_substring_regex(column, BELOW_ONE, "1") if has_byte(column, b"<") else column


def with_less(text: Any, uploaded: Any) -> tuple[Any, int]:
    """Values in normal form, with `<1` where that was uploaded, and how many those are."""
    if not has_byte(uploaded, b"<"):
        return text, 0
    mask = pc.match_substring_regex(uploaded, BELOW_ONE)
    return pc.if_else(mask, "<1", text), int(mask.true_count)


def check(values: Values, lines: Any, cells: Any, numbers: Any) -> None:
    """Make values bad lines that are not on the scale, and remark what is odd.

    `numbers`: the values as float64, null where missing, one per row like `lines` and `cells`.
    """
    found = floats(numbers)
    found = found[~np.isnan(found)]
    steps = _steps(found)
    marked = has_byte(cells, b".", b",")
    if not (steps or marked) and found.max(initial=0.0) <= FULL:
        return
    read: Read = numbers.to_pylist()
    known = [(row, value) for row, value in enumerate(read) if value is not None]
    above = [row for row, value in known if value > FULL]
    broken = _broken(known) if marked else []
    computed = _computed(cells, len(above) + len(broken), len(known)) if above or broken else False
    if not computed and values.source in OWN_SCALE:
        flag_rows(values, lines, cells, above, refusals.ABOVE_SCALE)
        flag_rows(values, lines, cells, broken, refusals.NOT_WHOLE)
    else:
        if above:
            where = "" if computed else f": {_listed(values, read, above)}"
            values.notes.append(f"values above 100, a rescaled series or a search volume{where}")
        if 0 < len(broken) <= _few(len(known)):
            values.notes.append(f"values not whole: {_listed(values, read, broken)}")
    odd = [known[at][0] for at in _odd(steps, len(known))]
    if len(odd) > _few(len(known)):
        first, last = (iso(values.series.days[row].as_py()) for row in (odd[0], odd[-1]))
        values.notes.append(
            f"{len(odd)} values from {first} to {last} are {ODD:.0f} times off those around them"
        )
    elif odd:
        listed = _listed(values, read, odd)
        values.notes.append(f"values {ODD:.0f} times off those around them: {listed}")


def _broken(known: Known) -> list[int]:
    """The values that are not whole.

    Some write 0.5 for `<1`: those do not count, but for a few that stand beside large ones.
    """
    broken = [row for row, value in known if value > 1 and value != int(value)]
    small = [at for at, (_, value) in enumerate(known) if 0 < value < 1]
    if len(small) > MAX_SMALL:
        return broken
    beside = (max(value for _, value in known[max(0, at - 1) : at + 2]) for at in small)
    found = (known[at][0] for at, most in zip(small, beside, strict=True) if most >= LARGE)
    return sorted([*broken, *found])


def _computed(cells: Any, off: int, count: int) -> bool:
    """Whether someone computed the values: Google writes whole numbers of at most 100."""
    marked = pc.match_substring_regex(cells, "[.,]").true_count
    return bool(off >= COMPUTED_SHARE * count or marked >= COMPUTED_SHARE * len(cells))


def _few(count: int) -> float:
    return max(MAX_FEW, MAX_FEW_SHARE * count)


def _steps(known: NDArray[np.float64]) -> list[tuple[int, bool]]:
    """The positions of values that the next one is far off, and whether that one is higher."""
    sizes = np.maximum(known, 1.0)
    before, after = sizes[:-1], sizes[1:]
    with np.errstate(all="ignore"):
        near = (before / ODD < after) & (after < before * ODD)
        far = np.flatnonzero(~near & (abs(after - before) >= ODD_POINTS))
    return list(zip(far.tolist(), (after > before)[far].tolist(), strict=True))


def _odd(steps: list[tuple[int, bool]], count: int) -> list[int]:
    """The positions of values far off those around them, of so many.

    A few between a step up and one down (or the other way round), or at an end. Where it is not
    certain which of them are off, all that may be.
    """
    odd: set[int] = set()
    for chain in _chains(steps):
        first, last = chain[0], chain[-1]
        odd.update(range(first + 1, last + 1))
        around = first + count - last
        if len(chain) != PAIR or around <= last - first:
            odd.update(range(first + 1) if first < RUN else ())
            odd.update(range(last + 1, count) if count - last - 1 <= RUN else ())
    return sorted(odd)


def _chains(steps: list[tuple[int, bool]]) -> list[list[int]]:
    """The positions of steps up and down in turn, each near the one before it."""
    chains: list[list[int]] = []
    before: tuple[int, bool] | None = None
    for at, up in steps:
        if before and before[1] != up and at - before[0] <= RUN:
            chains[-1].append(at)
        else:
            chains.append([at])
        before = at, up
    return chains


def _listed(values: Values, read: Read, rows: list[int]) -> str:
    shown = (f"{read[row]:g} of {iso(values.series.days[row].as_py())}" for row in rows[:SHOWN])
    return ", ".join(shown) + (f", and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
