"""Places with daylight saving time, as far as it tells midnight there from other hours in UTC.

Belongs here: when clocks change, and whether times in UTC are midnight of one such place. Does not:
what follows for a row's day (days.py). After the IANA time zone database (2024a), from 2010 on; it
is not read itself, because not every machine has it and a reading must not depend on the machine.
"""

from bisect import bisect
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise

from .clock import DAY, HOUR
from .series import EPOCH_ORDINAL

FIRST_YEAR = 2010
LAST_YEAR = 2100

Window = tuple[tuple[int, int], tuple[int, int]]  # first and last possible (month, day)


@dataclass(frozen=True)
class Rule:
    """Clocks go forward within `on` and back within `off`; `standard`: hours east of UTC."""

    standard: tuple[float, ...]
    on: Window
    off: Window
    since: int = FIRST_YEAR
    until: int = LAST_YEAR  # the last year with an `on`
    saved: int = HOUR


RULES = (
    Rule((-3, -2, -1, 0, 1, 2), ((3, 23), (3, 31)), ((10, 24), (10, 31))),  # Europe, Near East
    Rule((2,), ((4, 24), (4, 30)), ((10, 25), (10, 31)), since=2023),  # Egypt
    Rule((3.5,), ((3, 20), (3, 23)), ((9, 19), (9, 22)), until=2022),  # Iran
    Rule(  # the United States, Canada, Cuba
        (-10, -9, -8, -7, -6, -5, -4, -3.5, -3), ((3, 8), (3, 14)), ((11, 1), (11, 7))
    ),
    Rule((-8, -7, -6), ((4, 1), (4, 7)), ((10, 25), (10, 31)), until=2022),  # Mexico
    Rule((-4, -3), ((10, 15), (11, 4)), ((2, 15), (2, 26)), until=2018),  # Brazil
    Rule((-4,), ((10, 1), (10, 7)), ((3, 22), (4, 14)), until=2023),  # Paraguay
    Rule((-3,), ((10, 1), (10, 7)), ((3, 8), (3, 14)), until=2014),  # Uruguay
    Rule((-6, -4), ((8, 9), (9, 11)), ((4, 2), (5, 15))),  # Chile
    Rule((1,), ((9, 1), (9, 7)), ((4, 1), (4, 7)), until=2016),  # Namibia
    Rule((9.5, 10), ((10, 1), (10, 7)), ((4, 1), (4, 7))),  # Australia
    Rule((11,), ((10, 1), (10, 7)), ((4, 1), (4, 7)), since=2019),  # Norfolk Island
    Rule((10.5,), ((10, 1), (10, 7)), ((4, 1), (4, 7)), saved=HOUR // 2),  # Lord Howe
    Rule((12, 12.75), ((9, 24), (9, 30)), ((4, 1), (4, 7))),  # New Zealand, Chatham
    Rule((12,), ((10, 20), (11, 14)), ((1, 12), (1, 24)), until=2019),  # Fiji
    Rule((13,), ((9, 24), (9, 30)), ((4, 1), (4, 7)), since=2012, until=2020),  # Samoa
)


def midnights(instants: list[int]) -> tuple[int, int] | None:
    """The minutes east of UTC, in winter and in summer, of the place where it is midnight.

    `instants`: minutes since 1970 in UTC, ascending, at two different times of day. None if no
    place changed its clocks when these do.
    """
    times = {instant % DAY for instant in instants}
    for rule in RULES:
        for hours in rule.standard:
            winter = int(hours * HOUR)
            summer = winter + rule.saved
            if times != {-winter % DAY, -summer % DAY}:
                continue
            saves = [(instant + summer) % DAY == 0 for instant in instants]
            days = [
                (instant + (summer if saved else winter)) // DAY
                for instant, saved in zip(instants, saves, strict=True)
            ]
            if _follows(rule, days, saves):
                return winter, summer
    return None


def _follows(rule: Rule, days: list[int], saves: list[bool]) -> bool:
    """Whether the clocks at midnight of these days are as the rule says.

    Within a window they change once at most, and to what follows it.
    """
    firsts, states = _calendar(rule)
    parts = [bisect(firsts, day) for day in days]
    if any(states[part] not in (None, saved) for part, saved in zip(parts, saves, strict=True)):
        return False
    return all(
        part != other or before == after or states[part + 1] == after
        for (part, before), (other, after) in pairwise(zip(parts, saves, strict=True))
    )


@cache
def _calendar(rule: Rule) -> tuple[list[int], list[bool | None]]:
    """The first days of the parts of all years, and whether clocks are forward in each.

    None: they may be, or not yet, or not any more. The first state is that before the first day.
    """
    firsts: list[int] = []
    states: list[bool | None] = [False]
    for year in range(rule.since, rule.until + 1):
        back = year if rule.off > rule.on else year + 1
        for which, (first, last), after in ((year, rule.on, True), (back, rule.off, False)):
            firsts += [_day(which, *first), _day(which, *last) + 1]
            states += [None, after]
    return firsts, states


def _day(year: int, month: int, day: int) -> int:
    return date(year, month, day).toordinal() - EPOCH_ORDINAL
