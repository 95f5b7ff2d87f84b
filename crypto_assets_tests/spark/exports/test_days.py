"""Which day a row belongs to, by the time of day written with it: literal rows in and out."""

from datetime import UTC, date, datetime, timedelta

import pytest

from .helpers import pairs, problems, read, refusal, roles

FIRST = datetime(2023, 2, 1, tzinfo=UTC)


def history(moments: list[str], head: str = "Date,Close") -> str:
    """A history with these dates, prices counted up from 100.1."""
    return "\n".join([head, *(f"{at},{100 + i}.1" for i, at in enumerate(moments))]) + "\n"


def midnights(east: list[tuple[date, float]], days: int = 330) -> list[datetime]:
    """The UTC times of midnight at a place; `east`: its hours east of UTC from each date on."""
    made = []
    for day in range(days):
        local = FIRST + timedelta(days=day)
        hours = [hours for since, hours in east if since <= local.date()][-1]
        made.append(local - timedelta(hours=hours))
    return made


def local_days(count: int = 330) -> list[str]:
    """The days that `midnights` are of."""
    return [f"{FIRST + timedelta(days=day):%Y-%m-%d}" for day in range(count)]


WINTER = date(2023, 1, 1)
# The first days that begin by the other clock, after the IANA time zone database.
PLACES = {
    "Azores": [(WINTER, -1), (date(2023, 3, 27), 0), (date(2023, 10, 30), -1)],
    "London": [(WINTER, 0), (date(2023, 3, 27), 1), (date(2023, 10, 30), 0)],
    "Berlin": [(WINTER, 1), (date(2023, 3, 27), 2), (date(2023, 10, 30), 1)],
    "Athens": [(WINTER, 2), (date(2023, 3, 27), 3), (date(2023, 10, 30), 2)],
    "Jerusalem": [(WINTER, 2), (date(2023, 3, 25), 3), (date(2023, 10, 30), 2)],
    "Cairo": [(WINTER, 2), (date(2023, 4, 29), 3), (date(2023, 10, 27), 2)],
    "New York": [(WINTER, -5), (date(2023, 3, 13), -4), (date(2023, 11, 6), -5)],
    "Newfoundland": [(WINTER, -3.5), (date(2023, 3, 13), -2.5), (date(2023, 11, 6), -3.5)],
    "Los Angeles": [(WINTER, -8), (date(2023, 3, 13), -7), (date(2023, 11, 6), -8)],
    "Santiago": [(WINTER, -3), (date(2023, 4, 2), -4), (date(2023, 9, 4), -3)],
    "Adelaide": [(WINTER, 10.5), (date(2023, 4, 3), 9.5), (date(2023, 10, 2), 10.5)],
    "Sydney": [(WINTER, 11), (date(2023, 4, 3), 10), (date(2023, 10, 2), 11)],
    "Lord Howe": [(WINTER, 11), (date(2023, 4, 3), 10.5), (date(2023, 10, 2), 11)],
    "Auckland": [(WINTER, 13), (date(2023, 4, 3), 12), (date(2023, 9, 25), 13)],
    "Chatham": [(WINTER, 13.75), (date(2023, 4, 3), 12.75), (date(2023, 9, 25), 13.75)],
}
WRITTEN = {
    "text": lambda at: f"{at:%Y-%m-%d %H:%M:%S+00:00}",
    "12 hours": lambda at: f"{at:%m/%d/%Y %I:%M %p}",
    "Unix": lambda at: f"{at.timestamp():.0f}",
    "Unix ms": lambda at: f"{at.timestamp() * 1000:.0f}",
    "Excel": lambda at: f"{at.timestamp() / 86400 + 25569:.6f}",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("written", ["text", "Unix"])
def test_midnight_of_a_place_written_in_utc_is_the_local_day(place: str, written: str) -> None:
    moments = list(map(WRITTEN[written], midnights(PLACES[place])))
    for lines in (moments, moments[::-1]):
        export = read(history(lines))
        assert sorted(day for day, _ in pairs(export)) == local_days()
        assert any("are midnight at UTC" in note for note in export.notes)
        assert problems(export) == {}


@pytest.mark.parametrize("written", WRITTEN)
def test_berlin_is_found_in_every_notation_and_its_offsets_are_named(written: str) -> None:
    export = read(history(list(map(WRITTEN[written], midnights(PLACES["Berlin"])))))
    assert [day for day, _ in pairs(export)] == local_days()
    assert (str(export.first_date), str(export.last_date)) == ("2023-02-01", "2023-12-27")
    assert (
        "the times of day (22:00, 23:00) are midnight at UTC+01:00, in summer UTC+02:00: the days "
        "are the local ones"
    ) in export.notes


def test_gaps_and_rows_without_a_price_do_not_hide_the_place() -> None:
    moments = list(map(WRITTEN["text"], midnights(PLACES["Berlin"])))
    days = local_days()
    kept = [i for i in range(330) if i % 7 and not 40 < i < 70]
    lines = [f"{moments[i]},{100 + i}.1" for i in kept]
    lines.insert(5, "2023-02-06 13:13:13+00:00,")
    export = read("\n".join(["Date,Close", *lines]) + "\n")
    assert [day for day, value in pairs(export) if value] == [days[i] for i in kept]


def test_a_newest_row_of_now_has_the_local_day_too() -> None:
    moments = list(map(WRITTEN["text"], midnights(PLACES["Berlin"])))
    export = read(history([*moments, "2023-12-27 22:30:00+00:00"]))
    assert roles(export)[-1] == "left_out"  # it is 23:30 of the 27th, whose midnight is there
    export = read(history([*moments, "2023-12-27 23:30:00+00:00"]))
    assert pairs(export)[-1][0] == "2023-12-28"


TWO_HOURS = {
    "winter and summer the wrong way round": [
        (WINTER, 2),
        (date(2023, 3, 27), 1),
        (date(2023, 10, 30), 2),
    ],
    "a change in June": [(WINTER, 1), (date(2023, 6, 12), 2), (date(2023, 10, 30), 1)],
    "a third change": [
        (WINTER, 1),
        (date(2023, 3, 27), 2),
        (date(2023, 7, 3), 1),
        (date(2023, 10, 30), 2),
    ],
    "no change back in autumn": [(WINTER, 1), (date(2023, 3, 27), 2)],
    "four in the afternoon in New York": [
        (WINTER, 3),
        (date(2023, 3, 13), 4),
        (date(2023, 11, 6), 3),
    ],
    "six in the evening in New York": [
        (WINTER, 1),
        (date(2023, 3, 13), 2),
        (date(2023, 11, 6), 1),
    ],
    "London by Sydney's clock": [(WINTER, 1), (date(2023, 4, 3), 0), (date(2023, 10, 2), 1)],
}


@pytest.mark.parametrize("case", TWO_HOURS)
def test_two_hours_that_no_place_explains_are_refused_with_the_times(case: str) -> None:
    moments = list(map(WRITTEN["text"], midnights(TWO_HOURS[case])))
    reason = refusal(history(moments))
    assert "the rows are of different times of day (" in reason
    assert "--day stated" in reason


def test_two_hours_in_any_order_are_refused() -> None:
    moments = [f"2023-02-{day:02} {22 + day % 2}:00:00" for day in range(1, 29)]
    assert "different times of day (22:00, 23:00)" in refusal(history(moments))


def test_midnight_throughout_is_the_day_without_a_word() -> None:
    for time in ("00:00", "00:00:00 UTC", "00:00:00+02:00", "12:00:00 AM"):
        export = read(history([f"2023-02-{day:02} {time}" for day in range(1, 29)]))
        assert pairs(export)[0][0] == "2023-02-01"
        assert export.notes == ()


def test_midnight_written_with_the_offset_of_its_season_is_the_day_written() -> None:
    moments = [f"2023-03-{day:02} 00:00:00+0{1 if day < 27 else 2}:00" for day in range(1, 32)]
    assert [day for day, _ in pairs(read(history(moments)))][24:28] == [
        *("2023-03-25", "2023-03-26"),
        *("2023-03-27", "2023-03-28"),
    ]


def test_midnight_in_utc_written_with_the_hours_of_another_place_is_the_day_in_utc() -> None:
    hours = [f"2023-03-{day:02} {(19, '-05') if day < 12 else (20, '-04')}" for day in range(1, 32)]
    moments = [at.replace("(", "").replace(", '", ":00:00").replace("')", ":00") for at in hours]
    export = read(history(moments))
    assert pairs(export)[0][0] == "2023-03-02"
    assert (
        "the times of day (19:00, 20:00) are midnight in UTC, and so are the days" in export.notes
    )


@pytest.mark.parametrize("time", ["00:30", "02:00", "08:00:00", "11:59", "23:59", "23:59:59.999"])
def test_one_time_before_noon_or_the_last_minute_is_of_the_day_written(time: str) -> None:
    export = read(history([f"2023-02-{day:02} {time}" for day in range(1, 29)]))
    assert pairs(export)[0][0] == "2023-02-01"
    assert export.notes == (f"every row is of {time[:5]}: its day is the one written",)


@pytest.mark.parametrize("time", ["12:00", "16:00:00", "18:15", "18:30", "20:00", "23:00"])
def test_one_time_from_noon_on_is_asked_and_the_option_settles_it(time: str) -> None:
    content = history([f"2023-02-{day:02} {time}" for day in range(1, 29)])
    reason = refusal(content)
    assert f"the rows are of {time[:5]}, which may be midnight further east" in reason
    assert "--day stated if the first is of 2023-02-01, --day next if it is of 2023-02-02" in reason
    assert pairs(read(content, day="stated"))[0] == ("2023-02-01", "100.1")
    assert pairs(read(content, day="next"))[0] == ("2023-02-02", "100.1")
    assert any("--day next" in note for note in read(content, day="next").notes)


def test_the_option_overrides_nothing_that_the_file_shows() -> None:
    plain = history([f"2023-02-{day:02}" for day in range(1, 29)])
    berlin = history(list(map(WRITTEN["text"], midnights(PLACES["Berlin"]))))
    for content in (plain, berlin):
        assert pairs(read(content, day="next")) == pairs(read(content))


def test_different_times_are_refused_and_kept_as_written_if_that_is_said() -> None:
    content = history([f"2023-02-{day:02} {day % 11:02}:10:{day:02}" for day in range(1, 29)])
    assert "(00:10, 01:10, 02:10, 03:10, 04:10, 05:10, …)" in refusal(content)
    assert pairs(read(content, day="stated"))[-1][0] == "2023-02-28"


def test_a_newest_row_later_than_midnight_is_of_its_day_and_noted() -> None:
    export = read(
        history([*(f"2023-02-{d:02} 00:00:00" for d in range(1, 28)), "2023-02-28 13:54"])
    )
    assert pairs(export)[-1] == ("2023-02-28", "127.1")
    assert export.notes == ("the newest row is of 2023-02-28 13:54, before that day was over",)


def test_times_in_a_column_of_their_own_count_too() -> None:
    def content(time: str) -> str:
        rows = (f"2023.02.{day:02}\t{time}\t1\t2\t1\t1.{day:02}\n" for day in range(1, 29))
        return "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\n" + "".join(rows)

    assert read(content("00:00:00")).notes == ()
    assert "the rows are of 23:00" in refusal(content("23:00:00"))
    assert pairs(read(content("23:00:00"), day="next"))[0] == ("2023-02-02", "1.01")


def test_weeks_of_a_trend_follow_the_clock_as_well() -> None:
    sundays = [moment for moment in midnights(PLACES["Berlin"]) if moment.weekday() == 5]
    rows = "".join(f"{at:%Y-%m-%d %H:%M:%S+00:00},{40 + i}\n" for i, at in enumerate(sundays))
    export = read("date,bitcoin,isPartial\n".replace(",isPartial", "") + rows)
    assert export.granularity == "week"
    assert {date.fromisoformat(day).weekday() for day, _ in pairs(export)} == {6}
