"""Opening a DuckDB file that other processes may hold: one writes or several read.

What is kept in such a file is in the modules that open one (`warehouse`, `account_store`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from crypto_assets.resources.errors import BusyError

if TYPE_CHECKING:
    import duckdb


@contextmanager
def opened(
    path: str, lock_wait_s: float, *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file, which is made if need be. Raises `BusyError` if it stays locked."""
    import duckdb
    from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

    retrying = Retrying(
        retry=retry_if_exception(_is_locked),
        stop=stop_after_delay(lock_wait_s),
        wait=wait_random_exponential(multiplier=0.05, max=1),
        reraise=True,
    )
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = retrying(_connect, path, read_only=read_only)
    except duckdb.IOException as error:
        if not _is_locked(error):
            raise
        raise BusyError(
            f"{path} is open in another process ({_holder(error)}); waited "
            f"{lock_wait_s:g} s: close it and run again"
        ) from error
    with connection:
        yield connection


def write_anew(path: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Writes the file of this connection anew, without what was deleted; the connection is over.

    A deletion alone leaves the bytes in the file until something else takes their place.
    """
    fresh = Path(f"{path}.part")
    fresh.unlink(missing_ok=True)
    connection.execute("CHECKPOINT")
    quoted = str(fresh).replace("'", "''")
    connection.execute(f"ATTACH '{quoted}' AS fresh")
    ((name,),) = connection.execute("SELECT current_database()").fetchall()
    connection.execute(f'COPY FROM DATABASE "{name}" TO fresh')
    connection.execute("DETACH fresh")
    fresh.replace(path)
    connection.close()


def _connect(path: str, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection to the file that is at the path by then.

    `write_anew` may replace the file while it is opened: what is written to the old one is lost.
    """
    import duckdb

    while True:
        before = _inode(path)
        connection = duckdb.connect(path, read_only=read_only)
        if before in (None, _inode(path)):
            return connection
        connection.close()


def _inode(path: str) -> int | None:
    """What tells the file from another at the same path; None if there is none."""
    try:
        return Path(path).stat().st_ino
    except FileNotFoundError:
        return None


def _is_locked(error: BaseException) -> bool:
    return "Could not set lock" in str(error)


def _holder(error: BaseException) -> str:
    """DuckDB's message names the program and PID that hold the file."""
    text = str(error)
    start = text.find("Conflicting lock is held in ")
    return text[start:].split(". ", maxsplit=1)[0] if start >= 0 else "unknown"
