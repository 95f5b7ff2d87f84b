"""A DuckDB file that one process changes while others have it open.

A change is made to a copy, which takes the file's place by a rename: who has the file open goes on
with what it has, who opens it afterwards sees the new state, and nobody's lock keeps a change out.
What is kept in such a file is in the modules that have one (`warehouse`, `duckdb_store`).
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from crypto_assets.resources.errors import BusyError, RefusedError
from crypto_assets.resources.storage.files import locked

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
LOGGER = logging.getLogger("crypto_assets.duckdb")

# Of https://duckdb.org/docs/stable/internals/storage: three blocks of headers, the first with the
# version of the format at byte 12. All DuckDB 1.x read 64, which is what `STORAGE` asks for.
STORAGE = "v1.0.0"
_HEADERS = 3 * 4096
_VERSION = slice(12, 20)
_READ_BY_ALL = 64

_FICLONE = 0x40049409  # Linux: share the blocks of another file (btrfs, XFS)
_CHUNK = 1 << 20

# Instances of DuckDB without a file. What they have open in its place is named as no file can be.
_SPARE: list[duckdb.DuckDBPyConnection] = []
_NO_FILE = "/"
# Without a log: what breaks off is a copy, which nobody looks at again.
_ATTACH = f"ATTACH '{{}}' (STORAGE_VERSION '{STORAGE}', RECOVERY_MODE no_wal_writes)"
_SPILL = "SET temp_directory = '{}'"
_ATTACHED = "SELECT database_name FROM duckdb_databases() WHERE NOT internal AND database_name <> ?"

# What DuckDB takes for changes that are not in the file yet, and replays when it opens the file.
_WALS = (".wal", ".wal.checkpoint", ".wal.recovery")
_DAMAGE = re.compile(
    r"not a valid DuckDB database file|database file with version number|Corrupt database file|"
    r'Could not read enough bytes from file "[^"]*\.duckdb"|Serialization Error'
)


@dataclass(frozen=True)
class DuckDBFile:
    """The file at `path`; `cure` says what to delete and what makes it anew."""

    path: Path
    lock_wait_s: float
    cure: str

    @contextmanager
    def changing(self, *, anew: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to a copy that takes the file's place when the block ends without an error.

        `anew` leaves no byte of what was deleted, which otherwise stays until something else takes
        its place. Raises `BusyError` if others change the file for longer than the bound,
        `RefusedError` if it is damaged or cannot be written.
        """
        file = self._target
        with self._alone(file) as folder, self._damage_explained():
            copy = folder / file.name
            with self._failure_explained():
                if file.exists():
                    _copy_unwritten(file, copy, self.lock_wait_s)
                    if not _is_read_by_all(copy):
                        _write_anew(copy)
            with _attached(copy) as connection:
                yield connection
                with self._failure_explained():
                    connection.execute("CHECKPOINT")
            with self._failure_explained():
                if anew:
                    _write_anew(copy)
                if file.exists():
                    shutil.copymode(file, copy)
                _flush(copy)
                self._put_wals_aside()
                copy.replace(file)
                _flush(file.parent)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to the file as it is now.

        Raises `BusyError` if another process has it open to write for longer than the bound,
        `RefusedError` if it is damaged.
        """
        with self._damage_explained():
            try:
                connection = _patiently(self._connect_to_read, _is_locked, self.lock_wait_s)
            except Exception as error:
                if not _is_locked(error):
                    raise
                raise BusyError(
                    f"{self.path} is open to write in another process ({_holder(error)}); waited "
                    f"{self.lock_wait_s:g} s: close it there, or {self.cure}"
                ) from error
            with connection:
                yield connection

    def exists(self) -> bool:
        return self.path.exists()

    def foreign_wals(self) -> list[Path]:
        """What another process that opened the file to write has left beside it.

        Its changes may be of a file that has been replaced since: nothing tells.
        """
        name = self._target.name
        beside = (self._target.with_name(f"{name}{suffix}") for suffix in _WALS)
        return [path for path in beside if path.exists()]

    @property
    def _target(self) -> Path:
        """The file itself where the path is a symbolic link, which stays one."""
        return self.path.resolve()

    def _connect_to_read(self) -> duckdb.DuckDBPyConnection:
        if not self.foreign_wals():
            return _connect(self.path, read_only=True)
        # DuckDB would replay them: in another folder, the file has none beside it.
        with tempfile.TemporaryDirectory(prefix=".reading-", dir=self.path.parent) as folder:
            link = Path(folder, self.path.name)
            link.hardlink_to(self._target)
            return _connect(link, read_only=True)

    @contextmanager
    def _alone(self, file: Path) -> Iterator[Path]:
        """Keeps others from changing the file, and gives an empty folder beside it."""
        busy = (
            f"{file} is being changed by another process; waited {self.lock_wait_s:g} s: run again "
            "when it has ended"
        )
        with locked(file.with_name(f".{file.name}.lock"), self.lock_wait_s, busy):
            folder = _folder_of_copy(file)
            shutil.rmtree(folder, ignore_errors=True)  # a killed process leaves one
            file.with_name(f"{file.name}.part").unlink(missing_ok=True)  # or an earlier version
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder)

    def _put_wals_aside(self) -> None:
        for wal in self.foreign_wals():
            time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
            aside = wal.with_name(f"{wal.name}.{time}.aside")
            wal.rename(aside)
            LOGGER.warning(
                "another process had %s open to write: its changes are put aside in %s and do not "
                "count; open the file read-only",
                self.path,
                aside.name,
            )

    @contextmanager
    def _damage_explained(self) -> Iterator[None]:
        """Names the cure where DuckDB cannot read what is in the file."""
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            if not is_damage(error):
                raise
            said = _line(error).replace(str(_folder_of_copy(self._target)), str(self.path.parent))
            raise RefusedError(f"{self.path} cannot be read ({said}): {self.cure}") from error

    @contextmanager
    def _failure_explained(self) -> Iterator[None]:
        """Says that the file stays as it was where its new state cannot be written."""
        import duckdb

        try:
            yield
        except (duckdb.Error, OSError) as error:
            if is_damage(error):
                raise
            raise RefusedError(
                f"{self.path} stays as it was: its new state cannot be written: {_line(error)}"
            ) from error


def _folder_of_copy(file: Path) -> Path:
    """Where the copy is: under the file's own name, by which people's views may call it."""
    return file.with_name(f".{file.name}.part")


def is_damage(error: BaseException) -> bool:
    """Whether DuckDB says that a file is none of its own or broken."""
    return _DAMAGE.search(str(error)) is not None


def _connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the file; one that is made opens in every DuckDB 1.x."""
    import duckdb

    return duckdb.connect(
        str(path), read_only=read_only, config={"storage_compatibility_version": STORAGE}
    )


