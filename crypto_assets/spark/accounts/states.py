"""The fifty states and the capital's district: two letters, full names, other spellings.

Data only, and the one rule by which a spelling is compared: `SPELLINGS` holds every accepted one in
lower case with single spaces. Applying it to a table is silver's matter, guessing what a misspelt
state was meant to be is `profile`'s.
"""

from __future__ import annotations

_CAPITAL = "Washington, D.C."
_STATES = """
AL Alabama; AK Alaska; AZ Arizona; AR Arkansas; CA California; CO Colorado; CT Connecticut;
DC Washington, D.C.; DE Delaware; FL Florida; GA Georgia; HI Hawaii; ID Idaho; IL Illinois;
IN Indiana; IA Iowa; KS Kansas; KY Kentucky; LA Louisiana; ME Maine; MD Maryland; MA Massachusetts;
MI Michigan; MN Minnesota; MS Mississippi; MO Missouri; MT Montana; NE Nebraska; NV Nevada;
NH New Hampshire; NJ New Jersey; NM New Mexico; NY New York; NC North Carolina; ND North Dakota;
OH Ohio; OK Oklahoma; OR Oregon; PA Pennsylvania; RI Rhode Island; SC South Carolina;
SD South Dakota; TN Tennessee; TX Texas; UT Utah; VT Vermont; VA Virginia; WA Washington;
WV West Virginia; WI Wisconsin; WY Wyoming
"""

# Two letters -> full name.
STATES = dict(each.split(" ", 1) for each in " ".join(_STATES.split()).split("; "))

# Every accepted spelling, in lower case with single spaces -> full name.
SPELLINGS: dict[str, str] = {
    **{letters.lower(): name for letters, name in STATES.items()},
    **{name.lower(): name for name in STATES.values()},
    "d.c.": _CAPITAL,
    "district of columbia": _CAPITAL,
    "washington d.c.": _CAPITAL,
    "washington dc": _CAPITAL,
    "washington, dc": _CAPITAL,
}


def full_name(state: str | None) -> str | None:
    """The state's full name; None if this is no accepted spelling of one."""
    return SPELLINGS.get(" ".join((state or "").lower().split()))
