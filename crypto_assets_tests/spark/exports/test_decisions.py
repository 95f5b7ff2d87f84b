"""What the whole file decides, and what it leaves open: date order, decimal mark, sanity."""

from dataclasses import replace
from datetime import date, timedelta

# ruff: noqa: DTZ011 - a day more or less does not matter here
import pytest

from .dialects import Day, Dialect, market, write_history
from .helpers import pairs, problems, read, refusal

US = '"Date","Price","Open","High","Low","Vol.","Change %"\n'
THREE_DAYS = (
    '"03/12/2024","133.290","132.670","134.410","130.110","1.28K","0.45%"\n'
    '"03/11/2024","132.690","133.760","134.380","130.060","5.36K","-0.80%"\n'
    '"03/10/2024","133.760","131.400","135.650","130.260","2.22K","1.80%"\n'
)


def test_three_days_of_investing_are_daily_because_its_months_begin_on_the_first() -> None:
    assert [day for day, _ in pairs(read(US + THREE_DAYS))] == [
        "2024-03-12",
        "2024-03-11",
        "2024-03-10",
    ]


def test_the_same_three_dates_in_a_table_of_unknown_origin_are_ambiguous() -> None:
    reason = refusal("Date,Close\n03/12/2024,1.5\n03/11/2024,1.25\n03/10/2024,1.5\n")
    assert "--dates dmy is DD/MM/YYYY, 2024-12-03 .. 2024-10-03, monthly" in reason
    assert "--dates mdy is MM/DD/YYYY, 2024-03-12 .. 2024-03-10, daily" in reason


def test_the_option_settles_an_ambiguous_order() -> None:
    content = "Date,Close\n03/12/2024,1.5\n03/11/2024,1.25\n"
    assert pairs(read(content, dates="mdy"))[0] == ("2024-03-12", "1.5")
    assert "monthly" in refusal(content, dates="dmy")


def test_the_option_does_not_override_a_day_above_twelve() -> None:
    content = "Date,Close\n03/13/2024,1.5\n03/12/2024,1.25\n"
    assert pairs(read(content, dates="dmy"))[0] == ("2024-03-13", "1.5")


def test_one_row_whose_day_may_be_a_month_is_ambiguous() -> None:
    assert "--dates" in refusal("Date,Close\n03/12/2024,1.5\n")
    assert pairs(read("Date,Close\n03/13/2024,1.5\n")) == [("2024-03-13", "1.5")]


def test_a_date_that_exists_under_neither_order_does_not_decide_the_order() -> None:
    assert "--dates dmy" in refusal("Date;Close\n05.10.2017;1054.5\n06.50.2017;1073.5\n")


def test_the_first_ten_days_of_january_could_be_ten_months() -> None:
    days = "".join(
        f'"01/{d:02}/2024","1.5","1.5","1.5","1.5","1K","0%"\n' for d in range(10, 0, -1)
    )
    assert "--dates mdy" in refusal(US + days)


def test_monthly_rows_on_the_first_are_not_taken_for_days_of_january() -> None:
    months = [f"{m:02}/01/{y}" for y in (2022, 2023) for m in range(1, 13)]
    content = "Date,Close\n" + "".join(f"{day},1.5\n" for day in months)
    assert "monthly, not daily" in refusal(content)


def test_a_weekly_history_is_refused() -> None:
    days = [date(2024, 1, 7) + timedelta(days=7 * i) for i in range(20)]
    assert "weekly, not daily" in refusal("Date,Close\n" + "".join(f"{d},1.5\n" for d in days))


def test_an_hourly_history_is_refused() -> None:
    rows = "".join(f"2024-01-0{d} {h:02}:00,1.5\n" for d in (1, 2) for h in range(24))
    assert "several rows per day" in refusal("Date,Close\n" + rows)


def test_trading_days_only_are_daily() -> None:
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(60)]
    kept = [day for day in days if day.weekday() < 5]
    assert read("Date,Close\n" + "".join(f"{d},1.5\n" for d in kept)).rows == len(kept)


