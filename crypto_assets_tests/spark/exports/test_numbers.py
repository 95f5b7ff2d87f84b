"""What one cell may say: decimal marks against other columns, currency signs, words for nothing."""

import pytest

from .dialects import Day, Dialect, market, write_history
from .helpers import pairs, problems, read, refusal

UNITS = market(days=40, price="1.605", places=3)


def with_cell(line: int, column: int, cell: str, days: list[Day], dialect: Dialect) -> str:
    """The file of a market, with one cell (both counted from 1) replaced."""
    rows = write_history(days, dialect).decode("utf-8-sig").split("\n")
    cells = rows[line - 1][1:-1].split('","')
    cells[column - 1] = cell
    rows[line - 1] = '"' + '","'.join(cells) + '"'
    return "\n".join(rows)


@pytest.mark.parametrize("line", [2, 20, 41])
@pytest.mark.parametrize("layout", ["investing", "bars"])
@pytest.mark.parametrize("cell", ["1.234,56", "1,58", "1.234.567,5", "0,5"])
def test_one_price_never_decides_the_mark_against_the_other_columns(
    line: int, layout: str, cell: str
) -> None:
    dialect = Dialect(layout=layout)
    column = 2 if layout == "investing" else 5
    export = read(with_cell(line, column, cell, UNITS, dialect))
    assert export.decimal == "dot"
    assert problems(export) == {line: f"not a price: '{cell}'"}
    assert dict(pairs(export))[str(UNITS[5].day)] == str(UNITS[5].close)


@pytest.mark.parametrize("cell", ["1,234.56", "1.58", "0.5"])
def test_the_same_with_commas(cell: str) -> None:
    dialect = Dialect(language="pt", dates="dmy.", decimal="comma")
    export = read(with_cell(20, 2, cell, UNITS, dialect))
    assert (export.decimal, export.rows) == ("comma", 39)
    assert problems(export) == {20: f"not a price: '{cell}'"}


@pytest.mark.parametrize("column", [3, 4, 5, 6, 7])
def test_one_cell_of_another_column_decides_nothing_either(column: int) -> None:
    export = read(with_cell(20, column, "1.234,56", UNITS, Dialect()))
    assert (export.decimal, export.rows, problems(export)) == ("dot", 40, {})


def test_one_price_with_both_marks_does_not_decide_for_many_that_may_be_read_either_way() -> None:
    rows = [f"2024-01-{day:02};1.{600 + day}" for day in range(1, 31)]
    assert "the decimal mark is not certain" in refusal(
        "\n".join(["Date;Close", *rows, "2024-01-31;1.234,5"]) + "\n"
    )


def test_prices_that_all_insist_need_no_other_column() -> None:
    rows = "".join(f'2024-01-{day:02};"1.{600 + day},5"\n' for day in range(1, 31))
    assert pairs(read("Date;Close\n" + rows))[0] == ("2024-01-01", "1601.5")


SIGNS = {
    "$1,234.56": "1234.56",
    "$ 1,234.56": "1234.56",
    "-1": "-1",
    "US$1,234.56": "1234.56",
    "R$ 1,234.56": "1234.56",
    "1,234.56 €": "1234.56",
    "1,234.56 USD": "1234.56",
    "₿1234.5": "1234.5",
    "1234.5 USDT": "1234.5",
}


@pytest.mark.parametrize("cell", SIGNS)
def test_a_currency_sign_at_an_end_of_a_cell_is_passed_over(cell: str) -> None:
    export = read(f"Date\tClose\n2024-01-01\t{cell}\n2024-01-02\t1234.5\n")
    assert pairs(export)[0] == ("2024-01-01", SIGNS[cell])


@pytest.mark.parametrize(
    "cell", ["4$5000.10", "45000.$10", "4500€0.10", "$$45000.10", "5.1$0", "4 USD 5"]
)
def test_a_currency_sign_inside_a_number_is_damage(cell: str) -> None:
    rows = "".join(f"2024-01-{day:02},{45000 + day}.10\n" for day in range(1, 20))
    export = read(f"Date,Close\n{rows}2024-01-20,{cell}\n")
    assert problems(export) == {21: f"not a price: '{cell}'"}


def test_a_negative_price_before_its_sign_is_bad() -> None:
    export = read("Date\tClose\n2024-01-01\t-$5.10\n2024-01-02\t5.1\n2024-01-03\t5.1\n")
    assert problems(export) == {2: "a negative price: '-$5.10'"}
