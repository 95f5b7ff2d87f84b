"""The tree of exceptions: in one file, drawn as it is, and what the command makes of each."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from click.testing import CliRunner

import crypto_assets
from crypto_assets.cli.command import command
from crypto_assets.resources import errors

CLASSES = [value for value in vars(errors).values() if isinstance(value, type)]


def test_the_tree_in_the_docstring_is_that_of_the_classes():
    above: list[str] = []
    drawn = {}
    for line in errors.__doc__.splitlines():
        words = line.replace("│", " ").replace("├──", "   ").replace("└──", "   ").split()
        if words and words[0] in {one.__name__ for one in CLASSES}:
            depth = (len(line) - len(line.lstrip(" │├└─"))) // 4 - 1
            above[depth:] = [words[0]]
            drawn[words[0]] = above[depth - 1] if depth else "Exception"
    assert drawn == {one.__name__: one.__base__.__name__ for one in CLASSES}


def test_no_exception_is_defined_elsewhere_outside_spark():
    folder = Path(crypto_assets.__file__).parent
    known = {"Exception", "BaseException", "OSError", "ValueError"} | {o.__name__ for o in CLASSES}
    found = {
        node.name
        for path in folder.rglob("*.py")
        if "spark" not in path.relative_to(folder).parts
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ClassDef)
        and known.intersection(ast.unparse(base).rpartition(".")[2] for base in node.bases)
    }
    assert found == {one.__name__ for one in CLASSES}


@pytest.mark.parametrize("error", CLASSES)
def test_the_exit_code_is_2_for_wrong_use_and_1_for_all_else(home, error):
    def broken(settings):
        raise error("what to do", 1) if error is errors.StatementError else error("what to do")

    result = CliRunner().invoke(command(broken))
    assert result.exit_code == (2 if error is errors.UsageError else 1)
    assert result.stderr == "crypto-assets: what to do\n"