PORTUGUESE = '"Data","Último","Abertura","Máxima","Mínima","Vol.","Var%"\n'


def test_prices_of_three_decimals_are_settled_by_the_volume() -> None:
    litecoin = '"01.01.2022","150,800","146,300","150,900","146,300","225,23K","3,08%"\n'
    assert pairs(read(PORTUGUESE + litecoin)) == [("2022-01-01", "150.800")]
    reais = '"23.04.2022","191.274","191.693","191.952","190.000","0,02K","-0,28%"\n'
    assert pairs(read(PORTUGUESE + reais)) == [("2022-04-23", "191274")]


def test_prices_of_three_decimals_alone_are_ambiguous_unless_said() -> None:
    content = "Date;Close\n2024-01-01;150,800\n2024-01-02;151,200\n"
    reason = refusal(content)
    assert "--decimal dot reads 150800" in reason
    assert "--decimal comma reads 150.800" in reason
    assert pairs(read(content, decimal="comma"))[0] == ("2024-01-01", "150.800")
    assert pairs(read(content, decimal="dot"))[0] == ("2024-01-01", "150800")


def test_a_jump_that_only_one_decimal_mark_explains_settles_it() -> None:
    content = "Date;Close\n2024-01-01;999\n2024-01-02;1.001\n2024-01-03;998\n"
    assert pairs(read(content))[1] == ("2024-01-02", "1001")


def test_a_damaged_cell_does_not_decide_the_decimal_mark_of_the_other_lines() -> None:
    cut = (
        '"Datum","Zuletzt","Eröffn.","Hoch","Tief"\n'
        '"Jan 03, 2011","1,010","1,007","1,018","1,00"\n'
        '"Jan 02, 2011","1,007","992","1,009","980"\n'
        '"Jan 01, 2011","992""1,000","1,013","991"\n'
    )
    assert "the decimal mark is not certain: '1,010'" in refusal(cut)
    assert pairs(read(cut, decimal="dot")) == [("2011-01-03", "1010"), ("2011-01-02", "1007")]
    price = US + (
        '"03/14/2024","1,158","1,150","1,160","1,149","1.28K","0.70%"\n'
        '"03/13/2024","1,15","1,149","1,155","1,146","5.36K","0.09%"\n'
        '"03/12/2024","1,149","1,150","1,152","1,147","2.22K","-0.09%"\n'
    )
    assert pairs(read(price)) == [("2024-03-14", "1158"), ("2024-03-12", "1149")]
    assert problems(read(price)) == {3: "not a price: '1,15'"}


def test_a_price_that_lost_its_mark_does_not_decide_the_decimal_mark_of_the_others() -> None:
    lost = "Date;Close\n2015-07-31;11,611\n2015-07-30;11037\n2015-07-29;11,986\n"
    assert "--decimal comma reads 11.611" in refusal(lost)
    assert "not certain" in refusal("Date;Close\n2013-10-28;985\n2013-10-27;1,014\n")


def test_a_price_with_both_marks_settles_one_without_decimals() -> None:
    content = "Date;Close\n2024-01-01;65,372.9\n2024-01-02;65,400\n"
    assert pairs(read(content))[1] == ("2024-01-02", "65400")


def test_the_decimal_option_does_not_override_what_is_written() -> None:
    content = "Date;Close\n2024-01-01;150,8\n2024-01-02;151,25\n"
    assert pairs(read(content, decimal="dot"))[0] == ("2024-01-01", "150.8")


def test_dates_and_decimals_are_decided_apart() -> None:
    content = "Fecha,Cierre\n30.01.2012,5.3\n31.01.2012,5.25\n01.02.2012,5.5\n"
    assert pairs(read(content))[0] == ("2012-01-30", "5.3")


YEAR = market(days=400)


def _swap(day: Day) -> Day:
    moved = day.day.day <= 12
    return replace(day, day=date(day.day.year, day.day.day, day.day.month)) if moved else day


