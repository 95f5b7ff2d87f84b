"""Reading single files for a job: all of them, or as much as is asked for."""

from __future__ import annotations

import os
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from crypto_assets.spark import objects

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("limit", "found"),
    [(-1, b"Date,Price\n"), (0, b""), (4, b"Date"), (11, b"Date,Price\n"), (99, b"Date,Price\n")],
)
def test_a_file_is_read_up_to_the_limit(tmp_path: Path, limit: int, found: bytes):
    path = tmp_path / "history.csv"
    path.write_bytes(b"Date,Price\n")
    assert objects.read(str(path), limit) == found
    assert objects.read(path.as_uri(), limit) == found


def test_a_file_whose_size_is_not_known_is_read_whole(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=[b"Date,Price\n"])
    writer.start()
    assert objects.read(str(pipe), 99) == b"Date,Price\n"
    writer.join()


def test_a_file_that_another_attempt_is_still_writing_is_replaced_whole(tmp_path: Path):
    path = tmp_path / "staging" / "gold.parquet"
    path.parent.mkdir()
    with path.open("xb", buffering=0) as given_up:
        given_up.write(b"a part")
        objects.write(str(path), b"all of it")
        given_up.write(b", and more")
        assert path.read_bytes() == b"all of it"
    assert list(path.parent.iterdir()) == [path]