@contextmanager
def _attached(copy: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the copy; what is not in it at a checkpoint is lost.

    Its instance of DuckDB is kept for the next change: to start one takes as long as a small load.
    What does not fit into memory goes beside the copy.
    """
    instance = _SPARE.pop() if _SPARE else _without_file()
    spilled = copy.with_name(f"{copy.name}.tmp")
    try:
        with instance.cursor() as connection:
            connection.execute(_SPILL.format(_escaped(spilled)))
            connection.execute(_ATTACH.format(_escaped(copy)))
            ((name,),) = connection.execute(_ATTACHED, [_NO_FILE]).fetchall()
            quoted = '"' + name.replace('"', '""') + '"'
            connection.execute(f"USE {quoted}.main")
            yield connection
            connection.execute(f'USE "{_NO_FILE}"; DETACH {quoted}')
    except BaseException:
        instance.close()
        raise
    if spilled.exists():  # this instance cannot do so elsewhere
        instance.close()
    else:
        _SPARE.append(instance)


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")


def _without_file() -> duckdb.DuckDBPyConnection:
    """A new instance of DuckDB, in which a file of any name can be opened."""
    import duckdb

    # Threads that only read would hand over each of many small files: that takes longer.
    instance = duckdb.connect(config={"async_threads": "0"})
    instance.execute(f'ATTACH \':memory:\' AS "{_NO_FILE}"; USE "{_NO_FILE}"; DETACH memory')
    return instance


def _copy_unwritten(source: Path, copy: Path, wait_s: float) -> None:
    """Copies a file that others may be writing, as soon as they leave it alone long enough."""
    busy = BusyError(
        f"{source} is being written by another process without a pause; waited {wait_s:g} s: end "
        "that process and run again"
    )

    def attempt() -> None:
        if not _copied(source, copy):
            raise busy

    _patiently(attempt, lambda error: error is busy, wait_s)


def _copied(source: Path, copy: Path) -> bool:
    """Copies the file; whether what was copied is one state of it.

    DuckDB writes only to blocks that the headers do not lead to, then the headers. So the blocks of
    a state are as they were as long as its headers are. No lock is wanted: others may have it.
    """
    with source.open("rb") as old, copy.open("wb") as new:
        before = os.pread(old.fileno(), _HEADERS, 0)
        try:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
        except OSError:
            shutil.copyfileobj(old, new, _CHUNK)
        return os.pread(old.fileno(), _HEADERS, 0) == before


def _is_read_by_all(path: Path) -> bool:
    """Whether the file opens in every DuckDB 1.x."""
    with path.open("rb") as stream:
        headers = stream.read(_HEADERS)
    return int.from_bytes(headers[_VERSION], "little") == _READ_BY_ALL


def _write_anew(path: Path) -> None:
    """Writes all that is in the file to a new one in its place, which opens in every DuckDB 1.x."""
    fresh, quoted = path.with_name("anew.duckdb"), _escaped(path)
    with _connect(fresh) as connection:
        # Under the file's own name, as above.
        connection.execute(f"ATTACH '{quoted}' AS \"{path.stem}\" (READ_ONLY)")
        connection.execute(f'COPY FROM DATABASE "{path.stem}" TO anew')
        connection.execute("CHECKPOINT")
    fresh.replace(path)


def _flush(path: Path) -> None:
    """Waits until a file, or the names in a folder, would survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _patiently(
    attempt: Callable[[], T], passes: Callable[[BaseException], bool], wait_s: float
) -> T:
    """What the function gives, called again while it fails with what passes, for so long."""
    try:
        return attempt()  # most often: to import what waits takes longer
    except Exception as error:
        if not passes(error):
            raise
    from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

    patient = Retrying(
        retry=retry_if_exception(passes),
        stop=stop_after_delay(wait_s),
        wait=wait_random_exponential(multiplier=0.05, max=1),
        reraise=True,
    )
    return patient(attempt)


def _is_locked(error: BaseException) -> bool:
    return "Could not set lock" in str(error)


def _holder(error: BaseException) -> str:
    """DuckDB's message names the program and PID that hold the file."""
    text = str(error)
    start = text.find("Conflicting lock is held in ")
    return text[start:].split(". ", maxsplit=1)[0] if start >= 0 else "unknown"


def _line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]