@pytest.mark.parametrize("dates", ["dmy/", "iso"])
def test_days_and_months_swapped_by_a_spreadsheet_are_seen(dates: str) -> None:
    swapped = [_swap(day) for day in YEAR]
    for rows in (swapped, sorted(swapped, key=lambda day: day.day)):
        assert "swapped" in refusal(write_history(rows, Dialect(dates=dates)))


def test_two_coins_stacked_in_one_file_are_named() -> None:
    rows = [
        f"2024-01-{d:02},{c},{p}" for c, p in (("ETH", 2.5), ("BTC", 43.5)) for d in range(1, 29)
    ]
    reason = refusal("Date,Symbol,Close\n" + "\n".join(rows))
    assert "2 currencies are stacked in one file ('ETH', 'BTC')" in reason
    bare = [row.replace("ETH,", "").replace("BTC,", "") for row in rows]
    assert "occur more than once" in refusal("Date,Close\n" + "\n".join(bare))


def test_lost_decimal_marks_are_refused() -> None:
    whole = [replace(day, **_whole(day)) for day in market(places=1)]
    assert "decimal" in refusal(write_history(whole, Dialect(grouped=False)))
    some = write_history(market(places=1), Dialect(grouped=False, layout="two")).decode("utf-8-sig")
    broken = [
        line.replace(".", "") if i % 7 == 3 else line for i, line in enumerate(some.split("\n"))
    ]
    assert "decimal marks lost" in refusal("\n".join(broken))


def _whole(day: Day) -> dict[str, object]:
    return {name: getattr(day, name) * 10 // 1 for name in ("open", "high", "low", "close")}


def test_one_bad_tick_is_a_bad_line_unless_accepted() -> None:
    days = list(market(days=60))
    days[30] = replace(days[30], close=days[30].close * 63, high=days[30].high * 63)
    content = write_history(days, Dialect(newest_first=False))
    export = read(content)
    assert list(problems(export)) == [32]
    assert "more than 50 times off both its neighbours" in problems(export)[32]
    assert export.rows == 59
    assert read(content, accept_outliers=True).rows == 60


def test_identical_duplicates_stay_for_a_later_step_to_collapse() -> None:
    export = read("Date,Close\n2024-01-01,1.5\n2024-01-02,1.5\n2024-01-02,1.50\n2024-01-03,1.5\n")
    assert (export.rows, problems(export)) == (4, {})


def test_a_date_in_the_future_is_a_bad_line() -> None:
    first = date.today() - timedelta(days=20)
    rows = [f"{first + timedelta(days=i)},1.5" for i in range(19)]
    export = read("Date,Close\n" + "\n".join([*rows, "2094-01-01,1.5"]))
    assert problems(export) == {21: "the date 2094-01-01 is in the future"}


def test_a_negative_price_is_bad_but_minus_one_is_the_mark_for_missing() -> None:
    export = read("Date,Close\n2024-01-01,-1\n2024-01-02,-2.5\n2024-01-03,0\n2024-01-04,1.5\n")
    assert problems(export) == {3: "a negative price: '-2.5'"}
    assert pairs(export)[0] == ("2024-01-01", "-1")


def test_an_impossible_date_among_good_ones_is_a_bad_line() -> None:
    rows = [f"2024-02-{d:02},1.5" for d in range(20, 31)]
    assert problems(read("Date,Close\n" + "\n".join(rows))) == {12: "no such date: '2024-02-30'"}


def test_a_price_outside_low_and_high_on_many_lines_refuses_the_file() -> None:
    days = [replace(day, close=day.high * 2) for day in market(days=50)]
    assert "outside low..high" in refusal(write_history(days, Dialect(layout="bars")))


def test_stated_changes_that_contradict_the_prices_refuse_the_file() -> None:
    days = [replace(day, change=day.change + 5) for day in market(days=50)]
    assert "stated change contradicts" in refusal(write_history(days, Dialect()))


def test_two_downloads_joined_newest_first_are_read_with_a_note() -> None:
    rows = market(days=200)
    joined = rows[99::-1] + rows[:99:-1]
    export = read(write_history(joined, Dialect(newest_first=False, dates="iso")))
    assert export.rows == 200
    assert any("order of dates is broken" in note for note in export.notes)
