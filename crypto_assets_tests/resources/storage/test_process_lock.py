"""Processes are told from dead ones by the lock they hold, whatever host and clock say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crypto_assets.resources.storage import process_lock

HOLDER = """
import sys
from pathlib import Path
from crypto_assets.resources.storage.process_lock import hold
print(hold(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Starts processes that hold their lock; each with the name it gave itself."""
    started = []

    def start(*prefix: str):
        command = [*prefix, sys.executable, "-c", HOLDER, str(tmp_path)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        name = process.stdout.readline().strip()
        assert name, "the holder did not start"
        return process, name

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_process_lives_as_long_as_it_holds_its_lock(holder, tmp_path):
    process, name = holder()
    assert process_lock.state(tmp_path, name) == "alive"
    assert process_lock.state(tmp_path, name) == "alive"
    process.kill()
    process.wait()
    assert process_lock.state(tmp_path, name) == "dead"
    assert list(tmp_path.iterdir()) == []
    assert process_lock.state(tmp_path, name) == "dead"


def test_a_process_that_ends_takes_its_lock_file_along(holder, tmp_path):
    process, name = holder()
    process.communicate("")
    assert list(tmp_path.iterdir()) == []
    assert process_lock.state(tmp_path, name) == "dead"


def test_this_process_lives(tmp_path):
    name = process_lock.hold(tmp_path)
    assert process_lock.hold(tmp_path) == name
    assert process_lock.state(tmp_path, name) == "alive"


def test_another_host_name_changes_nothing(holder, tmp_path):
    renamed = (
        "unshare",
        "--uts",
        "--map-root-user",
        "sh",
        "-c",
        'hostname other && exec "$@"',
        "sh",
    )
    if subprocess.run([*renamed, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no namespace with another host name")
    process, name = holder(*renamed)
    assert process_lock.state(tmp_path, name) == "alive"
    process.kill()
    process.wait()
    assert process_lock.state(tmp_path, name) == "dead"


def test_after_a_restart_of_this_machine_a_process_is_dead_of_another_one_it_is_unknown(tmp_path):
    machine, _, process = process_lock.hold(tmp_path).split(":")
    assert process_lock.state(tmp_path, f"{machine}:another-boot:{process}") == "dead"
    assert process_lock.state(tmp_path, f"{'0' * 12}:another-boot:{process}") == "unknown"


def test_a_name_tells_neither_host_nor_time(tmp_path):
    name = process_lock.hold(tmp_path)
    assert not any(word in name for word in ("/", " "))
    assert process_lock.described(name).startswith("process ")
    assert process_lock.described("0" * 12 + ":b:17-3") == "process 17 of another machine"
    assert Path(tmp_path).is_dir()
