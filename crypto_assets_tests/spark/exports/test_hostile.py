"""Files that are no exports, or that attack the reader: one clear line, bounded memory and time."""

import gzip
import io
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from crypto_assets.spark.exports import read_export
from crypto_assets.spark.problems import ReadError
from crypto_assets_tests.helpers.waiting import HANG_S

from .helpers import pairs, problems, read, refusal

GOOD = "Date,Close\n2024-01-01,1.5\n2024-01-02,1.25\n2024-01-03,1.5\n"
PACKAGE = Path(__file__).parents[3]


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", GOOD)
    return buffer.getvalue()


NOT_CSV = {
    "empty": (b"", "empty"),
    "blank": (b"\n \r\n\t\n", "empty"),
    "only a BOM": (b"\xef\xbb\xbf", "empty"),
    "only delimiters": (b",,,\n,,,\n", "empty"),
    "only a header": (b"Date,Price,Open,High,Low\n", "only a header"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    "zip": (_zip(), "ZIP"),
    "gzip": (gzip.compress(GOOD.encode()), "gzip"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "Excel"),
    "html": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "HTML"),
    "json": (b'{"prices": [[1, 2.0]]}', "JSON"),
    "prose": (b"Dear all,\nthe prices are attached.\nYours\n", "no column of dates"),
    "one word": (b"hello", "not a table"),
    "NUL": (GOOD.encode() + b"2024-01-04,\x001.5\n", "(line 5: 2024-01-04,\\u00001.5)"),
    "NUL with BOM": (b"\xef\xbb\xbf" + GOOD.encode() + b"\0", "NUL"),
    "control": (GOOD.encode() + b"\x1f", "a control character"),
    "lone surrogate": (GOOD.encode() + b"2024-01-04,\xed\xa0\x80\n", "lone surrogate"),
    "utf-16 surrogate": ((GOOD + "\ud800").encode("utf-16", "surrogatepass"), "half character"),
    "cut utf-16": (GOOD.encode("utf-16")[:-1], "half character"),
    "row numbers": (b"snapped_at,price\n1,1.5\n2,1.5\n3,1.25\n", "no column of dates"),
    "no numbers": (b"Date,Close\n2024-01-01,x\n2024-01-02,y\n", "no row has a price"),
    "unknown column": (
        b"Date,Foo,Bar\n2024-01-01,4001.5,1\n2024-01-02,4001.5,1\n",
        "not certain which",
    ),
    "every 38 days": (b"Date,Close\n2024-01-01,1\n2024-02-08,1\n2024-03-17,1\n", "every 38 days"),
    "megabyte cell": (GOOD.encode() + b"2024-01-04," + b"9" * 1_000_000, "longer than"),
    "many columns": (b",".join([b"1"] * 10_000) + b"\n" + GOOD.encode(), "10,000 columns"),
    "many columns everywhere": ((b",".join([b"1"] * 10_000) + b"\n") * 3, "10,000 columns"),
    "unclosed quotes": (b"Date,Close\n" + b'2024-01-01,"1.5\n' * 3000, "quotes do not match"),
    "prices in the future": (b"Date,Close\n2094-01-13,1\n2094-01-14,1\n", "in the future"),
}


@pytest.mark.parametrize("name", NOT_CSV)
def test_what_is_no_export_is_refused_with_one_clear_line(name: str) -> None:
    content, reason = NOT_CSV[name]
    assert reason in refusal(content)


@pytest.mark.parametrize("formula", ["=cmd|' /C calc'!A0", "@SUM(1)", "+1+cmd", "-2+3", "\t=1"])
def test_spreadsheet_formulas_are_text_and_never_a_price(formula: str) -> None:
    export = read(GOOD + f'2024-01-04,"{formula}"\n2024-01-05,1.5\n')
    assert list(problems(export)) == [5]
    assert export.lines["cells"].to_pylist()[4] == ["2024-01-04", formula]


def test_mixed_line_ends_are_lines_each() -> None:
    export = read("Date,Close\r\n2024-01-01,1.5\n2024-01-02,1.25\r2024-01-03,1.5")
    assert [day for day, _ in pairs(export)] == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert len(export.lines) == 4


def test_a_line_cut_short_is_bad_not_a_footer() -> None:
    assert list(problems(read(GOOD + "2024-01-0"))) == [5]
    assert list(problems(read(GOOD + '"2024-01-04","1'))) == [5]
    assert list(problems(read("Date,Close\n2024-13-01,1.5\n" + GOOD[11:]))) == [2]


def test_a_stream_that_gives_little_at_a_time() -> None:
    class Slow(io.RawIOBase):
        data = io.BytesIO(GOOD.encode())

        def read(self, size: int = -1) -> bytes:
            return self.data.read(min(size, 7))

    assert read_export(Slow()).rows == 3  # type: ignore[arg-type]


CHILD = """
import resource, sys, io
from crypto_assets.spark.exports import read_export
from crypto_assets.spark.problems import ReadError
class Made(io.RawIOBase):
    def __init__(self, head, piece, size):
        self.head, self.piece, self.left = head, piece, size
    def read(self, size=-1):
        if self.head:
            head, self.head = self.head, b""
            return head
        size = min(size, self.left)
        self.left -= size
        return (self.piece * (size // len(self.piece) + 1))[:size]
read_export(io.BytesIO(b"Date,Close\\n2024-01-13,1.5\\n2024-01-14,1.5\\n"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_export(eval(sys.argv[1]))
except ReadError as refusal:
    print(refusal)
used = resource.getrusage(resource.RUSAGE_SELF)
print((used.ru_maxrss - before) // 1024)
print(used.ru_utime + used.ru_stime)
"""
MINUTES = (
    "Made(b'Date,Close\\n' + b''.join(b'2024-01-01 %02d:%02d:00,1.5\\n' % (i // 60 % 24, i % 60)"
    " for i in range(20000)), b'2024-01-02 10:30:00,1.5\\n', 200_000_000)"
)
LARGE = {
    "minutes": (MINUTES, "several rows per day"),
    "one line": ("Made(b'Date,Close\\n', b'9', 300_000_000)", "longer than"),
    "commas": ("Made(b'Date,Close\\n', b',', 300_000_000)", "longer than"),
    "empty lines": ("Made(b'Date,Close\\n', b'\\n', 300_000_000)", "no column of dates"),
    "short lines": ("Made(b'', b'1,2\\n', 300_000_000)", "no column of dates"),
    "quotes": ("io.BytesIO(b'Date,Close\\n' + b'\"\"\"\",1\\n' * 2_000_000)", "lines"),
}


@pytest.mark.parametrize("name", LARGE)
def test_very_large_files_are_refused_within_bounded_memory_and_time(name: str) -> None:
    expression, reason = LARGE[name]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, expression],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(PACKAGE)},
        timeout=HANG_S,
    )
    message, megabytes, seconds = done.stdout.splitlines()
    assert reason in message
    assert int(megabytes) < 300
    assert float(seconds) < 30  # of the processor


def test_many_small_lines_within_the_limit_stay_quick() -> None:
    start = time.process_time()
    for line in (b"1,2\n", b"a\n", b",\n", b'"a","b"\n', b'"a\n', b"2024-01-01,1\n"):
        with pytest.raises(ReadError):
            read_export(io.BytesIO(b"Date,Close\n" + line * 99_000))
    assert time.process_time() - start < 20
