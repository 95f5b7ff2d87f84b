"""Google-Trends files, raw and edited: literal rows in, literal rows out."""

from datetime import date, timedelta

# ruff: noqa: DTZ011 - a day more or less does not matter here
import pytest

from .helpers import pairs, problems, read, refusal, roles

RAW = "Category: All categories\n\nWeek,bitcoin: (Worldwide)\n2024-01-07,<1\n2024-01-14,100\n"
WEEKS = [("2024-01-07", "5"), ("2024-01-14", "100")]


def test_the_raw_export_with_preamble_and_less_than_one() -> None:
    export = read(RAW)
    assert pairs(export) == [("2024-01-07", "<1"), ("2024-01-14", "100")]
    assert roles(export) == ["preamble", "blank", "header", "data", "data"]
    assert (export.kind, export.source, export.term) == ("trend", "google-trends", "bitcoin")
    assert (export.granularity, export.date_format) == ("week", "YYYY-MM-DD")
    assert "1 value is <1" in export.notes


HEADERS = {
    "Settimana,interesse bitcoin": "interesse bitcoin",
    "Semana,bitcoin: (Todo el mundo)": "bitcoin",
    "Semaine,bitcoin: (Dans tous les pays)": "bitcoin",
    "Woche,bitcoin: (Weltweit)": "bitcoin",
    "Неделя,bitcoin: (город Москва)": "bitcoin",
    "Săptămâna,bitcoin: (Întreaga lume)": "bitcoin",
    "Hafta,bitcoin: (Dünya Genelinde)": "bitcoin",
    "Tuần,bitcoin: (Trên toàn thế giới)": "bitcoin",
    "周,bitcoin: (全球)": "bitcoin",
    "週,bitcoin: (すべての国)": "bitcoin",
    "주,bitcoin: (전 세계)": "bitcoin",
    "weeks,bitcoin": "bitcoin",
    "Time,bitcoin": "bitcoin",
    "date,bitcoin": "bitcoin",
    "timestamp,google_trends": "google_trends",
    '"Week","""bit coin"": (Worldwide)"': "bit coin",
}


@pytest.mark.parametrize("header", HEADERS)
def test_headers_in_any_language_raw_or_edited(header: str) -> None:
    export = read(header + "\n2024-01-07,5\n2024-01-14,100\n")
    assert (export.kind, pairs(export), export.term) == ("trend", WEEKS, HEADERS[header])


def test_months_are_read_as_their_first_day() -> None:
    export = read("카테고리: 모든 카테고리\n\n월,bitcoin: (전 세계)\n2024-01,5\n2024-02,100\n")
    assert pairs(export) == [("2024-01-01", "5"), ("2024-02-01", "100")]
    assert (export.granularity, export.language) == ("month", "ko")


def test_days_saved_again_by_a_spreadsheet_with_its_extra_commas() -> None:
    export = read(
        "Category: All categories,\n,\nWeek,bitcoin: (Worldwide)\n12/24/2023,4\n12/31/2023,5\n"
    )
    assert pairs(export) == [("2023-12-24", "4"), ("2023-12-31", "5")]
    assert roles(export) == ["preamble", "blank", "header", "data", "data"]


def test_semicolons_and_decimal_commas() -> None:
    export = read("Giorno;bitcoin\n2024-01-01;15,75\n2024-01-02;100\n2024-01-03;9,5\n")
    assert pairs(export) == [("2024-01-01", "15.75"), ("2024-01-02", "100"), ("2024-01-03", "9.5")]


@pytest.mark.parametrize("stamp", ["2021-06-02T{:02}", "2021-06-02T{:02}:00:00"])
def test_hours_are_refused_with_the_cure(stamp: str) -> None:
    rows = "".join(f"{stamp.format(hour)},{hour}\n" for hour in range(24))
    reason = refusal("Category: All\n\nTime,bitcoin: (Worldwide)\n" + rows)
    assert "by hour or minute" in reason


