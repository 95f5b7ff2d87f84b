"""A price held against its neighbours, and the order of the dates: what is bad or remarked."""

from datetime import date, timedelta

import pytest

from .dialects import market
from .helpers import pairs, problems, read, refusal

FIRST = date(2023, 1, 1)
CALM = [60000 + 37 * (day * 7 % 11) for day in range(60)]


def history(prices: list[float], days: list[date] | None = None) -> str:
    """A history of these prices, day after day."""
    days = days or [FIRST + timedelta(days=day) for day in range(len(prices))]
    rows = zip(days, prices, strict=True)
    return "timestamp,price\n" + "".join(f"{day},{price:.4f}\n" for day, price in rows)


def backwards(content: str) -> str:
    """The same file newest first."""
    head, *rows = content.splitlines()
    return "\n".join([head, *reversed(rows)]) + "\n"


@pytest.mark.parametrize("factor", [1000.0, 60.0, 1 / 60, 1 / 1000])
@pytest.mark.parametrize("row", [0, -1])
def test_a_first_or_last_price_far_off_its_one_neighbour_is_a_bad_line(
    row: int, factor: float
) -> None:
    prices: list[float] = [*CALM]
    prices[row] *= factor
    content = history(prices)
    for text, line in ((content, row % 60 + 2), (backwards(content), 61 - row % 60)):
        found = problems(read(text))
        assert list(found) == [line]
        assert "more than 50 times off its one neighbour" in found[line]
        assert "--accept-outliers" in found[line]
    accepted = read(content, accept_outliers=True)
    assert (accepted.rows, problems(accepted)) == (60, {})
    assert any(str(FIRST + timedelta(days=row % 60)) in note for note in accepted.notes)


@pytest.mark.parametrize("row", [0, 1, 30, 58, 59])
@pytest.mark.parametrize("factor", [30.0, 12.0, 1 / 12])
def test_a_price_ten_to_fifty_times_off_its_neighbours_is_remarked(row: int, factor: float) -> None:
    prices: list[float] = [*CALM]
    prices[row] *= factor
    export = read(history(prices))
    assert (export.rows, problems(export)) == (60, {})
    (note,) = export.notes
    assert str(FIRST + timedelta(days=row)) in note
    assert f"times {'higher' if factor > 1 else 'lower'} than" in note


@pytest.mark.parametrize("rows", [range(10, 12), range(10, 15)])
def test_a_run_of_few_prices_far_off_is_bad_like_a_single_one(rows: range) -> None:
    prices = [price / 1000 if day in rows else price for day, price in enumerate(CALM)]
    found = problems(read(history(prices)))
    assert list(found) == [row + 2 for row in rows]
    assert all("off the rows around it" in text for text in found.values())


def test_a_run_of_few_prices_ten_times_off_is_remarked() -> None:
    prices = [price * 10 if day in (10, 11, 12) else price for day, price in enumerate(CALM)]
    (note,) = read(history(prices)).notes
    assert note.startswith("the price from 2023-01-11 to 2023-01-13 is 10")
    assert note.endswith("times higher than before and after")


@pytest.mark.parametrize("factor", [1000.0, 21.0, 1 / 210_000])
def test_a_step_that_stays_is_read_and_remarked_with_date_and_factor(factor: float) -> None:
    prices = [price * (factor if day >= 30 else 1) for day, price in enumerate([6e8] * 60)]
    export = read(history(prices))
    assert (export.rows, problems(export)) == (60, {})
    way, size = ("higher", factor) if factor > 1 else ("lower", 1 / factor)
    (note,) = export.notes
    assert note == (
        f"the price of 2023-01-31 is {size:,.0f} times {way} than that of 2023-01-30, and stays "
        "so: a redenomination, or another coin?"
    )
    assert read(backwards(history(prices))).notes == export.notes


