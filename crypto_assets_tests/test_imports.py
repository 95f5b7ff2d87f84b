"""What tests share is in `helpers`, `doubles` and fixtures: no test or conftest is a library."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parent


def imported(source: str) -> set[str]:
    """The last part of every module that this source may import from."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update({node.module or "", *(alias.name for alias in node.names)})
    return {name.rpartition(".")[2] for name in names}


def test_no_module_imports_from_a_test_module_or_a_conftest():
    wrong = {
        f"{path.relative_to(TESTS)} imports {name}"
        for path in TESTS.rglob("*.py")
        for name in imported(path.read_text())
        if name == "conftest" or name.startswith("test_")
    }
    assert wrong == set()
    assert imported("from .a.test_b import c\nimport d.conftest") == {"test_b", "c", "conftest"}
