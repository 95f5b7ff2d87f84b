"""Every reason of the reader's table is produced by a file, and says what it is and what to do."""

import re
from datetime import date, timedelta

import pytest

from crypto_assets.spark.exports.refusals import LINE_SHOWN, REASONS, Reason, shown

from .dialects import Dialect, market, write_history
from .helpers import problems, read, refusal

DAYS = [f"2024-01-{day:02}" for day in range(1, 32)]
GOOD = b"Date,Close\n2024-01-01,1.5\n2024-01-02,1.25\n2024-01-03,1.5\n"
YEAR = market(days=60)
SWAPPED = [
    f"2024-{d.day:02}-{d.month:02},{100 + i}.5" if d.day <= 12 else f"{d},{100 + i}.5"
    for i, d in enumerate(date(2024, 1, 1) + timedelta(i) for i in range(200))
]
US = '"Date","Price","Open","High","Low","Vol.","Change %"\n'


def daily(header: str, *values: object, days: list[str] = DAYS) -> str:
    """A line for each value, from the first of January on."""
    rows = (f"{day},{value}\n" for day, value in zip(days, values, strict=False))
    return f"{header}\n" + "".join(rows)


def changed(lines: dict[int, str], header: str = "Date,Close") -> str:
    """Thirty days at 1.5, with some lines (1-based) instead."""
    plain = daily(header, *["1.5"] * 30).splitlines()
    return "\n".join(lines.get(i, line) for i, line in enumerate(plain, 1)) + "\n"


