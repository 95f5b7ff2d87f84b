"""A shape is one row: what each row states is what is read, and a new one needs nothing else."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crypto_assets.spark.exports import shapes
from crypto_assets.spark.exports.shapes import NO_HEADER, SHAPES, Shape

from .helpers import pairs, read, refusal

DATES = {  # how a row writes its dates -> three days
    "YYYY-MM-DD": ("2024-01-01", "2024-01-02", "2024-01-03"),
    "YYYY-MM-DD hh:mm:ss": ("2024-01-01 00:00:00", "2024-01-02 00:00:00", "2024-01-03 00:00:00"),
    "Mon DD, YYYY": ('"Jan 01, 2024"', '"Jan 02, 2024"', '"Jan 03, 2024"'),
    "M/D/YYYY": ("1/13/2024", "1/14/2024", "1/15/2024"),
    "YYYYMMDD": ("20240101", "20240102", "20240103"),
    "Unix seconds": ("1704067200", "1704153600", "1704240000"),
    "Unix milli- or microseconds": ("1704067200000", "1704153600000", "1704240000000"),
}
CELLS = {"open": "1.0", "high": "1.9", "low": "0.9", "time": "0", "otwar": "1.0", "najniz": "0.9"}
KNOWN = [shape for shape in SHAPES if shape.kind == "history" and (shape.marks or shape.first)]
PLAIN = [shape for shape in KNOWN if shape.date in DATES]


def example(shape: Shape) -> str:
    """Three days in the shape, prices from 1.5 on, every other column different."""
    names = shape.header.removeprefix(NO_HEADER).removesuffix(",…").split(",")
    words = [name.lower().strip("<>") for name in names]
    dated = next(
        i for i, word in enumerate(words) if "date" in word or "time" in word or word == "data"
    )
    lines = [] if shape.header.startswith(NO_HEADER) else [",".join(names)]
    prices = ("close", "price", "last", "value", "bpi", "zamkniecie", "market-price", "close price")
    for day, price in zip(DATES[shape.date], ("1.5", "1.25", "1.75"), strict=True):
        cells = []
        for i, word in enumerate(words):
            priced = word in prices or word.startswith(("closing", "btc_market_price"))
            other = next((cell for part, cell in CELLS.items() if part in word), "7")
            cells.append(day if i == dated else price if priced else other)
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("shape", PLAIN, ids=lambda shape: f"{shape.source}: {shape.header[:30]}")
def test_each_row_of_the_table_is_read_and_named_as_it_states(shape: Shape) -> None:
    export = read(example(shape), kind="history")
    assert export.source == shape.source
    assert [value for _, value in pairs(export)] == ["1.5", "1.25", "1.75"]


HEADERLESS = {
    "Apr {:02}, 2021": "103.{0},104.{0},105.5,102.5,1.5K",
    "04/{:02}/2021": "103.{0},104.{0},105.5,102.5,1.5K,0.5%",
    "{:02}.04.2021": "103.{0},104.{0},105.5,102.5,1.5K",
}


@pytest.mark.parametrize("day", HEADERLESS)
def test_investing_without_its_header_is_known_by_its_high_and_low(day: str) -> None:
    cells = HEADERLESS[day]
    lines = [f'"{day.format(i)}",{cells.format(i)}' for i in range(30, 10, -1)]
    export = read("\n".join(lines), kind="history")
    assert (export.source, pairs(export)[0]) == ("investing.com", ("2021-04-30", "103.30"))
    bars = [line.replace("104.", "105.9", 1).replace("105.5", "102.4") for line in lines]
    assert "--price COLUMN" in refusal("\n".join(bars), kind="history")


def test_no_row_hides_another_one() -> None:
    for one, two in itertools.permutations([shape for shape in KNOWN if shape.marks], 2):
        assert one.kind != two.kind or one.marks != two.marks, (one.header, two.header)


COMMAS = "Fecha;Cotizacion;Importe\n2024-01-01;1,500;7\n2024-01-02;1,250;8\n2024-01-03;1,125;9\n"
SITE = Shape(
    "history",
    "bolsa.example",
    "Fecha;Cotizacion;Importe",
    "YYYY-MM-DD",
    decimal="comma",
    marks=frozenset({"fecha", "cotizacion", "importe"}),
)


def test_a_site_with_decimal_commas_is_one_more_row(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "the decimal mark is not certain" in refusal(COMMAS)
    monkeypatch.setattr(shapes, "SHAPES", (*SHAPES, SITE))
    export = read(COMMAS)
    assert (export.source, export.decimal) == ("bolsa.example", "comma")
    assert [value for _, value in pairs(export)] == ["1.500", "1.250", "1.125"]


LANGUAGE = """
import io
from crypto_assets.spark.exports import read_export
for header in (b"Datum,Price", b"Datum,Foo"):
    rows = b"\\n2024-01-01,1.5\\n2024-01-02,1.5\\n"
    print(read_export(io.BytesIO(header + rows)).language)
"""


def test_the_language_does_not_depend_on_the_process() -> None:
    for seed in ("1", "2", "3", "4"):
        done = subprocess.run(
            [sys.executable, "-c", LANGUAGE],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[3])},
            timeout=60,
        )
        assert done.stdout.split() == ["en", "de"]
