"""What holds for any drop: what was written is read, and no line is ever lost in silence."""

from __future__ import annotations

import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st

from crypto_assets.spark.accounts.reading import Drop
from crypto_assets.spark.exports.numbers import MISSING
from crypto_assets.spark.problems import ReadError

COLUMNS = ["customer_id", "first_name", "last_name", "gender", "state"]
HEADER = ",".join(COLUMNS)
CELLS = st.text(st.sampled_from("aé1 -'\"\n\r\t,;|"), max_size=6)


def read(data):
    drop = Drop(io.BytesIO(data), "customers")
    rows = [row for batch in drop.batches() for row in batch.to_pylist()]
    return rows, drop.facts()


def meant(column, cell):
    """What a cell says: there is no word for nothing that is no name but these two."""
    text = cell.strip()
    absent = ["null", "NULL"] if column in {"first_name", "last_name"} else MISSING.split(",")
    return None if text in absent else text or None


@given(
    rows=st.lists(st.lists(CELLS, min_size=5, max_size=5), max_size=6),
    order=st.permutations(range(5)),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_what_a_writer_of_csv_wrote_is_read_cell_by_cell(rows, order, delimiter, end, bom):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow([COLUMNS[place] for place in order])
    writer.writerows([[row[place] for place in order] for row in rows])
    found, facts = read(bom + file.getvalue().encode())
    kept = [row for row in rows if "".join(row).strip()]
    assert facts["blank"] == len(rows) - len(kept)
    for row, cells in zip(found, kept, strict=True):
        if row["problem"] is None:
            expected = [meant(*cell) for cell in zip(COLUMNS, cells, strict=True)]
            assert [row[column] for column in COLUMNS] == expected
        else:
            assert any(cell.count(delimiter) > 3 for cell in cells)


def read_or_refusal(data):
    """What was read, or what was said instead."""
    try:
        return read(data), None
    except ReadError as refusal:
        return None, str(refusal)


@given(st.lists(st.sampled_from(['"', ",", "\n", "\r", "1", "é", " ", '""', "a,b,c,d,e\n"])))
@example(['"'])
@example(["\r", "\n", '"', "\n"])
def test_any_text_below_a_header_is_accounted_for_or_refused(pieces):
    text = "".join(pieces)
    found, refusal = read_or_refusal(f"{HEADER}\n{text}".encode())
    if refusal:
        assert refusal.startswith("line ")
        assert '"' in text
        return
    rows, facts = found
    lines = len(io.StringIO(f"{HEADER}\n{text}", newline="").readlines())
    parts = ("header", "rows", "blank", "forgotten", "continued")
    assert lines == facts["lines"] == sum(facts[part] for part in parts)
    assert len(rows) == facts["rows"]
    starts = [row["line"] for row in rows]
    assert starts == sorted(set(starts))


@given(st.binary(max_size=200))
@example(b'""\x01')  # a first line without any cell
def test_any_bytes_are_read_or_refused_in_one_line(data):
    for content in (data, HEADER.encode() + b"\n" + data):
        _, refusal = read_or_refusal(content)
        assert "\n" not in (refusal or "")