FILES: dict[str, tuple[str | bytes, dict[str, object]]] = {
    "EMPTY": (b"", {}),
    "NOT_CSV": (b"%PDF-1.7", {}),
    "DAMAGED": (GOOD + b"2024-01-04,\x001.5\n", {}),
    "BROKEN_CHARACTER": (GOOD + b"2024-01-04,\xed\xa0\x80\n", {}),
    "LONG_LINE": (GOOD + b"9" * 60_000, {}),
    "TOO_LARGE": (b"Date,Close\n" + b"2024-01-02 10:30,1.5\n" * 100_001, {}),
    "NO_TABLE": (b"hello\n", {}),
    "TOO_WIDE": (b"1," * 300 + b"1\n" + GOOD, {}),
    "OPEN_QUOTES": (b"Date,Close\n" + b'2024-01-01,"1.5\n' * 3000, {}),
    "HEADER_LENGTH": (daily("No,Date,Close,Volume", *["1.5,7"] * 5), {}),
    "LACKING_CELLS": (daily("Date,Foo,Close,Volume", *["1.5,7"] * 5), {}),
    "MANY_LINES_AROUND": ("a,b\n" * 201 + daily("Date,Close", *["1.5"] * 31) * 7, {}),
    "NO_DATES": ("Foo,Close\nx,1.5\ny,1.5\n", {}),
    "NO_PRICE_COLUMN": (daily("Date,Volume", 1.5, 2.5), {}),
    "SEVERAL_PRICES": (daily("Date,price_eur,price_usd", "1.5,2.5", "1.5,2.5"), {}),
    "NO_SUCH_COLUMN": (daily("Date,Close", 1.5, 2.5), {"price": "Clo"}),
    "SAME_NAMES": (daily("Date,Foo,Foo", "1.5,2.5", "1.5,2.5"), {"price": "Foo"}),
    "UNUSABLE_COLUMN": (daily("Date,Close", 1.5, 2.5), {"price": "1"}),
    "NO_TREND_COLUMN": (daily("Date,transactions", 1, 2), {"kind": "trend"}),
    "SEVERAL_TERMS": (daily("Week,a: (US),b: (US)", "1,2", "3,4"), {}),
    "NO_VALUES": (daily("Date,Close", "x", "y"), {}),
    "STACKED": (daily("Date,Symbol,Close", "BTC,1.5", "ETH,2.5"), {}),
    "TREND_NOT_HISTORY": (daily("Day,a: (US)", 1, 100), {"kind": "history"}),
    "HISTORY_NOT_TREND": (daily("Date,Close", 1.5, 2.5), {"kind": "trend"}),
    "BAD_LINES": (daily("Date,Close", *["x"] * 20, *["1.5"] * 10), {}),
    "NO_LINE": ("Date,Open,High,Low,Close\n2024-01-13,1.0,1.2,0.9,9.5\n", {}),
    "ALL_FUTURE": ("Date,Close\n2094-01-13,1\n2094-01-14,1\n", {}),
    "DATE_ORDER": ("Date,Close\n03/12/2024,1.5\n03/11/2024,1.25\n", {}),
    "DAILY_DATES": (
        b"Date,Close\n"
        + b"".join(b"%d-01-13,1.5\n%d-01-14,1.5\n" % (y, y) for y in [2000] * 51_000),
        {},
    ),
    "SEVERAL_A_DAY": ("Date,Close\n" + "2024-01-13,1.5\n" * 20, {}),
    "NOT_DAILY": ("Date,Close\n2024-01-07,1.5\n2024-01-14,1.5\n2024-01-21,1.5\n", {}),
    "HOURLY_TREND": ("Time,a: (US)\n" + "".join(f"2024-01-13T{h:02},7\n" for h in range(24)), {}),
    "TREND_PACE": ("Week,a: (US)\n2024-01-07,1\n2024-02-15,2\n2024-03-29,3\n", {}),
    "TIME_OF_DAY": (daily("Date,Close", *["1.5"] * 5, days=[f"{d} 16:00:00" for d in DAYS]), {}),
    "TIMES_OF_DAY": (
        daily("Date,Close", *["1.5"] * 9, days=[f"{d} {i}:30:00" for i, d in enumerate(DAYS, 10)]),
        {},
    ),
    "SEVERAL_VALUES": (changed({9: "2024-01-07,1.25"}), {}),
    "MANY_TWICE": (daily("Date,Close", *["1.5"] * 20) + daily("", *["9.5"] * 20)[1:], {}),
    "ONLY_CUT": ('Date,Close\n2024-01-13,"1', {}),
    "PRICE_MARK": ("Date;Close\n2024-01-01;150,800\n2024-01-02;151,200\n", {}),
    "BOTH_MARKS": ('Date,Close\n2024-01-01,"1.234,5"\n2024-01-02,"1,234.5"\n', {}),
    "MARK_DENIED": (
        "Date;Close\n"
        + "".join(f"{d};{p}\n" for d, p in zip(DAYS, ["999", "1.001"] * 9, strict=False))
        + "2024-01-19;99.5\n2024-01-20;99.5\n2024-01-21;99.5\n2024-01-22;99.5\n2024-01-23;99.5\n",
        {},
    ),
    "LOST_DECIMALS": (US + '"01/14/2024","6501","6401","6601","6301","1K","0%"\n' * 1, {}),
    "TREND_MARK": (daily("Week,Absolute Google Search Volume", '"12,345"', '"13,456"'), {}),
    "JUMPS": (daily("Date,Close", *[1.5, 1.5, 1.5, 9.5, 9.5] * 4), {}),
    "NO_ORDER": (
        daily("Date,Close", *(100 + i for i in range(30)), days=DAYS[::2] + DAYS[1::2][::-1]),
        {},
    ),
    "SWAPPED_DATES": ("Date,Close\n" + "\n".join(SWAPPED) + "\n", {}),
    "OUTSIDE": (daily("Date,Open,High,Low,Close", *["1.0,1.2,0.9,1.5"] * 9), {}),
    "CROSSED": (daily("Date,High,Low,Close", *["1.0,1.2,0.9"] * 9), {}),
    "CONTRADICTED": (daily("Date,Price,Change %", *[f"{100 + i % 3},7%" for i in range(30)]), {}),
}
LINES: dict[str, tuple[str | bytes, dict[str, object]]] = {
    "CELLS": (changed({9: "2024-01-08,1.5,7"}), {}),
    "UNREADABLE_DATE": (changed({}) + "2024-01-3\n", {}),
    "NO_DATE": (changed({9: ",1.5"}), {}),
    "NO_SUCH_DATE": (changed({9: "2024-02-30,1.5"}), {}),
    "FUTURE": (changed({31: "2094-01-13,1.5"}), {}),
    "CUT": (changed({}) + "2024-01-31,1", {}),
    "NO_SECOND_VALUE": (changed({9: "2024-01-07,null"}), {}),
    "NOT_OVER": (
        daily("Date,Close", *["1.5"] * 9, days=[f"{day} 00:00:00" for day in DAYS])
        + "2024-01-09 13:54:00,1.75\n",
        {},
    ),
    "NOT_CHOSEN": (changed({9: "2024-01-07,1.25"}), {"duplicates": "first"}),
    "NOT_A_PRICE": (changed({9: "2024-01-08,x"}), {}),
    "NEGATIVE_PRICE": (changed({9: "2024-01-08,-2.5"}), {}),
    "NOT_A_TREND": (changed({9: "2024-01-08,x"}, "Day,a: (US)").replace("1.5", "7"), {}),
    "NEGATIVE_TREND": (changed({9: "2024-01-08,-2"}, "Day,a: (US)").replace("1.5", "7"), {}),
    "ABOVE_SCALE": (changed({9: "2024-01-08,140"}, "Day,a: (US)").replace("1.5", "7"), {}),
    "NOT_WHOLE": (changed({9: "2024-01-08,7.25"}, "Day,a: (US)").replace("1.5", "7"), {}),
    "OUTLIER": (changed({9: "2024-01-08,900.5"}), {}),
    "STRAY_DATE": (changed({9: "2022-01-08,1.5"}), {}),
    "FAR_OUTSIDE": (
        write_history(
            [
                *YEAR[:30],
                type(YEAR[0])(**{**vars(YEAR[30]), "close": YEAR[30].high * 3}),
                *YEAR[31:],
            ],
            Dialect(layout="bars"),
        ),
        {},
    ),
}
WITHOUT_A_LINE = {"EMPTY", "NOT_CSV", "TOO_LARGE"}


