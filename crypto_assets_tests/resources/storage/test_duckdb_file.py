"""A DuckDB file is changed while others have it open: nobody waits, and nobody sees half of it."""

from __future__ import annotations

import fcntl
import logging
import shutil
import subprocess
import sys

import duckdb
import pytest

from crypto_assets.resources.errors import BusyError, RefusedError
from crypto_assets.resources.storage.duckdb_file import DuckDBFile
from crypto_assets_tests.helpers.duckdb_tools import Tool, storage_version, tool
from crypto_assets_tests.helpers.numbers_file import CURE, SUM, beside, change, held
from crypto_assets_tests.helpers.processes import saying
from crypto_assets_tests.helpers.waiting import HANG_S

ADDING = """
import sys
from pathlib import Path
from crypto_assets.resources.storage.duckdb_file import DuckDBFile
file = DuckDBFile(Path(sys.argv[1]), 600, "")
for number in range(int(sys.argv[2])):
    with file.changing() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
"""
LOADED = """
import sys
from pathlib import Path
from crypto_assets.resources.storage.duckdb_file import DuckDBFile
file = DuckDBFile(Path(sys.argv[1]), 600, "")
for _ in range(2):
    with file.changing() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
with file.reading() as connection:
    print("tenacity" in sys.modules)
"""
STOPPING = """
import sys
from pathlib import Path
from crypto_assets.resources.storage.duckdb_file import DuckDBFile
with DuckDBFile(Path(sys.argv[1]), 600, "").changing() as connection:
    connection.execute("DELETE FROM t")
    print("half done", flush=True)
    sys.stdin.read()
"""
LIMITED = """
import resource, sys
from pathlib import Path
from crypto_assets.resources.errors import RefusedError
from crypto_assets.resources.storage.duckdb_file import DuckDBFile
path = Path(sys.argv[1])
limit = path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with DuckDBFile(path, 600, "").changing() as connection:
        connection.execute("INSERT INTO t SELECT hash(i) % 1000000007 FROM range(60000) s(i)")
except RefusedError as error:
    print(error)
"""


def read(file: DuckDBFile) -> None:
    with file.reading() as connection:
        connection.execute("SELECT sum(h % 10) FROM w")


def test_the_file_is_made_by_its_first_change_and_opens_in_every_duckdb_1(file):
    assert held(file) == (3, 6)
    assert storage_version(file.path) == 64
    assert beside(file) == [".made.duckdb.lock", "made.duckdb"]


@pytest.mark.parametrize("read_only", [True, False])
def test_who_has_the_file_open_keeps_what_it_has_and_the_next_sees_what_is_new(file, read_only):
    with tool(file.path, read_only=read_only) as before:
        change(file, "INSERT INTO t VALUES (10)")
        assert before.run(SUM) == "[(3, 6)]"
        assert held(file) == (4, 16)
        with tool(file.path, read_only=True) as after:
            change(file, "INSERT INTO t VALUES (100)")
            assert (before.run(SUM), after.run(SUM)) == ("[(3, 6)]", "[(4, 16)]")
    assert held(file) == (5, 116)


def test_a_change_that_fails_leaves_the_file_as_it_was_and_nothing_beside_it(file):
    content = file.path.read_bytes()
    with pytest.raises(duckdb.CatalogException):
        change(file, "DELETE FROM t; DROP TABLE none_such")
    assert file.path.read_bytes() == content
    assert beside(file) == [".made.duckdb.lock", "made.duckdb"]


