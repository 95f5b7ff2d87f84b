"""What spreadsheets and scripts leave in files: missing cells, stray delimiters, odd headers."""

import pytest

from crypto_assets.spark.problems import ReadError

from .helpers import pairs, problems, read, refusal, roles

DAYS = [f"2024-01-{day:02}" for day in range(1, 11)]
BARS = [f"{day},1.0,2.0,0.5,1.5,{70 + i}" for i, day in enumerate(DAYS)]
HEADER = "Date,Open,High,Low,Close,Volume"
PRICES = [(day, "1.5") for day in DAYS]


def text(*lines: str) -> str:
    """The lines of a file."""
    return "\n".join(lines) + "\n"


def shorter(line: str) -> str:
    """A line without its last cell and the delimiter before it."""
    return line.rpartition(",")[0]


def test_cells_missing_at_the_end_of_many_lines_are_empty() -> None:
    half = [shorter(line) if i < 5 else line for i, line in enumerate(BARS)]
    for rows in (half, half[::-1], [shorter(line) for line in BARS]):
        export = read(text(HEADER, *rows))
        assert sorted(pairs(export)) == PRICES
        assert problems(export) == {}
    assert read(text(HEADER, *half)).lines["cells"].to_pylist()[1] == BARS[0].split(",")[:5]


def test_a_few_lines_with_missing_cells_are_read_only_if_their_prices_are_in_place() -> None:
    rows = [shorter(line) if i == 4 else line for i, line in enumerate(BARS)]
    assert pairs(read(text(HEADER, *rows))) == PRICES
    bare = [f"{day},1.5" if i == 4 else f"{day},1.5,70" for i, day in enumerate(DAYS)]
    reason = "2 cells where the other lines have 3"
    assert problems(read(text("Date,Price,Volume", *bare))) == {6: reason}
    assert pairs(read(text("Date,Price,Volume", *(line[:14] for line in bare)))) == PRICES


def test_cells_that_may_be_missing_elsewhere_refuse_the_file() -> None:
    lost = [line.replace(",1.0,", ",", 1) for line in BARS]
    assert "10 lines have fewer cells than the header" in refusal(text(HEADER, *lost))
    shifted = [f"{day},1.5,70" for day in DAYS]
    for header in ("Date,Symbol,Close,Volume", "Date,Foo,Close,Volume"):
        assert "10 lines have fewer cells than" in refusal(text(header, *shifted))
    assert "which is which" in refusal(text("Date,Time,Close,Volume", *shifted))
    assert "which is which" in refusal(text("No,Date,Close,Volume", *shifted))


LOST = {  # header -> the cells of a day; the price is 1.5
    "Date,Open,High,Low,Close,Volume": "1.0,2.0,0.5,1.5,70",
    "Date,Price,Open,High,Low,Vol.,Change %": "1.5,1.0,2.0,0.5,70,0.5%",
    "Date,Open,High,Low,Close,Adj Close,Volume": "1.0,2.0,0.5,1.5,1.2,70",
    "Date,Volume,Price": "70,1.5",
    "Date,Symbol,Close,Volume": "BTC,1.5,70",
    "Date,Close,Volume,Market Cap": "1.5,70,900",
}


@pytest.mark.parametrize("header", LOST)
@pytest.mark.parametrize("lines", [1, 2, 5, 10])
def test_a_cell_lost_with_its_delimiter_never_puts_another_one_in_the_place_of_the_price(
    header: str, lines: int
) -> None:
    cells = LOST[header].split(",")
    price = cells.index("1.5")
    for lost in range(len(cells)):
        short = ",".join(cells[:lost] + cells[lost + 1 :])
        rows = [f"{day},{short if i < lines else LOST[header]}" for i, day in enumerate(DAYS)]
        try:
            found = pairs(read(text(header, *rows), kind="history"))
        except ReadError:
            continue
        assert {value for _, value in found} <= {"1.5"}, (lost, price)


@pytest.mark.parametrize("tail", [";;;;", "\t\t", "||", ";"])
def test_delimiters_that_a_spreadsheet_put_at_the_ends_of_lines(tail: str) -> None:
    assert pairs(read(text(*(line + tail for line in (HEADER, *BARS))))) == PRICES
    quoted = [",".join(f'"{cell}"' for cell in line.split(",")) for line in (HEADER, *BARS)]
    assert pairs(read(text(*(line + tail for line in quoted)))) == PRICES


def test_commas_at_the_ends_of_lines_with_semicolons() -> None:
    lines = [line.replace(",", ";").replace(".", ",") + ",,,," for line in (HEADER, *BARS)]
    assert pairs(read(text(*lines))) == PRICES


