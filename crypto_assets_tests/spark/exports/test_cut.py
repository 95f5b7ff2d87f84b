"""A file that was cut: only its very last cell, where no line end follows it."""

import pytest

from .helpers import pairs, problems, read, refusal, roles

CUT = "the file ends here without a line end, and its last cell may be cut: left out"
TWO = "timestamp,price\n" + "".join(
    f"2024-01-{day:02},{29000 + day}.5024\n" for day in range(1, 31)
)
FIVE = '"Datum";"Zuletzt";"Eröffn.";"Hoch";"Tief"\n' + "".join(
    f'"{day:02}.01.2024";"{100 + day},25";"{99 + day},25";"{101 + day},75";"{98 + day},75"\n'
    for day in range(30, 0, -1)
)
BARS = "Date;Open;High;Low;Close\n" + "".join(
    f"2024-01-{day:02};{99 + day}.25;{101 + day}.75;{98 + day}.75;{100 + day}.25\n"
    for day in range(1, 31)
)


@pytest.mark.parametrize("end", ["", "2", "29", "2903", "29031", "29031.", "29031.5", "29031.50"])
def test_a_cut_value_is_left_out_and_noted(end: str) -> None:
    export = read(TWO + f"2024-01-31,{end}")
    assert roles(export)[-1] == "left_out"
    assert problems(export) == {32: CUT}
    assert pairs(export)[-1] == ("2024-01-30", "29030.5024")
    assert (export.rows, str(export.last_date)) == (30, "2024-01-30")


@pytest.mark.parametrize("end", ["", "2024", "2024-01-", "2024-01-3", "2024-01-31"])
def test_a_line_cut_in_its_date_or_behind_it_is_left_out(end: str) -> None:
    export = read(TWO + end)
    assert export.rows == 30
    assert problems(export) == ({32: CUT} if end else {})


def test_a_whole_value_without_a_line_end_stays() -> None:
    export = read(TWO.removesuffix("\n"))
    assert export.rows == 30
    assert problems(export) == {}
    assert pairs(read(TWO + "2024-01-31,29031.5024"))[-1] == ("2024-01-31", "29031.5024")


def test_a_short_value_before_a_line_end_is_a_value() -> None:
    assert pairs(read(TWO + "2024-01-31,29031.5\n"))[-1] == ("2024-01-31", "29031.5")


def test_a_value_as_short_as_another_one_stays() -> None:
    weeks = "Week,bitcoin: (Worldwide)\n2024-01-07,7\n2024-01-14,75\n2024-01-21,8"
    assert pairs(read(weeks))[-1] == ("2024-01-21", "8")
    weeks = "Week,bitcoin: (Worldwide)\n2024-01-07,74\n2024-01-14,75\n2024-01-21,7"
    assert pairs(read(weeks))[-1] == ("2024-01-14", "75")


@pytest.mark.parametrize("end", ['"99,', '"99,75', '"', '"99,75"', ""])
def test_a_line_cut_behind_its_value_stays(end: str) -> None:
    export = read(FIVE + f'"31.12.2023";"100,25";"100,75";{end}')
    assert pairs(export)[-1] == ("2023-12-31", "100.25")
    assert problems(export) == {}


def test_a_line_cut_with_an_open_quote_in_its_value_is_left_out() -> None:
    for end in ('"31.12.2023";"100,2', '"31.12.2023";"1', '"31.12.2023";"', '"31.12'):
        export = read(FIVE + end)
        assert roles(export)[-1] == "left_out"
        assert export.rows == 30


def test_a_line_without_the_cell_of_its_value_is_left_out() -> None:
    for end in ("", ";", ";130.25;1", ";130.25;132.75;129.75;", ";130.25;132.75;129.75;1"):
        assert problems(read(BARS + "2024-01-31" + end)) == {32: CUT}


def test_newest_first_and_with_another_kind_of_line_end() -> None:
    rows = TWO.splitlines()
    content = "\r\n".join([rows[0], *reversed(rows[1:]), "2023-12-31,2"])
    assert pairs(read(content))[-1] == ("2024-01-01", "29001.5024")
    assert pairs(read((content + "\r\n").replace(",2\r", ",28999.5\r")))[-1][1] == "28999.5"


def test_a_date_behind_the_value_may_be_cut_as_well() -> None:
    rows = "".join(f"{100 + day}.25,2021-04-{day:02}\n" for day in range(1, 30))
    export = read("price,date\n" + rows + "130.25,2021-04-3")
    assert (export.rows, roles(export)[-1]) == (29, "left_out")


def test_words_below_the_data_are_a_footer_with_or_without_a_line_end() -> None:
    for footer in ("All rights reserved", "This data was produced from, among others, a page"):
        export = read(TWO + footer)
        assert (roles(export)[-1], export.rows) == ("footer", 30)
        assert ",".join(export.lines["cells"].to_pylist()[-1]) == footer


def test_the_only_line_is_not_left_out() -> None:
    assert "the only line with a date may be cut" in refusal('Date,Close\n"2024-01-31","2')
