"""An inbox full of what does not belong there: all is worked off, nothing followed, nothing hangs.

Names that forge lines, links out of the inbox, pipes that nobody writes to, folders without end.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.inbox.inbox import OVERRIDES
from crypto_assets_tests.helpers.exports_text import history_csv
from crypto_assets_tests.helpers.sensor_desk import SensorDesk

HOSTILE = [
    *("a\nquarantine: b.csv: forged", "a\rb", "a\tb", "\x1b[2J\x1b[31mred", "\x07bell", "\x7f"),
    *("\u202egnp.csv", "\u2066isolated", "\u200bzero width", "\ufeffmark", "a\u2028b", "\u0085"),
    *(
        "b\udcff\udcfe",
        "\ue000private",
        "e\u0301 composed",
        "\U0001d518\U0001d52b",
        "🪙🪙",
        "比特币 历史",
    ),
    *("-rf", "--help", "~", "$(touch x)", "`id`", "a;b|c&d", "'quoted'", '"', "\\back\\slash"),
    *("[bold]x[/y]", ":smile:", "%s%n{0}", "*?[a-z]", "C:", "CON", "x" * 251),
]


@pytest.fixture
def desk(settings, home) -> Iterator[SensorDesk]:
    with open_instance(settings) as instance:
        yield SensorDesk(settings, instance)


def fill(desk: SensorDesk, tmp_path: Path) -> set[str]:
    """Puts all that is hostile into the inbox; the keys of what are files there."""
    root = desk.settings.inbox_folder
    for name in HOSTILE:
        desk.deliver(f"{name}.csv", "x")
    desk.deliver("/".join(["deep"] * 400) + "/x.csv", "x")
    secret = tmp_path / "secret.csv"
    secret.write_text(history_csv())
    (root / "link.csv").symlink_to(secret)
    (root / "linked").symlink_to(tmp_path)
    (root / "loop").symlink_to(root)
    (root / "zero.csv").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(root)  # the name of a socket is short
        listening.bind("socket.csv")
        os.chdir(here)
    return {f"{name}.csv" for name in HOSTILE} | {"/".join(["deep"] * 400) + "/x.csv"}


def too_deep(folder: Path) -> None:
    """Makes folders whose path is longer than the system takes at once."""
    folder.mkdir(parents=True)
    at = os.open(folder, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("folder of twenty char", dir_fd=at)
        inner = os.open("folder of twenty char", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)


def test_hostile_names_links_and_pipes_are_worked_off_and_good_files_beside_them(
    desk, tmp_path, run
):
    keys = fill(desk, tmp_path)
    desk.deliver_pair("BTC")
    assert desk.tick() == [["BTC"]]
    assert desk.quarantined().keys() == keys
    lines = run("status")[1].splitlines()
    assert len([line for line in lines if line.startswith("quarantine: ")]) == len(keys)
    assert all(line.isprintable() for line in lines)
    assert "quarantine: a\\nquarantine: b.csv: forged.csv: " in "\n".join(lines)


def test_a_folder_deeper_than_a_path_may_be_long_is_in_quarantine(desk):
    too_deep(desk.settings.inbox_folder / "deep")
    desk.deliver_pair("BTC")
    assert desk.tick() == [["BTC"]]
    assert list(desk.quarantined().values()) == ["it cannot be opened: File name too long"]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_currencies_toml_that_is_no_file_is_reported_and_not_waited_for(desk, make, run):
    desk.deliver_pair("BTC")
    make(desk.settings.inbox_folder / OVERRIDES)
    assert desk.tick() == [["BTC"]]
    assert "quarantine: currencies.toml: currencies.toml: not a regular file" in run("status")[1]


@pytest.mark.slow
def test_ten_thousand_small_files_are_worked_off_with_hostile_ones_among_them(desk, tmp_path):
    keys = fill(desk, tmp_path)
    for number in range(10_000):
        desk.deliver(f"{number % 100}/{number}.csv", f"{number}")
    ticks = 0
    while len(desk.quarantined()) < 10_000 + len(keys):
        desk.tick()
        ticks += 1
    assert ticks <= 10_000  # each tick decided on some
    assert desk.quarantined().keys() >= keys
