"""The version of a data set's code: a hash of what can change its tables.

Kept apart from the code it hashes, so that it can be asked for without importing pyspark.
"""

from __future__ import annotations

import hashlib
import marshal
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_IMPORT = re.compile(r"^\s*from\s+(\.*)([\w.]*)\s+import\s+(\([^)]*\)|[^\n]*)", re.MULTILINE)
_SETS_SORTED = 2  # the format of `marshal` that writes the same code as the same bytes


@cache
def code_version(job: str) -> str:
    """Twelve hexadecimal digits that change whenever the code of this job module does.

    Comments, docstrings and layout are no code; another Python compiles to another version.
    """
    digest = hashlib.sha256()
    for path in sources(job):
        digest.update(path.name.encode() + b"\0" + _content(path))
    return digest.hexdigest()[:12]


def sources(job: str) -> list[Path]:
    """The files of the job module and of all modules of ours that it imports, and their tables.

    Raises `ModuleNotFoundError` if there is no such module.
    """
    spec = find_spec(job)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(job)
    start = Path(spec.origin)
    root = start.parents[job.count(".")]
    ours = {name.partition(".")[0] for name in (job, __name__)}
    found, left = {start}, [start]
    while left:
        new = {path for path in _imported(left.pop(), root, ours) if path.is_file()} - found
        found |= new
        left += new
    data = (table for folder in {path.parent for path in found} for table in folder.glob("*.csv"))
    return sorted({*found, *data})


def _imported(path: Path, root: Path, ours: set[str]) -> Iterator[Path]:
    """Where the modules of these packages would be that the file imports, names among them too.

    Where the packages of others are beside ours, they are no part of the version.
    """
    for dots, module, names in _IMPORT.findall(path.read_text(encoding="utf-8")):
        if not dots and module.partition(".")[0] not in ours:
            continue
        folder = (path.parents[len(dots) - 1] if dots else root).joinpath(*module.split("."))
        yield folder.with_suffix(".py")
        yield folder / "__init__.py"
        for name in re.findall(r"\w+", names):
            yield folder / f"{name}.py"


def _content(path: Path) -> bytes:
    """What can change tables: a module's code, a table's bytes."""
    content = path.read_bytes()
    if path.suffix != ".py":
        return content
    code = compile(content, "", "exec", dont_inherit=True, optimize=2)
    return marshal.dumps(_unplaced(code), _SETS_SORTED)


def _unplaced(code: CodeType) -> CodeType:
    """The code without the places in the file that it comes from."""
    parts = (_unplaced(part) if isinstance(part, CodeType) else part for part in code.co_consts)
    return code.replace(co_filename="", co_firstlineno=1, co_linetable=b"", co_consts=tuple(parts))
