"""Files that are replaced together: each of them whole, or as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from crypto_assets.spark.replacing import replace_all
from crypto_assets_tests.helpers.waiting import HANG_S

# The system writes what there is room for, and says how much that was.
LITTLE_ROOM = """
import resource, sys
from crypto_assets.spark.replacing import replace_all
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    print(list(replace_all([(sys.argv[1], b"new"), (sys.argv[2], b"longer than ten bytes")])))
except OSError as error:
    print(error.strerror)
"""


def test_each_file_has_its_content_once_it_is_yielded(tmp_path):
    contents = {str(tmp_path / "a"): b"one", str(tmp_path / "folder/b"): b""}
    for path in replace_all(contents.items()):
        assert Path(path).read_bytes() == contents.pop(path)
    assert contents == {}


def test_files_that_do_not_all_find_room_stay_as_they_were(tmp_path):
    files = tmp_path / "a", tmp_path / "b"
    for file in files:
        file.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", LITTLE_ROOM, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=True,
    )
    assert done.stdout == "File too large\n"
    assert [file.read_bytes() for file in files] == [b"old", b"old"]
    assert sorted(tmp_path.iterdir()) == list(files)
