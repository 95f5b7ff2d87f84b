"""The version of a data set's transformation code: a hash of the source files it is made of.

Kept apart from the code it hashes, so that it can be asked for without importing pyspark.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

DataSet = Literal["market_data", "accounts"]

_FOLDER = Path(__file__).parent


@cache
def code_version(data_set: DataSet) -> str:
    """Twelve hexadecimal digits that change whenever a file of this data set's code does."""
    digest = hashlib.sha256()
    for path in sources(data_set):
        digest.update(path.relative_to(_FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def sources(data_set: DataSet) -> list[Path]:
    """The customer accounts' files and all they import; for market data all files but those."""
    accounts = set(_FOLDER.joinpath("accounts").glob("*.py"))
    if data_set == "market_data":
        return sorted(set(_FOLDER.rglob("*.py")) - accounts)
    found, left = set(accounts), list(accounts)
    while left:
        new = {path for path in _imported(left.pop()) if path.is_file()} - found
        found |= new
        left += new
    return sorted(found)


def _imported(path: Path) -> Iterator[Path]:
    """Where the modules of this folder would stand that the file imports, names among them too."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            start = path.parents[node.level - 1] if node.level else _FOLDER.parents[1]
            module = start.joinpath(*(node.module or "").split("."))
            if module.is_relative_to(_FOLDER):
                names = (module / alias.name for alias in node.names)
                yield from (each.with_suffix(".py") for each in (module, *names))