def pattern(reason: Reason) -> str:
    """What the reason's text looks like, whatever its facts are."""
    text = f"{reason.says}; {reason.cure}" if reason.cure else reason.says
    return re.sub(r"\\\{.*?\\\}", ".*?", re.escape(text))


def test_the_table_has_a_file_for_every_reason() -> None:
    assert set(FILES) | set(LINES) == set(REASONS)
    assert not set(FILES) & set(LINES)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_refused_for_its_reason_and_the_line_is_shown(name: str) -> None:
    content, options = FILES[name]
    text = refusal(content, **options)
    assert re.search(pattern(REASONS[name]), text), text
    assert name in WITHOUT_A_LINE or re.search(r"\(line [\d,]+: .*\)", text), text


@pytest.mark.parametrize("name", LINES)
def test_a_line_is_bad_or_left_out_for_its_reason(name: str) -> None:
    content, options = LINES[name]
    texts = list(problems(read(content, **options)).values())
    assert any(re.fullmatch(pattern(REASONS[name]), text) for text in texts), texts


def test_a_file_that_is_refused_says_what_to_change() -> None:
    assert [name for name in FILES if not REASONS[name].cure] == []


def test_a_line_is_shown_as_it_stands_but_for_control_characters_and_its_length() -> None:
    assert shown("2024-01-01;1\u00a0500,5;Żółć") == "2024-01-01;1\u00a0500,5;Żółć"
    assert shown("a\tb\x1b[31m\u202ec") == "a\\tb\\u001b[31m\\u202ec"
    assert shown("9" * 500) == "9" * (LINE_SHOWN - 1) + "…"
    reason = refusal("Foo,Bar\n\x1b]0;x\x07,{braces}\n")
    assert reason.endswith("(line 1: Foo,Bar)")
    assert "(line 1: \\u001b]0;x\\u0007,{braces})" in refusal("\x1b]0;x\x07,{braces}\nFoo,Bar\n")
