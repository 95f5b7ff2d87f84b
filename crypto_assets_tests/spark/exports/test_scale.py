"""Google's scale: 0 to 100 in whole numbers, `<1`; what is bad and what is remarked."""

from datetime import date, timedelta

import pytest

from .helpers import pairs, problems, read, refusal

HEAD = "Week,bitcoin: (Worldwide)"
VALUES = [20 + 5 * (week % 9) for week in range(40)]


def weeks(values: list[object], head: str = HEAD) -> str:
    """A weekly trend with these values, the first of them on 2023-01-01."""
    starts = [str(date(2023, 1, 1) + timedelta(weeks=week)) for week in range(len(values))]
    rows = zip(starts, values, strict=True)
    return "\n".join([head, *(f'{start},"{value}"' for start, value in rows)]) + "\n"


def with_value(at: int, value: object) -> list[object]:
    return [value if week == at else other for week, other in enumerate(VALUES)]


@pytest.mark.parametrize("at", [0, 17, 39])
@pytest.mark.parametrize("value", ["101", "760", "1234"])
def test_more_than_a_hundred_on_googles_own_scale_is_a_bad_line(at: int, value: str) -> None:
    export = read(weeks(with_value(at, value)))
    assert problems(export) == {at + 2: f"above 100 on Google's scale of 0 to 100: '{value}'"}


def test_other_headers_of_googles_scale_count_too() -> None:
    for head in ("Time,bitcoin", "Semaine,bitcoin: (France)", "Неделя,bitcoin", "weeks,bitcoin"):
        assert list(problems(read(weeks(with_value(9, "250"), head), kind="trend"))) == [11]
    rows = weeks(with_value(9, "250")).replace(HEAD, "date,bitcoin,isPartial")
    rows = "\n".join(
        row if i == 0 else row + ",False" for i, row in enumerate(rows.split("\n")[:-1])
    )
    assert list(problems(read(rows + "\n"))) == [11]


def test_glimpse_and_rescaled_series_may_exceed_a_hundred() -> None:
    counted = [90_000 + 137 * week for week in range(40)]
    head = "Week,Absolute Google Search Volume"
    assert read(weeks([*counted], head)).rows == 40
    rescaled = [f"{value * 3.7:.2f}" for value in VALUES]
    export = read(weeks([*rescaled]))
    assert (export.rows, problems(export)) == (40, {})
    assert "values above 100, a rescaled series or a search volume" in export.notes


def test_a_series_without_googles_header_is_remarked_with_its_dates() -> None:
    export = read(weeks(with_value(9, "250"), "date,bitcoin"), kind="trend")
    assert export.rows == 40
    assert any("above 100" in note and "250 of 2023-03-05" in note for note in export.notes)


@pytest.mark.parametrize("value", ["7.6", "3,5", "0.46"])
def test_a_broken_number_among_googles_whole_ones_is_a_bad_line(value: str) -> None:
    assert problems(read(weeks(with_value(17, value)))) == {
        19: f"no whole number, as Google writes them: '{value}'"
    }


def test_a_half_written_for_less_than_one_is_a_value() -> None:
    for values in ([0, 0.5, 1, 0.3, 6, 0.5, 4, 100], [0.5, 34, 0.5, 100] * 3):
        export = read(weeks([*values]))
        assert (export.rows, problems(export)) == (len(values), {})


@pytest.mark.parametrize("value", ["1,234", "7.600", "12.345"])
def test_a_thousands_mark_among_whole_numbers_is_asked(value: str) -> None:
    content = weeks(with_value(17, value))
    reason = refusal(content)
    assert reason.startswith(
        f"the mark in '{value}' may be one of decimals or of thousands; say --dec"
    )
    assert list(problems(read(content, decimal="dot"))) == [19]


BLANKS = ["", " ", "  ", "\t", "\u00a0", "\u202f", "\u2009", "\u3000", "\u200b"]


@pytest.mark.parametrize("blank", BLANKS)
def test_less_than_one_is_read_with_any_kind_of_blank(blank: str) -> None:
    export = read(weeks([f"<{blank}1", 5, 100]))
    assert [value for _, value in pairs(export)] == ["<1", "5", "100"]
    assert "1 value is <1" in export.notes


@pytest.mark.parametrize("value", ["<5", "<10", "<", "< ", "<1.5", "<<1", "1<", "<1%", "<-1"])
def test_less_than_anything_else_is_a_bad_line(value: str) -> None:
    export = read(weeks(with_value(17, value)))
    assert problems(export) == {19: f"not a trend value: '{value.strip()}'"}


@pytest.mark.parametrize("at", [0, 1, 17, 38, 39])
def test_a_value_far_off_those_around_it_is_remarked(at: int) -> None:
    values = [60 + week % 9 for week in range(40)]
    values[at] = 6
    (note,) = read(weeks([*values])).notes
    assert note.startswith("values 5 times off those around them: ")
    assert "6 of 20" in note


def test_where_it_is_not_certain_which_values_are_off_all_that_may_be_are_remarked() -> None:
    values = [60 + week % 9 for week in range(40)]
    values[0] = values[5] = 6  # or the four between them are
    (note,) = read(weeks([*values])).notes
    assert note.count(" of 20") == 6
    assert note.count(" 6 of 20") == 2


def test_a_series_that_is_full_of_such_values_is_counted() -> None:
    values = [3 + 40 * (week % 2) for week in range(40)]
    assert any(" are 5 times off" in note for note in read(weeks([*values])).notes)


def test_weeks_that_are_missing_are_named() -> None:
    rows = [f"2023-01-{day:02},{day}" for day in (1, 8, 22, 29)]
    export = read("\n".join([HEAD, *rows]) + "\n")
    assert "no week between 2023-01-08 and 2023-01-22" in export.notes
