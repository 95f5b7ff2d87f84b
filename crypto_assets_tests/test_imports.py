"""What tests share is in `helpers`, `doubles` and fixtures: no test or conftest is a library."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parent
CODE = TESTS.parent / "crypto_assets"
LONGEST, LONGEST_FUNCTION = 350, 40  # lines
AT_THE_TOP = 7


def imported(source: str) -> set[str]:
    """The full name of every module and thing that this source imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names.update({module, *(f"{module}.{alias.name}" for alias in node.names)})
    return names


def last_parts(names: set[str]) -> set[str]:
    return {name.rpartition(".")[2] for name in names}


def private_of_dagster(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith("dagster") and "._" in name}


def test_no_module_imports_from_a_test_module_or_a_conftest():
    wrong = {
        f"{path.relative_to(TESTS)} imports {name}"
        for path in TESTS.rglob("*.py")
        for name in last_parts(imported(path.read_text()))
        if name == "conftest" or name.startswith("test_")
    }
    assert wrong == set()
    names = imported("from .a.test_b import c\nimport d.conftest")
    assert last_parts(names) == {"test_b", "c", "conftest"}


def test_private_parts_of_dagster_are_imported_by_the_event_log_alone():
    importing = {
        path.relative_to(CODE).parts[0]
        for path in CODE.rglob("*.py")
        if private_of_dagster(imported(path.read_text()))
    }
    assert importing == {"event_log"}
    names = imported("from dagster import _check\nimport dagster._core.a")
    assert private_of_dagster(names) == {"dagster._check", "dagster._core.a"}


def test_the_event_log_knows_no_word_of_this_product():
    words = {
        word
        for path in (CODE / "event_log").rglob("*.py")
        for word in ("crypto", "ticker", "bronze", "silver", "gold", "warehouse")
        if word in path.read_text().lower()
    }
    assert words == set()


def test_no_file_or_function_is_long_and_the_resources_have_few_files_outside_a_room():
    long = [path for path in CODE.rglob("*.py") if path.read_text().count("\n") > LONGEST]
    functions = [
        f"{path.relative_to(CODE)}: {node.name}"
        for path in CODE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert (long, functions) == ([], [])
    at_the_top = [path.name for path in (CODE / "resources").glob("[!_]*.py")]
    assert len(at_the_top) <= AT_THE_TOP, at_the_top