def test_a_delimiter_at_the_end_of_some_lines_only() -> None:
    some = [line + ("," if i % 3 == 1 else "") for i, line in enumerate(BARS)]
    assert pairs(read(text(HEADER, *some))) == PRICES
    assert pairs(read(text(HEADER, *(line + "," for line in BARS)))) == PRICES
    assert pairs(read(text(HEADER + ",,,", *BARS))) == PRICES


HEADERS = ['"Date,Open,High,Low,Close,Volume"', "Date;Open;High;Low;Close;Volume"]


@pytest.mark.parametrize("header", [*HEADERS, '"Date;Open;High;Low;Close;Volume"'])
def test_a_header_in_one_cell(header: str) -> None:
    export = read(text(header, *BARS))
    assert pairs(export) == PRICES
    assert (roles(export)[0], export.columns.value_name) == ("header", "Close")


def test_data_lines_quoted_as_a_whole_below_a_plain_header() -> None:
    assert pairs(read(text(HEADER, *(f'"{line}"' for line in BARS)))) == PRICES


def test_a_sparse_column_of_dates_before_the_full_one() -> None:
    for header in ("event_date,date,close", "Date,day,close", "halving,time,close"):
        rows = [f"{day if i % 4 == 0 else ''},{day},1.5" for i, day in enumerate(DAYS)]
        export = read(text(header, *rows))
        assert (pairs(export), export.columns.date) == (PRICES, 1)
    unix = [f"{DAYS[0] if i == 3 else ''},{1704067200 + 86400 * i},1.5" for i in range(10)]
    assert pairs(read(text("start,unix,close", *unix))) == PRICES


def test_a_constant_column_of_dates_before_the_one_of_the_rows() -> None:
    for header in ("scraped_on,day_of,close", "date,day,close", "updated,unix,close"):
        export = read(text(header, *(f"2024-03-01,{day},1.5" for day in DAYS)))
        assert (pairs(export), export.columns.date) == (PRICES, 1)
    hours = [f"2024-01-01 {hour:02}:00,2024-01-01,1.5" for hour in range(24)]
    assert "several rows per day" in refusal(text("time,date,close", *hours))


MIXED = {
    "MM/DD": ["1/31/2021", "2/1/21", "2/2/21", "2/3/21", "2/4/21", "2/5/2021"],
    "DD.MM": ["31.01.21", "01.02.2021", "02.02.2021", "03.02.21", "04.02.2021", "05.02.2021"],
    "YYYY-MM": ["2021-01-31", "21-02-01", "21-02-02", "2021-02-03", "21-02-04", "2021-02-05"],
    "Mon": ["Jan-31-21", "Feb-01-2021", "Feb-02-2021", "Feb-03-21", "Feb-04-21", "Feb-05-2021"],
}


@pytest.mark.parametrize("order", MIXED)
def test_years_of_two_and_of_four_digits_in_one_column(order: str) -> None:
    export = read(text("Date;Price", *(f"{day};1.5" for day in MIXED[order])))
    days = ["2021-01-31", *(f"2021-02-0{day}" for day in range(1, 6))]
    assert [day for day, _ in pairs(export)] == days


def test_a_few_years_of_two_digits_between_many_of_four() -> None:
    days = [f"1/{day}/{'21' if day in (13, 27) else '2021'}" for day in range(1, 32)]
    assert read(text("Date,Price", *(f"{day},1.5" for day in days))).rows == 31


@pytest.mark.parametrize("dash", ["-", "/", ".", " "])
@pytest.mark.parametrize("year", ["2021", "21"])
def test_a_month_word_before_the_day_with_any_separator(dash: str, year: str) -> None:
    days = [dash.join((month, day, year)) for month, day in (("Jun", "29"), ("Jun", "30"))]
    export = read(text("Date;Price", *(f"{day};1.5" for day in days)))
    assert pairs(export) == [("2021-06-29", "1.5"), ("2021-06-30", "1.5")]


PREAMBLES = [
    ("Time Period,12M",),
    ("Keyword,bitcoin", "Time Period,5Y", "Growth,+35%", "Volume,1.2M", ""),
    ("sep=,",),
]


@pytest.mark.parametrize("preamble", PREAMBLES)
def test_numbers_above_the_header_are_no_data(preamble: tuple[str, ...]) -> None:
    weeks = ["2024-01-07", "2024-01-14", "2024-01-21", "2024-01-28", "2024-02-04"]
    export = read(text(*preamble, "Week,bitcoin", *(f"{week},5" for week in weeks)))
    assert pairs(export) == [(week, "5") for week in weeks]
    assert problems(export) == {}
    assert roles(export)[0] == "preamble"


def test_undefined_is_a_word_for_nothing() -> None:
    assert pairs(read("Date,Close\n2024-01-01,1.5\n2024-01-02,undefined\n2024-01-03,1.5\n"))[1] == (
        "2024-01-02",
        "undefined",
    )
