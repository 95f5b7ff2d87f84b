"""Sending: each file goes to one key, what is there is skipped, what is of no use is sent again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.progress import LOGGER
from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets.resources.uploads.send import send, sources_of


@pytest.fixture
def folder(tmp_path: Path, write: Callable[..., Path]) -> Path:
    for key in ("btc.csv", "eth/ETH.CSV", "eth/deep/比 特.csv", "notes.txt", "eth/x.csv.bak"):
        write(f"my coins/{key}", key)
    (tmp_path / "files/my coins/empty.csv").mkdir()
    return tmp_path / "files/my coins"


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(objects=LocalObjects(root=str(tmp_path / "inbox")))


def test_a_folder_means_its_csv_files_under_its_own_name(folder):
    assert sources_of([folder]) == {
        "my coins/btc.csv": folder / "btc.csv",
        "my coins/eth/ETH.CSV": folder / "eth/ETH.CSV",
        "my coins/eth/deep/比 特.csv": folder / "eth/deep/比 特.csv",
    }


def test_a_folder_named_by_a_dot_has_its_real_name(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert sorted(sources_of([Path()])) == sorted(sources_of([folder]))
    assert "eth/ETH.CSV" in sources_of([Path("../my coins/eth/deep/..")])


def test_a_file_goes_under_its_name_whatever_its_ending(folder):
    files = [folder / "notes.txt", folder / "eth/ETH.CSV"]
    assert sources_of(files) == {"notes.txt": files[0], "ETH.CSV": files[1]}


def test_a_file_named_twice_is_sent_once(folder):
    assert sources_of([folder / "btc.csv", folder / "btc.csv"]) == {"btc.csv": folder / "btc.csv"}


def test_two_files_for_one_key_are_refused_and_named(write):
    first, second = write("a/prices.csv", "1"), write("b/prices.csv", "2")
    with pytest.raises(UsageError) as refused:
        sources_of([first, second])
    assert str(refused.value) == (
        f"{first} and {second} would both be prices.csv: upload their folder instead"
    )


@pytest.mark.parametrize("name", [".btc.csv", "_btc.csv", ".git/btc.csv", "_x/btc.csv"])
def test_names_the_inbox_keeps_for_itself_are_refused_and_nothing_is_dropped_silently(write, name):
    hidden = write(f"coins/{name}", "1")
    folder = Path(str(hidden).removesuffix(f"/{name}"))
    for paths in ([folder], [hidden] if "/" not in name else [hidden.parent]):
        with pytest.raises(UsageError, match=r"names that begin with \. or _ are not taken"):
            sources_of(paths)


@pytest.mark.parametrize("paths", [[], ["nothing"]])
def test_no_file_at_all_is_refused(tmp_path, paths):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UsageError, match="there is no CSV file in what you named"):
        sources_of([tmp_path / path for path in paths])


def test_files_are_sent_once_and_only_changed_ones_again(folder, inbox):
    sources = sources_of([folder])
    assert send(inbox, Ledger(inbox.objects), sources) == sorted(sources)
    assert sorted(arrival.key for arrival in inbox.arrivals()) == sorted(sources)
    etags = {arrival.key: arrival.etag for arrival in inbox.arrivals()}
    assert send(inbox, Ledger(inbox.objects), sources) == []
    assert {arrival.key: arrival.etag for arrival in inbox.arrivals()} == etags
    (folder / "btc.csv").write_text("BTC.CSV")  # of the same size
    assert send(inbox, Ledger(inbox.objects), sources) == ["my coins/btc.csv"]
    assert inbox.read("my coins/btc.csv", 99) == b"BTC.CSV"


@pytest.mark.parametrize(
    ("decision", "again"), [("assigned", 0), ("quarantine", 1), ("removed", 1)]
)
def test_what_is_in_quarantine_or_removed_is_sent_again_and_is_undecided_then(
    folder, inbox, decision, again
):
    sources = {"btc.csv": folder / "btc.csv"}
    send(inbox, Ledger(inbox.objects), sources)
    os.utime(Path(inbox.objects.root, "btc.csv"), (1_700_000_000, 1_700_000_000))
    Ledger(inbox.objects).decide(inbox.arrival("btc.csv"), decision)
    sent = send(inbox, Ledger(inbox.objects), sources)
    assert sent == ["btc.csv"] * again
    undecided = Ledger(inbox.objects).undecided(inbox.arrivals())
    assert [arrival.key for arrival in undecided] == ["btc.csv"] * again


def test_names_of_any_bytes_are_sent(write, inbox):
    sources = sources_of([write("b\udcff ü.csv", "1").parent])
    assert send(inbox, Ledger(inbox.objects), sources) == ["files/b\udcff ü.csv"]


def test_a_file_that_cannot_be_sent_is_reported_and_the_others_are_sent(folder, inbox):
    sources = {**sources_of([folder]), "gone.csv": folder / "gone.csv"}
    with pytest.raises(FileNotFoundError):
        send(inbox, Ledger(inbox.objects), sources)
    assert len(list(inbox.arrivals())) == 3


def test_progress_is_reported_in_bytes(folder, inbox, caplog):
    LOGGER.addHandler(caplog.handler)
    LOGGER.setLevel("INFO")
    try:
        send(inbox, Ledger(inbox.objects), sources_of([folder]))
    finally:
        LOGGER.removeHandler(caplog.handler)
        LOGGER.setLevel("NOTSET")
    steps = [record.step for record in caplog.records]
    total = sum(path.stat().st_size for path in sources_of([folder]).values())
    assert {(step.name, step.total, step.in_bytes) for step in steps} == {("upload", total, True)}
    assert sum(step.advance for step in steps) == total
