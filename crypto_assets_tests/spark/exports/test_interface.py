"""What the rest of the product relies on: types, schema, the table of shapes, bounded work."""

import ast
import sys
import time
from datetime import date
from pathlib import Path

import pyarrow as pa

import crypto_assets.spark.exports as exports_package
from crypto_assets.spark.exports import understood_shapes

from .dialects import Dialect, market, write_history
from .helpers import read

FOLDER = Path(exports_package.__file__).parent


def test_the_lines_table_has_the_agreed_schema() -> None:
    export = read("Date,Close\n2024-01-13,1.5\n2024-01-14,1.25\n")
    assert export.lines.schema == pa.schema(
        [
            ("line", pa.int32()),
            ("role", pa.string()),
            ("cells", pa.list_(pa.string())),
            ("date", pa.string()),
            ("value", pa.string()),
            ("problem", pa.string()),
        ]
    )
    assert export.columns.date == 0
    assert export.columns.value == 1


def test_the_table_of_shapes_names_every_source_once_per_header() -> None:
    shapes = understood_shapes()
    assert len({(shape.kind, shape.source, shape.header) for shape in shapes}) == len(shapes)
    assert {shape.kind for shape in shapes} == {"history", "trend"}
    assert all(shape.header and shape.date for shape in shapes)


OURS = {"crypto_assets.spark.problems", "crypto_assets.spark.printable"}


def test_the_package_needs_only_two_small_modules_arrow_numpy_and_the_standard_library() -> None:
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in set(names) - OURS:
                top = name.split(".")[0]
                assert top in ("numpy", "pyarrow") or top in sys.stdlib_module_names, (
                    path.name,
                    name,
                )


def test_five_thousand_rows_are_read_in_a_moment() -> None:
    content = write_history(market(first=date(2011, 1, 1), days=5000), Dialect())
    read(content)
    start = time.process_time()
    for _ in range(5):
        read(content)
    assert (time.process_time() - start) / 5 < 0.2  # it is near 0.01; slow machines are slow