def test_nothing_to_wait_with_is_imported_where_nobody_has_the_file(tmp_path):
    command = [sys.executable, "-c", LOADED, str(tmp_path / "made.duckdb")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "False\n"


def test_a_change_that_is_killed_leaves_the_file_as_it_was_and_the_next_clears_its_copy(file):
    content = file.path.read_bytes()
    with saying("half done", STOPPING, str(file.path)):
        pass
    assert ".made.duckdb.part" in beside(file)
    assert file.path.read_bytes() == content
    change(file, "INSERT INTO t VALUES (10)")
    assert held(file) == (4, 16)
    assert beside(file) == [".made.duckdb.lock", "made.duckdb"]


def test_processes_that_change_it_at_the_same_time_lose_nothing(file):
    command = [sys.executable, "-c", ADDING, str(file.path), "5"]
    writers = [subprocess.Popen(command) for _ in range(3)]
    assert [writer.wait(HANG_S) for writer in writers] == [0, 0, 0]
    assert held(file) == (18, 21)


def test_a_change_waits_for_another_with_a_bound_and_readers_do_not(file):
    hasty = DuckDBFile(file.path, 0.2, CURE)
    with saying("half done", STOPPING, str(file.path)):
        with pytest.raises(BusyError, match=r"is being changed by another process; waited 0\.2 s"):
            change(hasty, "DELETE FROM t")
        assert held(hasty) == (3, 6)


def test_a_reader_waits_with_a_bound_for_whoever_has_the_file_open_to_write(file):
    hasty = DuckDBFile(file.path, 0.2, CURE)
    with tool(file.path) as writer:
        with pytest.raises(BusyError) as busy:
            held(hasty)
        message = str(busy.value)
        assert message.startswith(f"{file.path} is open to write in another process (")
        assert f"PID {writer.process.pid}" in message
        assert message.endswith(f"waited 0.2 s: close it there, or {CURE}")
        writer.close()
        assert held(file) == (3, 6)


def test_what_a_tool_saved_in_the_file_is_kept(file):
    with tool(file.path) as writer:
        writer.run("CREATE VIEW mine AS SELECT max(n) AS top FROM made.main.t")
        writer.close()
    change(file, "INSERT INTO t VALUES (10)")
    with file.reading() as connection:
        assert connection.execute("SELECT * FROM mine").fetchall() == [(10,)]


def test_what_a_killed_tool_left_is_put_aside_and_reported_but_never_replayed(file, caplog):
    with tool(file.path) as writer:
        writer.run("INSERT INTO t VALUES (1000)")
    left = file.path.with_name("made.duckdb.wal").read_bytes()
    assert held(file) == (3, 6)
    assert beside(file) == [".made.duckdb.lock", "made.duckdb", "made.duckdb.wal"]
    with caplog.at_level(logging.WARNING):
        change(file, "INSERT INTO t VALUES (10)")
    assert held(file) == (4, 16)
    _, _, aside = beside(file)
    assert aside.startswith("made.duckdb.wal.2")
    assert aside.endswith(".aside")
    assert file.path.with_name(aside).read_bytes() == left
    (report,) = caplog.messages
    assert report.startswith(f"another process had {file.path} open to write")
    assert aside in report


def test_what_a_tool_changes_in_a_file_that_was_replaced_does_not_reach_the_new_one(file):
    with tool(file.path) as writer:
        change(file, "INSERT INTO t VALUES (10)")
        writer.run("INSERT INTO t VALUES (1000)")
        assert held(file) == (4, 16)
        change(file, "INSERT INTO t VALUES (100)")
        writer.run("INSERT INTO t VALUES (2000)")
        writer.close()
    assert held(file) == (5, 116)
    with tool(file.path, read_only=True) as other:
        assert other.run(SUM) == "[(5, 116)]"


@pytest.fixture
def wide(file: DuckDBFile) -> DuckDBFile:
    """A file whose table fills many blocks; `h` tells whether a row is of one state."""
    change(file, "CREATE TABLE w AS SELECT i, 0 AS n, hash(i) AS h FROM range(300000) s(i)")
    return file


def interfere(monkeypatch: pytest.MonkeyPatch, file: DuckDBFile, writer: Tool, times: int) -> None:
    """In the middle of each of so many copies, the writer changes and saves the file twice.

    The second time it writes to the blocks that the first one made free.
    """
    copy, left = shutil.copyfileobj, iter(range(times))

    def copy_late(source, target, length):
        target.write(source.read(file.path.stat().st_size // 2))
        if next(left, None) is not None:
            for _ in range(2):
                writer.run("UPDATE w SET n = n + 1, h = hash(i + n + 1)")
                writer.run("CHECKPOINT")
        copy(source, target, length)

    def has_no_reflinks(*arguments):
        raise OSError

    monkeypatch.setattr(fcntl, "ioctl", has_no_reflinks)
    monkeypatch.setattr(shutil, "copyfileobj", copy_late)


def test_a_file_that_is_written_while_it_is_copied_is_copied_again(wide, monkeypatch):
    with tool(wide.path) as writer:
        interfere(monkeypatch, wide, writer, times=2)
        change(wide, "CREATE TABLE other AS SELECT 1")
    with wide.reading() as connection:
        rows = "SELECT count(*), min(n), max(n), count(*) FILTER (h <> hash(i + n)) FROM w"
        assert connection.execute(rows).fetchone() == (300_000, 4, 4, 0)


def test_a_file_that_is_written_whenever_it_is_copied_is_refused_after_a_bound(wide, monkeypatch):
    hasty = DuckDBFile(wide.path, 0.2, CURE)
    with tool(wide.path) as writer:
        interfere(monkeypatch, wide, writer, times=1_000_000)
        with pytest.raises(BusyError, match=r"made.duckdb is being written by another process"):
            change(hasty, "CREATE TABLE other AS SELECT 1")
        assert beside(wide)[:2] == [".made.duckdb.lock", "made.duckdb"]


def test_a_file_of_duckdb_2_is_written_anew_with_all_that_is_in_it(file):
    file.path.unlink()
    with duckdb.connect(str(file.path)) as connection:
        connection.execute("""
            CREATE SCHEMA mine;
            CREATE TABLE t AS SELECT unnest([1, 2, 3]) AS n;
            CREATE TABLE mine.keyed (k INTEGER PRIMARY KEY, b VARCHAR);
            INSERT INTO mine.keyed VALUES (7, 'seven');
            CREATE VIEW mine.top AS SELECT max(n) AS top FROM made.main.t;
            COMMENT ON TABLE t IS 'some numbers';
        """)
    assert storage_version(file.path) > 64
    for number in (10, 100):
        change(file, f"INSERT INTO t VALUES ({number})")
        assert storage_version(file.path) == 64
    assert held(file) == (5, 116)
    with file.reading() as connection:
        assert connection.execute("FROM mine.top, mine.keyed").fetchall() == [(100, 7, "seven")]
        comment = "SELECT comment FROM duckdb_tables() WHERE table_name = 't'"
        assert connection.execute(comment).fetchall() == [("some numbers",)]


def test_what_was_deleted_is_not_in_a_file_that_is_written_anew(file):
    change(file, "CREATE TABLE secrets AS SELECT 'Nobody Else' AS name")
    with file.changing(anew=True) as connection:
        connection.execute("DELETE FROM secrets")
    left = b"".join(path.read_bytes() for path in file.path.parent.iterdir())
    assert b"Nobody" not in left
    assert held(file) == (3, 6)
    assert storage_version(file.path) == 64


def spoilt(content: bytes, how: str) -> bytes:
    """The content of a DuckDB file, spoilt."""
    zeros, middle = bytes(100_000), len(content) // 2
    return {
        "empty": b"",
        "text": b"ticker,price\n" * 1000,
        "cut": content[:middle],
        "headers": content[:16] + zeros + content[16 + len(zeros) :],
        "blocks": content[:middle] + zeros + content[middle + len(zeros) :],
    }[how]


@pytest.mark.parametrize("how", ["empty", "text", "cut", "headers", "blocks"])
@pytest.mark.parametrize("action", ["read", "change"])
def test_a_file_that_is_no_whole_duckdb_file_is_refused_with_the_cure(wide, how, action):
    wide.path.write_bytes(content := spoilt(wide.path.read_bytes(), how))
    with pytest.raises(RefusedError) as refused:
        read(wide) if action == "read" else change(wide, "UPDATE w SET h = h // 2")
    message = str(refused.value)
    assert message.startswith(f"{wide.path} cannot be read (")
    assert message.endswith(f"): {CURE}")
    assert "\n" not in message
    assert wide.path.read_bytes() == content


def test_a_change_that_does_not_fit_on_the_disk_leaves_the_file_as_it_was(file):
    content = file.path.read_bytes()
    command = [sys.executable, "-c", LIMITED, str(file.path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=True)
    assert done.stdout.startswith(f"{file.path} stays as it was: its new state cannot be written: ")
    assert len(done.stdout.splitlines()) == 1
    assert file.path.read_bytes() == content
    assert beside(file) == [".made.duckdb.lock", "made.duckdb"]


def test_a_symbolic_link_and_the_permissions_of_the_file_are_kept(file, tmp_path):
    (tmp_path / "other").mkdir()
    target = file.path.rename(tmp_path / "other" / "target.duckdb")
    target.chmod(0o640)
    file.path.symlink_to(target)
    with tool(file.path) as writer:
        writer.run("INSERT INTO t VALUES (1000)")
    with file.changing(anew=True) as connection:
        connection.execute("INSERT INTO t VALUES (10)")
    assert file.path.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert held(file) == (4, 16)
