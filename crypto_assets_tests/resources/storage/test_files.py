"""Files are opened if they are files: nothing is followed or waited for that is something else."""

from __future__ import annotations

import os
import socket

import pytest

from crypto_assets.resources.storage.files import open_regular, read_regular, regular_files


def test_a_pipe_a_socket_a_device_and_a_link_are_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    (tmp_path / "link").symlink_to(__file__)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for name in ("pipe", "socket", "link", "/dev/zero"):
            with pytest.raises(OSError, match="not a regular file"):
                open_regular(tmp_path / name)
            with pytest.raises(OSError, match="not a regular file"):
                read_regular(str(tmp_path / name))


def test_a_folder_and_what_is_not_there_say_so(tmp_path):
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        read_regular(str(tmp_path))


@pytest.mark.parametrize("size", [0, 1, (1 << 14) - 1, 1 << 14, (1 << 14) + 1, 1 << 20])
def test_a_file_is_read_whole_or_to_its_limit(tmp_path, size):
    (tmp_path / "file").write_bytes(content := os.urandom(size))
    path = str(tmp_path / "file")
    assert read_regular(path) == content
    for limit in (0, 1, 1 << 14, (1 << 14) + 1, 2 << 20):
        assert read_regular(path, limit) == content[:limit]


def test_a_link_that_a_person_named_is_followed_but_not_to_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    for name in ("pipe", "file"):
        (tmp_path / f"to {name}").symlink_to(tmp_path / name)
    with open_regular(tmp_path / "to file", follow=True) as stream:
        assert stream.read() == b"x"
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path / "to pipe", follow=True)


def test_files_are_found_in_folders_of_any_depth_and_links_are_not_followed(tmp_path):
    deep = tmp_path.joinpath(*["d"] * 400)
    deep.mkdir(parents=True)
    wanted = [deep / "a.csv", tmp_path / "b.CSV"]
    for path in (*wanted, tmp_path / "c.txt"):
        path.touch()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to(__file__)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert regular_files(tmp_path, ".csv") == sorted(wanted)
