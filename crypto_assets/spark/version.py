"""The version of a data set's code: a hash of what can change its tables.

Kept apart from the code it hashes, so that it can be asked for without importing pyspark. To hash
all of that takes longer than a command that only looks: what was found is kept beside the job's
bytecode, for as long as no file of it changes.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import os
import re
import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source, find_spec
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
    Raises `ModuleNotFoundError` if there is no such module.
    """
    start = _file(job)
    root, kept = _root(start, job), Path(cache_from_source(str(start))).with_suffix(".version")
    with suppress(OSError, ValueError, KeyError, TypeError):  # none is kept, or it is damaged
        known = json.loads(kept.read_bytes())
        if known["seen"] == _seen(root, known["seen"]["files"]):
            return str(known["version"])
    found = sources(job)
    files = {path.relative_to(root) for path in (Path(__file__), *found)}
    folders = {path.parent for path in files}
    seen = _seen(root, sorted(map(str, files | folders)))
    digest = hashlib.sha256()
    for path in found:
        digest.update(path.name.encode() + b"\0" + _content(path))
    version = digest.hexdigest()[:12]
    _keep(kept, {"version": version, "seen": seen})
    return version


def sources(job: str) -> list[Path]:
    """The files of the job module and of all modules of ours that it imports, and their tables.

    Raises `ModuleNotFoundError` if there is no such module.
    """
    start = _file(job)
    root = _root(start, job)
    ours = {name.partition(".")[0] for name in (job, __name__)}
    found, left = {start}, [start]
    while left:
        new = {path for path in _imported(left.pop(), root, ours) if path.is_file()} - found
        found |= new
        left += new
    data = (table for folder in {path.parent for path in found} for table in folder.glob("*.csv"))
    return sorted({*found, *data})


def _file(job: str) -> Path:
    spec = find_spec(job)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(job)
    return Path(spec.origin)


def _root(start: Path, job: str) -> Path:
    """The folder that this module's package is in."""
    return start.parents[job.count(".")]


def _seen(root: Path, names: list[str]) -> dict[str, object]:
    """What tells files and folders from what they were, as far as that shows without reading them.

    The time of the last change of an inode cannot be set: an installed file may have any other.
    """
    found = (root.joinpath(name).stat() for name in names)
    stats = [[each.st_size, each.st_mtime_ns, each.st_ctime_ns] for each in found]
    return {"python": sys.version, "files": names, "stats": stats}


def _keep(place: Path, document: dict[str, object]) -> None:
    """Writes what was found, as Python does with bytecode: where it may, and whole."""
    if sys.dont_write_bytecode:
        return
    with suppress(OSError):
        place.parent.mkdir(exist_ok=True)
        new = place.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(document))
        new.replace(place)


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
