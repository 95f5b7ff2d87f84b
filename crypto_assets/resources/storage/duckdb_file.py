"""Opening a DuckDB file that other processes may hold: one writes or several read.

What is kept in such a file is in the modules that open one (`warehouse`, `account_store`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_OPENING_S = 0.2


@contextmanager
def opened(
    path: str, lock_wait_s: float, busy: type[Exception], *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file, which is made if need be; raises `busy` if it stays locked."""
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
        connection = retrying(duckdb.connect, path, read_only=read_only)
    except duckdb.IOException as error:
        if not _is_locked(error):
            raise
        raise busy(
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
    # Who opened the old file just before would write into nothing if its lock were free by now.
    time.sleep(_OPENING_S)
    connection.close()


def _is_locked(error: BaseException) -> bool:
    return "Could not set lock" in str(error)


def _holder(error: BaseException) -> str:
    """DuckDB's message names the program and PID that hold the file."""
    text = str(error)
    start = text.find("Conflicting lock is held in ")
    return text[start:].split(". ", maxsplit=1)[0] if start >= 0 else "unknown"
