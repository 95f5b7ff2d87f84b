"""Reading drops of customers and accounts: every row with its line, or a refusal that names one."""

from __future__ import annotations

import hashlib
import io
import tracemalloc

import pytest

from crypto_assets.spark.accounts import reading, tables
from crypto_assets.spark.accounts.reading import Drop, schema
from crypto_assets.spark.problems import ReadError

CUSTOMERS = "customer_id,first_name,last_name,gender,state\n"
ACCOUNTS = "customer_id,account_number,type_of_account,created_at\n"


def read(content, kind="customers", forgotten=()):
    """The rows as lists of line, cells and problem, and the facts."""
    data = content.encode() if isinstance(content, str) else content
    drop = Drop(io.BytesIO(data), kind, forgotten)
    rows = [list(row.values()) for batch in drop.batches() for row in batch.to_pylist()]
    facts = drop.facts()
    parts = ("header", "rows", "blank", "forgotten", "continued")
    assert sum(facts[part] for part in parts) == facts["lines"]
    assert (facts["rows"], facts["line_sum"]) == (len(rows), sum(row[0] for row in rows))
    return rows, facts


def rows(content, **options):
    return read(content, **options)[0]


def refusal(content, kind="customers"):
    with pytest.raises(ReadError) as caught:
        read(content, kind)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_rows_come_as_text_with_the_line_each_begins_on():
    text = '1,José,O\'Brien,m,"Washington, D.C."\n2,"Lou\nAnn","He said ""hi""",,WA\n3,a,b,c,d'
    found, facts = read(CUSTOMERS + text)
    assert found == [
        [2, "1", "José", "O'Brien", "m", "Washington, D.C.", None],
        [3, "2", "Lou\nAnn", 'He said "hi"', None, "WA", None],
        [5, "3", "a", "b", "c", "d", None],
    ]
    assert (facts["lines"], facts["continued"], facts["notes"]) == (5, 1, [])


def test_accounts_are_read_likewise():
    assert rows(ACCOUNTS + "7,,legacy,2020-01-02T03:04:05.678Z\n", kind="accounts") == [
        [2, "7", None, "legacy", "2020-01-02T03:04:05.678Z", None]
    ]


@pytest.mark.parametrize("kind", ["customers", "accounts"])
def test_the_columns_are_those_of_bronze(kind):
    table = {"customers": tables.BRONZE_CUSTOMERS, "accounts": tables.BRONZE_ACCOUNTS}[kind]
    names = list(table.names)
    assert [*schema(kind).names, "facts", "snapshot"] == names


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way_and_so_may_lines_inside_quotes(end):
    text = CUSTOMERS + '1,a,"b\nc",d,e\n2,f,g,h,i\n'
    found = rows(text.replace("\n", end))
    assert [row[0] for row in found] == [2, 4]
    assert found[0][3] == f"b{end}c"


def test_an_end_of_line_may_fall_between_two_blocks(monkeypatch):
    text = CUSTOMERS.replace("\n", "\r\n") + '1,é,"b\r\nc",d,e\r\n2,f,g,h,i\r\n'
    expected = read(text)
    for size in range(len(CUSTOMERS), 80):
        monkeypatch.setattr("crypto_assets.spark.accounts.lines.BLOCK_BYTES", size)
        assert read(text) == expected


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_header_tells_the_delimiter(delimiter):
    text = CUSTOMERS.replace(",", delimiter) + delimiter.join(["1", "a", "b", "f", "Utah, USA\n"])
    found, facts = read(text)
    assert found == [[2, "1", "a", "b", "f", "Utah, USA", None]]
    assert facts["delimiter"] == delimiter


def test_columns_are_found_by_name_in_any_order_and_others_are_left_out_and_noted():
    text = "State, LASTNAME ,email,Customer ID,firstname,Gender,\nUtah,Lee,x@y.z,5,Ann,f,\n"
    found, facts = read("\ufeff" + text)
    assert found == [[2, "5", "Ann", "Lee", "f", "Utah", None]]
    assert facts["notes"] == ["columns left out: email, ''"]