def test_a_step_that_stays_across_a_gap_is_remarked_and_one_of_years_growth_is_not() -> None:
    days = [FIRST + timedelta(days=day if day < 30 else day + 300) for day in range(60)]
    prices = [price * (8 if day >= 30 else 1) for day, price in enumerate(CALM)]
    assert read(history(prices, days)).notes == ("no rows between 2023-01-30 and 2023-11-27",)
    prices = [price * (800 if day >= 30 else 1) for day, price in enumerate(CALM)]
    assert any("a redenomination" in note for note in read(history(prices, days)).notes)


def test_a_step_of_the_last_rows_names_all_of_them() -> None:
    prices = [price / 1000 if day >= 57 else price for day, price in enumerate(CALM)]
    (note,) = read(history(prices)).notes
    assert note.startswith("the price from 2023-02-27 to 2023-03-01 is 1,0")
    assert "lower than that of 2023-02-26, and stays so" in note


def test_many_steps_are_counted() -> None:
    prices = [2.0**60 / 6**day for day in range(12)]
    notes = read(history(prices)).notes
    assert len(notes) == 6
    assert notes[-1] == "6 more steps of the price like these"


def test_a_fall_of_several_days_and_another_coin_after_it() -> None:
    fall = [80.0] * 20 + [30.0, 1.0, 0.02, 0.0004] + [0.0004] * 10 + [9.0] * 20
    export = read(history(fall))
    assert problems(export) == {}
    assert sum("a redenomination, or another coin?" in note for note in export.notes) == 4


def test_prices_that_jump_up_and_down_again_and_again_are_refused_with_the_line() -> None:
    prices = [price * (10 if day in (10, 20) else 1) for day, price in enumerate(CALM)]
    reason = refusal(history(prices))
    assert "jumps 5-fold or more 2 times up and 2 times down, first on 2023-01-11" in reason
    assert "(line 12: 2023-01-11,60" in reason


def days_of(*, moved: dict[int, date]) -> list[date]:
    return [moved.get(day, FIRST + timedelta(days=day)) for day in range(60)]


@pytest.mark.parametrize("row", [0, 1, 30, 57])
def test_a_single_date_out_of_order_is_a_bad_line(row: int) -> None:
    content = history([*CALM], days_of(moved={row: date(2023, 5, 20)}))
    for text, line in ((content, row + 2), (backwards(content), 61 - row)):
        found = problems(read(text))
        assert list(found) == [line]
        assert found[line].startswith("the date 2023-05-20 is out of order beside 2023-")


def test_a_date_that_was_moved_without_leaving_the_order_leaves_gaps_that_are_named() -> None:
    export = read(history([*CALM], days_of(moved={59: date(2023, 5, 20)})))
    assert export.notes == ("no rows between 2023-02-28 and 2023-05-20",)


def test_lines_that_changed_places_are_read_and_the_places_named() -> None:
    rows = history([float(day.close) for day in market(days=300)]).splitlines()
    rows[100], rows[101] = rows[101], rows[100]
    export = read("\n".join(rows) + "\n")
    assert export.rows == 300
    assert "the order of dates is broken 1 time, between 2023-04-11 and 2023-04-10" in export.notes


def test_dates_in_no_order_are_refused_with_the_line() -> None:
    rows = history([*CALM]).splitlines()
    mixed = [rows[0], *rows[21:41], *rows[1:21], *rows[51:], *rows[41:51]]
    assert "the dates neither ascend nor descend" in refusal("\n".join(mixed) + "\n")


def test_many_gaps_are_counted() -> None:
    days = [FIRST + timedelta(days=day + day // 5) for day in range(60)]
    (note,) = read(history([*CALM], days)).notes
    assert note.count(" and 2023-") == 5
    assert note.endswith(", and 6 more")


def test_every_row_is_read_of_a_calm_series() -> None:
    assert pairs(read(history([*CALM])))[0] == ("2023-01-01", "60000.0000")
