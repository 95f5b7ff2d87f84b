"""Other processes that have a DuckDB file open, as DBeaver or a notebook has; what a file is."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto_assets_tests.helpers.processes import saying

_TOOL = """
import sys, duckdb
with duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read only") as connection:
    print("open", flush=True)
    for sql in sys.stdin:
        print(connection.execute(sql).fetchall(), flush=True)
"""


class Tool:
    """A process with a connection of its own, which is killed with whatever it has not saved."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(self, sql: str) -> str:
        """Runs a statement; its rows as Python prints them."""
        self.process.stdin.write(f"{sql}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        """Ends it as people do, so that it saves what it has changed."""
        self.process.stdin.close()
        assert self.process.wait() == 0


@contextmanager
def tool(path: str | Path, *, read_only: bool = False) -> Iterator[Tool]:
    """A tool that has the file open; by default as it comes, to write."""
    mode = "read only" if read_only else "to write"
    with saying("open", _TOOL, str(path), mode) as process:
        yield Tool(process)


def storage_version(path: str | Path) -> int:
    """The version in the file's main header: a checksum of 8 bytes, `DUCK`, then this number.

    See https://duckdb.org/docs/stable/internals/storage: 64 opens in every DuckDB 1.x.
    """
    header = Path(path).read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    return int.from_bytes(header[12:], "little")