def test_a_header_in_other_words_is_taken_by_position():
    found, facts = read("Nummer,Vorname,Nachname,Geschlecht,Land\n1,a,b,c,d\n")
    assert found == [[2, "1", "a", "b", "c", "d", None]]
    assert "Nachname" in facts["notes"][0]


def test_one_unknown_name_in_its_place_is_taken_by_position():
    found, facts = read("customer_id,first_name,surname,gender,state\n1,a,b,c,d\n")
    assert found[0][3] == "b"
    assert facts["notes"] == ["taken by position as last_name: surname"]


def test_a_file_without_header_loses_no_row():
    found, facts = read('1,a,b,d,e\n2,"f\nf",g,h,i\n3,j,k,l,m\n')
    assert [row[:2] for row in found] == [[1, "1"], [2, "2"], [4, "3"]]
    assert (facts["header"], facts["notes"]) == (0, ["no header: columns by position"])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "customer_id,first_name,firstname,last_name,gender,state",
            "first_name stands there twice",
        ),
        ("customer_id,first_name,gender,state", "no column last_name"),
        ("customer_id,first_name,gender,surname,state", "no column last_name"),
        ("a,b,c", "its 3 columns are not known"),
        (",Ann,Lee,f,Utah", "its 5 columns are not known"),
        (ACCOUNTS.strip(), "this is a file of accounts, one of customers is wanted"),
        (
            'customer_id,"first_name,last_name,gender,state',
            "a quote is not closed",
        ),
        ("customer_id," + "x," * 300, "302 columns"),
    ],
)
def test_a_header_that_leaves_a_doubt_is_refused(header, message):
    assert refusal(f"\n{header}\n1,a,b,c,d\n").startswith("line 2")
    assert message in refusal(f"\n{header}\n1,a,b,c,d\n")


def test_blank_rows_are_left_out_and_counted_wherever_they_stand():
    text = "\n,,\n" + CUSTOMERS + '1,a,b,c,d\n\n,,,,\n  , ,\t,," "\n,\n2,a,b,c,d\n\n'
    found, facts = read(text)
    assert [row[0] for row in found] == [4, 9]
    assert facts["blank"] == 7


def test_a_row_whose_only_text_is_in_another_column_is_not_blank():
    found, _ = read("customer_id,first_name,last_name,gender,state,note\n,,,,,call back\n,,,,,\n")
    assert found == [[2, None, None, None, None, None, None]]


def test_white_space_around_cells_goes_and_words_for_nothing_are_null():
    found = rows(CUSTOMERS + ' 1 ,\u00a0NULL, ,None,  New  York \n2,NULL, null ,-, "a, b"\n')
    assert found == [
        [2, "1", None, None, None, "New  York", None],
        [3, "2", None, None, None, "a, b", None],
    ]


def test_a_row_with_too_few_or_many_cells_has_a_problem_and_the_others_do_not():
    found = rows(CUSTOMERS + "1,a,b,c\n2,a,b,c,d\n3,a,b,c,d,e\n")
    assert found == [
        [2, *[None] * 5, "4 cells where the header has 5"],
        [3, "2", "a", "b", "c", "d", None],
        [4, *[None] * 5, "6 cells where the header has 5"],
    ]


def test_rows_of_forgotten_customers_are_left_out_however_their_id_is_written():
    text = CUSTOMERS + "7,a,b,c,d\n 007 ,a,b,c,d\n+7,a,b,c,d\n70,a,b,c,d\n,a,b,c,d\n0,a,b,c,d\n"
    found, facts = read(text, forgotten=(7, 0))
    assert [row[1] for row in found] == ["70", None]
    assert facts["forgotten"] == 4