TERMS = "Week,Bitcoin: (Worldwide),Bitcoin Cash: (Worldwide)\n2024-01-07,5,1\n2024-01-14,9,100\n"


def test_of_several_terms_the_currency_is_taken() -> None:
    assert pairs(read(TERMS, terms=("btc", "bitcoin")))[0] == ("2024-01-07", "5")
    assert pairs(read(TERMS, terms=("bch", "bitcoin cash")))[0] == ("2024-01-07", "1")
    assert read(TERMS, terms=("btc", "bitcoin")).term == "Bitcoin"


def test_several_terms_of_which_none_is_the_currency_are_named() -> None:
    reason = refusal(TERMS, terms=("xmr", "monero"))
    assert "2 terms in one file ('Bitcoin', 'Bitcoin Cash')" in reason
    assert "monero" in reason
    assert "2 terms" in refusal(TERMS)


def test_the_daily_data_of_pytrends() -> None:
    export = read(
        "\tdate\tbitcoin_unscaled\tbitcoin_monthly\tscale\tbitcoin\n"
        "0\t2021-01-01\t40\t27\t0.27\t10.8\n1\t2021-01-02\t67\t47\t0.47\t31.49\n"
    )
    assert pairs(export) == [("2021-01-01", "10.8"), ("2021-01-02", "31.49")]
    partial = read("date,bitcoin,isPartial\n2024-01-07,5,False\n2024-01-14,9,True\n")
    assert pairs(partial) == [("2024-01-07", "5"), ("2024-01-14", "9")]


def test_values_above_a_hundred_are_accepted_and_noted() -> None:
    export = read("Week,bitcoin: (Worldwide)\n2024-01-07,5\n2024-01-14,140\n")
    assert any("above 100" in note for note in export.notes)


def test_the_current_week_is_noted_as_partial() -> None:
    sunday = date.today() - timedelta(days=date.today().isoweekday() % 7)
    rows = f"{sunday - timedelta(days=7)},5\n{sunday},9\n"
    export = read("Week,bitcoin: (Worldwide)\n" + rows)
    assert export.rows == 2
    assert any("partial" in note for note in export.notes)


def test_a_weekly_price_table_is_no_trend() -> None:
    assert "weekly" in refusal("Week,bitcoin\n2024-01-07,41000\n2024-01-14,42000\n")
    assert "monthly" in refusal("Month,Price\n2024-01,41000\n2024-02,42000\n")


def test_a_value_that_is_none_is_a_bad_line() -> None:
    content = RAW + "2024-01-21,many\n2024-01-28,3\n"
    assert problems(read(content)) == {6: "not a trend value: 'many'"}


def test_a_damaged_value_does_not_decide_the_decimal_mark_of_the_others() -> None:
    values = ("12.345", "50,12", "37.125", "100")
    rows = "".join(f'2024-01-{7 * i:02},"{value}"\n' for i, value in enumerate(values, 1))
    export = read("Week,bitcoin: (Worldwide)\n" + rows)
    assert [value for _, value in pairs(export)] == ["12.345", "37.125", "100"]
    assert problems(export) == {3: "not a trend value: '50,12'"}


def test_glimpse_gives_its_relative_series_or_the_absolute_one_alone() -> None:
    head = "Time (week of),bitcoin: (Worldwide),bitcoin (Absolute Google Search Volume)\n"
    assert pairs(read(head + "2024-01-07,5,90000\n2024-01-14,100,990000\n")) == WEEKS
    alone = read("Week,Absolute Google Search Volume\n2024-01-07,90000\n2024-01-14,990000\n")
    assert (alone.source, pairs(alone)[0]) == ("glimpse", ("2024-01-07", "90000"))


def test_counted_searches_in_thousands_are_not_taken_for_a_scale_of_a_hundred() -> None:
    text = 'Week,Absolute Google Search Volume\n2024-01-07,"12,345"\n2024-01-14,"13,456"\n'
    assert "--decimal" in refusal(text)
    assert pairs(read(text, decimal="dot"))[0] == ("2024-01-07", "12345")
