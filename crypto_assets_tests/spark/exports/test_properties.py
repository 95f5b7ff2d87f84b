"""Any series in any dialect reads back equal or is refused as ambiguous; damage is never silent.

The default profile is quick; `EXPORTS_EXAMPLES=2000` runs more examples.
"""

# ruff: noqa: PT017 - a refusal is a result here, its text is what is checked

import io
import os
from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto_assets.spark.exports import Export, Options, read_export
from crypto_assets.spark.problems import ReadError

from .dialects import DATES, HEADERS, LAYOUTS, Day, Dialect, data_rows, market, write_history
from .helpers import pairs, roles

EXAMPLES = int(os.environ.get("EXPORTS_EXAMPLES", "150"))
QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
OLD_ENCODINGS = {
    **dict.fromkeys(("en", "it", "pt", "es", "fr", "de", "nl", "id"), "cp1252"),
    "ru": "cp1251",
    "tr": "cp1254",
    "zh": "gb18030",
    "ja": "shift_jis",
    "ko": "cp949",
}


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    """All combinations of how a file may be written."""
    language = draw(st.sampled_from(sorted(HEADERS)))
    encodings = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]
    if language in OLD_ENCODINGS:
        encodings.append(OLD_ENCODINGS[language])
    dates = draw(st.sampled_from(sorted(DATES)))
    if not set(dates) <= set("mdy/-. iso"):
        encodings = encodings[:4]  # month words of one language, header of another
    return Dialect(
        dates=dates,
        decimal=draw(st.sampled_from(["dot", "comma"])),
        grouped=draw(st.booleans()),
        delimiter=draw(st.sampled_from([",", ";", "\t", "|"])),
        quoting=draw(st.sampled_from(["all", "needed"])),
        newest_first=draw(st.booleans()),
        encoding=draw(st.sampled_from(encodings)),
        line_end=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        last_line_end=draw(st.booleans()),
        language=language,
        layout=draw(st.sampled_from(sorted(LAYOUTS))),
        indexed=draw(st.booleans()),
    )


@st.composite
def markets(draw: st.DrawFn, longest: int = 90) -> list[Day]:
    """A made-up market of any length, price and number of decimals."""
    places = draw(st.integers(0, 8))
    price = draw(st.sampled_from(["0.00001585", "0.52", "1.2", "133.29", "999.5", "43210.5"]))
    return market(
        first=draw(st.dates(date(2011, 1, 1), date(2025, 6, 1))),
        days=draw(st.integers(1, longest)),
        price=str(max(Decimal(price), Decimal(1).scaleb(-places) * 200)),
        places=places,
        seed=draw(st.integers(0, 10**6)),
    )


def expected(days: list[Day], dialect: Dialect) -> list[tuple[str, Decimal]]:
    """The rows a reader must find, in file order."""
    rows = [(day.day.isoformat(), day.close) for day in days]
    return rows[::-1] if dialect.newest_first else rows


def attempt(data: bytes, options: Options = Options()) -> Export | str:  # noqa: B008 - frozen
    """The export, or the reason of the refusal; any other exception is a failure."""
    try:
        return read_export(io.BytesIO(data), options)
    except ReadError as refusal:
        assert str(refusal)
        assert "\n" not in str(refusal)
        return str(refusal)


@QUICK
@given(markets(), dialects())
def test_any_series_in_any_dialect_reads_back_equal_or_is_refused(
    days: list[Day], dialect: Dialect
) -> None:
    result = attempt(write_history(days, dialect))
    if isinstance(result, str):
        allowed = (
            "not certain",
            "neither decimals nor thousands",
            "not daily",
            "do not step like days",
        )
        assert any(words in result for words in allowed), result
        if "which column is the price" in result or "step like days" in result:
            assert dialect.language == "xx" or len(days) < 20
        if "not daily" in result:
            assert len(days) < 13
    else:
        rows = expected(days, dialect)
        cut = not dialect.last_line_end and dialect.layout == "two"
        if cut and result.lines["role"][-1].as_py() == "left_out":  # it is shorter than all others
            rows.pop()
        assert [(day, Decimal(value)) for day, value in pairs(result)] == rows
        assert result.lines["cells"].to_pylist()[1:] == data_rows(days, dialect)
        assert "bad" not in roles(result)
        assert len(result.lines) == len(days) + 1