def test_a_quote_that_swallows_rows_is_a_problem_though_the_number_of_cells_is_right():
    assert rows(CUSTOMERS + '1,"Ann,Lee,f,Utah\n2,Bob",Ray,m,Ohio\n3,a,b,c,d\n') == [
        [2, *[None] * 5, "a quoted cell holds whole rows: close its quotes where it ends"],
        [4, "3", "a", "b", "c", "d", None],
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf\r\n , ,\n", "the file is empty"),
        (b"PK\x03\x04", "ZIP archive or an Excel workbook"),
        (CUSTOMERS.encode("utf-16"), "line 1: the file is UTF-16"),
        (CUSTOMERS.encode("utf-16-le"), "line 1: a NUL byte"),
        (f"{CUSTOMERS}1,a,b,c,d\n2,\0,b,c,d\n", "line 3: a NUL byte"),
        (f"{CUSTOMERS}1,a,b,c,d\r2,é,b,c,d\r".encode("cp1252"), "line 3: bytes there are no UTF-8"),
        (CUSTOMERS + '1,a,b,c,d\n2,"a,b,c,d\n3,a,b,c,d\n', "line 3: a quote opens a cell"),
        (CUSTOMERS + '1,"a\nb","c,d,e\n2,a,b,c,d\n', "line 3: a quote opens a cell"),
        (CUSTOMERS + '1,"a,b,c,d\n2,"a, b",b,c,d\n', "line 2: a quote opens a cell"),
        (CUSTOMERS + '1,"a" b,b,c,d\n', "line 2: a quote opens a cell"),
        (CUSTOMERS + '1,"a\n' + "2,a,b,c,d\n" * 20_000, "line 2: a quote opens a cell"),
        (CUSTOMERS + "1,a,b,c,d\n2," + "x" * 200_000 + ",b,c,d\n", "line 3: field larger than"),
        (CUSTOMERS + "1,a,b,c,d\n2," + "x" * 3_000_000, "line 3 is longer than 1,048,576 bytes"),
        (CUSTOMERS + "1,a,b,c,d\n2" + ',"x\n"' * 2_000_000, "line 3: a row of more than 4 MB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(content, message):
    assert message in refusal(content)


def test_a_file_over_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr("crypto_assets.spark.accounts.lines.MAX_BYTES", 1024**3)
    drop = Drop(Endless(CUSTOMERS.encode(), b"1,a,b,c,d\n" * 100_000), "customers")
    drop.lines._size = 1024**3 - 2 * 10**6  # as if a gigabyte had been read
    with pytest.raises(ReadError, match="larger than 1 GB: split it"):
        list(drop.batches())


class Endless:
    """A stream that gives its beginning once and then the same bytes for ever."""

    def __init__(self, beginning, more):
        self._left, self._more = beginning, more

    def read(self, size):
        given, self._left = self._left or self._more[:size], b""
        return given


def test_memory_does_not_grow_with_the_file():
    rows_of_a_block = b"1,Ann,Lee,f,Utah\n" * 60_000
    batches = Drop(Endless(CUSTOMERS.encode(), rows_of_a_block), "customers").batches()
    tracemalloc.start()
    held = []
    for _ in range(3):
        assert sum(len(next(batches)) for _ in range(6)) > 40_000
        held.append(tracemalloc.get_traced_memory()[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held[2] < 1.5 * held[0]
    assert peak < 20 * 1024**2


def test_rows_come_in_batches_and_lines_are_counted_through():
    text = CUSTOMERS + "".join(f"{number},a,b,c,d\n" for number in range(20_000))
    drop = Drop(io.BytesIO(text.encode()), "customers")
    batches = list(drop.batches())
    assert max(map(len, batches)) == reading.CHUNK_ROWS
    lines = [line for batch in batches for line in batch["line"].to_pylist()]
    assert lines == list(range(2, 20_002))
    assert drop.lines.digest == hashlib.sha256(text.encode()).hexdigest()


def test_a_file_of_a_header_alone_has_no_rows():
    found, facts = read(CUSTOMERS)
    assert (found, facts["rows"], facts["lines"]) == ([], 0, 1)


def test_people_called_null_or_na_keep_their_names():
    found = rows(CUSTOMERS + "1,Na,Null,NA,None\n2,NULL,,n/a,-\n")
    assert [row[2:6] for row in found] == [["Na", "Null", None, None], [None] * 4]
