"""Several rows of one day: which is kept, which is left out, what is asked."""

import pytest

from .helpers import pairs, problems, read, refusal, roles

HEAD = "date,price"
DAYS = [f"2021-04-{day:02},{100 + day}.1" for day in range(1, 31)]


def lines(*rows: str) -> str:
    return "\n".join([HEAD, *rows]) + "\n"


def test_the_newest_day_at_midnight_and_later_keeps_the_row_of_midnight() -> None:
    days = [f"2021-04-{day:02} 00:00:00 UTC,{100 + day}.1" for day in range(1, 31)]
    now = "2021-04-30 13:54:45 UTC,131.7"
    for rows, last in (([*days, now], 32), ([now, *reversed(days)], 2)):
        export = read(lines(*rows))
        assert max(pairs(export)) == ("2021-04-30", "130.1")
        assert export.rows == 30
        assert roles(export)[last - 1] == "left_out"
        assert "was not over" in problems(export)[last]
        assert (
            "the newest row is of 2021-04-30 13:54, before that day was over: another row of it "
            "is kept"
        ) in export.notes


def test_an_older_day_at_midnight_and_later_is_refused() -> None:
    days = [f"2021-04-{day:02} 00:00:00,{100 + day}.1" for day in range(1, 31)]
    days.insert(12, "2021-04-12 13:54:45,131.7")
    assert "different times of day (00:00, 13:54)" in refusal(lines(*days))


@pytest.mark.parametrize("where", ["first", "middle", "newest"])
@pytest.mark.parametrize("descending", [False, True])
def test_a_date_with_two_prices_is_asked_and_the_option_settles_it(
    where: str, descending: bool
) -> None:
    at = {"first": 0, "middle": 14, "newest": 29}[where]
    day = DAYS[at][:10]
    rows = [*DAYS[: at + 1], f"{day},99.9", *DAYS[at + 1 :]]
    content = lines(*(reversed(rows) if descending else rows))
    reason = refusal(content)
    assert f"{day} has different prices on lines" in reason
    assert "say which line holds with --duplicates first|last" in reason
    for option, kept in (("first", not descending), ("last", descending)):
        export = read(content, duplicates=option)
        assert dict(pairs(export))[day] == (DAYS[at][11:] if kept else "99.9")
        assert export.rows == 30
        assert roles(export).count("left_out") == 1
        assert any(f"--duplicates {option}" in note for note in export.notes)


def test_a_trend_with_two_values_of_a_week_is_asked_too() -> None:
    weeks = "2024-01-07,5\n2024-01-14,9\n2024-01-14,90\n2024-01-21,100\n"
    content = "Week,bitcoin: (Worldwide)\n" + weeks
    assert "2024-01-14 has different values on lines 3 and 4" in refusal(content)
    assert pairs(read(content, duplicates="first"))[1] == ("2024-01-14", "9")
    assert pairs(read(content, duplicates="last"))[1] == ("2024-01-14", "90")


def test_more_dates_are_counted() -> None:
    reason = refusal(lines(*DAYS, "2021-04-30,1.5", "2021-04-30,1.6"))
    assert "2021-04-30 has different prices on lines 31 and 32 and 33; say" in reason
    reason = refusal(lines(DAYS[0], "2021-04-01,99.9", *DAYS[1:], "2021-04-30,99.9"))
    assert "2021-04-01 has different prices on lines 2 and 3, and 1 other date too;" in reason


def test_two_downloads_joined_with_an_overlap_are_settled_by_the_option() -> None:
    again = [row.replace(".1", ".2") for row in DAYS[-10:]]
    later = [f"2021-05-{day:02},{130 + day}.2" for day in range(1, 31)]
    rows = sorted([*DAYS, *later, *again], key=lambda row: row[:10])
    assert "and 9 other dates too" in refusal(lines(*rows))
    assert read(lines(*rows), duplicates="last").rows == 60


def test_many_dates_with_prices_far_apart_are_several_series_whatever_the_option() -> None:
    rows = [row for day in range(1, 31) for row in (f"2021-04-{day:02},1.5", DAYS[day - 1])]
    content = lines(*rows[:20], *rows[20::2])
    assert "10 dates occur more than once, 2021-04-01 for one" in refusal(content)
    assert "several series" in refusal(content, duplicates="first")


def test_a_row_without_a_price_is_no_second_price() -> None:
    for word in ("", "-1", "0", "null", "undefined"):
        export = read(lines(*DAYS[:9], f"2021-04-09,{word}", *DAYS[9:]))
        assert export.rows == 30
        assert problems(export) == {11: "no price, and line 10 has one for 2021-04-09: left out"}
        assert roles(export)[10] == "left_out"


def test_rows_without_a_price_stay_where_none_has_one() -> None:
    export = read(lines(*DAYS[:8], "2021-04-09,", "2021-04-09,-1", *DAYS[9:]))
    assert "left_out" not in roles(export)
    assert export.rows == 31


def test_a_bad_line_stays_bad_where_another_has_the_price_of_its_day() -> None:
    export = read(lines(*DAYS[:9], "2021-04-09,1x", *DAYS[9:]))
    assert roles(export)[10] == "bad"
    assert problems(export) == {11: "not a price: '1x'"}


def test_equal_prices_stay_for_a_later_step_to_collapse() -> None:
    export = read(lines(*DAYS[:9], "2021-04-09,109.10", *DAYS[9:]))
    assert export.rows == 31
    assert "1 date more than once, with the same price" in export.notes


@pytest.mark.parametrize("days", [DAYS, DAYS[:8]])
def test_a_line_added_at_the_end_for_an_older_day_is_settled_by_the_option(days: list[str]) -> None:
    content = lines(*days, "2021-04-03,99.9")
    assert "2021-04-03 has different prices on lines 4 and" in refusal(content)
    assert dict(pairs(read(content, duplicates="first")))["2021-04-03"] == "103.1"
    export = read(content, duplicates="last")
    assert dict(pairs(export))["2021-04-03"] == "99.9"
    assert "bad" not in roles(export)


def test_a_week_added_at_the_end_of_a_trend_is_settled_by_the_option() -> None:
    rows = "".join(f"2023-01-{day:02},{day}\n" for day in (1, 8, 15, 22, 29))
    content = f"Week,bitcoin: (Worldwide)\n{rows}2023-01-08,9\n"
    assert "2023-01-08 has different values on lines 3 and 7" in refusal(content)
    assert pairs(read(content, duplicates="last"))[-1] == ("2023-01-08", "9")
    assert "neither ascend nor descend" in refusal(content.replace("08,9", "07,9"))