@QUICK
@given(markets(longest=200), dialects())
def test_a_long_clear_series_is_not_refused(days: list[Day], dialect: Dialect) -> None:
    days = days if len(days) > 60 else market(days=61)
    # Prices of three decimals and whole numbers can be ambiguous; others cannot.
    places = -days[0].close.as_tuple().exponent
    if places in (0, 3) or dialect.language == "xx":
        return
    assert not isinstance(attempt(write_history(days, dialect)), str)


@QUICK
@given(markets(longest=40), dialects(), st.sampled_from(["dmy", "mdy"]))
def test_options_settle_what_is_open_and_change_nothing_else(
    days: list[Day], dialect: Dialect, order: str
) -> None:
    data = write_history(days, dialect)
    free = attempt(data)
    told = attempt(data, Options(dates=order, decimal=dialect.decimal))  # type: ignore[arg-type]
    if isinstance(free, Export):
        assert isinstance(told, Export)
        assert pairs(told) == pairs(free)


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["delete", "insert", "replace", "swap", "cut", "double"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=4,
)


def mutate(data: bytes, steps: list[tuple[str, float, bytes]]) -> bytes:
    """`data` with small damages."""
    for kind, where, new in steps:
        at = int(where * len(data))
        if kind == "delete":
            data = data[:at] + data[at + len(new) :]
        elif kind == "insert":
            data = data[:at] + new + data[at:]
        elif kind == "replace":
            data = data[:at] + new + data[at + len(new) :]
        elif kind == "swap":
            data = data[:at] + data[at : at + 2][::-1] + data[at + 2 :]
        elif kind == "double":
            data = data[:at] + data[at : at + 40] + data[at:]
        elif at > 0:
            data = data[:at]
    return data


@QUICK
@given(markets(longest=60), dialects(), MUTATIONS)
def test_damage_never_crashes_and_never_changes_an_untouched_line(
    days: list[Day], dialect: Dialect, steps: list[tuple[str, float, bytes]]
) -> None:
    after = attempt(mutate(write_history(days, dialect), steps))
    if isinstance(after, str):
        return
    written = zip(data_rows(days, dialect), expected(days, dialect), strict=True)
    known = {tuple(cells): row for cells, row in written}
    columns = (after.lines[name].to_pylist() for name in ("cells", "role", "date", "value"))
    for cells, role, day, value in zip(*columns, strict=True):
        if role == "data" and tuple(cells) in known:
            assert (day, Decimal(value)) == known[tuple(cells)]


@QUICK
@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    attempt(data)
    attempt(b"Date,Close\n2024-01-13,1.5\n2024-01-14,1.25\n" + data)
    attempt(b'"Week","bitcoin: (Worldwide)"\n2024-01-07,5\n2024-01-14,<1\n' + data)


@QUICK
@given(st.text(alphabet='0123456789,.;"-/\n\t abWeek:<%年', max_size=300))
def test_arbitrary_tables_are_read_or_refused_and_no_line_is_lost(text: str) -> None:
    result = attempt(text.encode())
    if isinstance(result, Export):
        assert len(result.lines) == len(text.removesuffix("\n").split("\n"))


@QUICK
@given(
    st.lists(st.integers(0, 100), min_size=3, max_size=80),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["Week", "Settimana", "Неделя", "周", "date"]),
    st.booleans(),
)
def test_any_trend_reads_back_equal(
    values: list[int], step: str, delimiter: str, head: str, raw: bool
) -> None:
    first = date(2018, 1, 7).toordinal()
    if step == "month":
        days = [f"{2018 + i // 12}-{i % 12 + 1:02}" for i in range(len(values))]
    else:
        days = [str(date.fromordinal(first + i * (7 if step == "week" else 1))) for i in range(80)]
    shown = ["<1" if value == 0 else str(value) for value in [*values[:-1], 100]]
    rows = [f"{day}{delimiter}{value}" for day, value in zip(days, shown, strict=False)]
    name = "bitcoin: (Worldwide)" if raw else "bitcoin"
    preamble = "Category: All categories\n\n" if raw else ""
    export = attempt(f"{preamble}{head}{delimiter}{name}\n{chr(10).join(rows)}\n".encode())
    assert isinstance(export, Export)
    assert export.kind == "trend"
    assert export.granularity == step
    assert [value for _, value in pairs(export)] == shown
    assert [day[: len(days[0])] for day, _ in pairs(export)] == days[: len(shown)]
