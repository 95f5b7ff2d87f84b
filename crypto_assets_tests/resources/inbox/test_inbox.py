"""The inbox: what was delivered is listed as it is, and what was pinned stays what it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.stored import pinned_key
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.resources.storage.s3 import S3Objects

TEN = 1_700_000_000 * 10**9


# Of files as other programs write them: not for a bucket.
local = pytest.mark.parametrize("objects", ["local"], indirect=True)


@pytest.fixture
def inbox(objects: Objects) -> Inbox:
    return Inbox(objects=objects)


@pytest.fixture
def deliver(inbox: Inbox) -> Callable[..., Path]:
    """Writes a file at a key as another program would, in a folder with a time in nanoseconds."""

    def deliver_file(key: str, content: str = "x", *, at: int = TEN) -> Path:
        if isinstance(inbox.objects, S3Objects):
            inbox.objects.write(key, content.encode())
            return Path(key)
        path = Path(inbox.objects.root, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        os.utime(path, ns=(at, at))
        return path

    return deliver_file


def keys(inbox: Inbox) -> list[str]:
    return sorted(arrival.key for arrival in inbox.arrivals())


@local
def test_an_inbox_that_does_not_exist_is_empty_and_is_not_made(inbox):
    assert keys(inbox) == []
    assert inbox.arrival("btc.csv") is None
    assert not Path(inbox.objects.root).exists()


@local
def test_an_arrival_has_key_name_size_and_time(inbox, deliver):
    deliver("btc/2024/prices.csv", "12345")
    (arrival,) = inbox.arrivals()
    assert arrival[:4] == ("btc/2024/prices.csv", f"5-{TEN}", 5, 1_700_000_000.0)
    assert inbox.arrival("btc/2024/prices.csv") == arrival


@local
def test_only_files_people_delivered_are_listed_at_any_depth(inbox, deliver, tmp_path):
    for key in (
        *("a.csv", "no ending", "b/c/d.csv", "b/currencies.toml", "empty.csv"),
        *("currencies.toml", ".hidden.csv", "_own.csv", ".git/x.csv", "_registry/BTC.json"),
        *("b/.part", "b/_x/y.csv"),
    ):
        deliver(key, "" if key == "empty.csv" else "x")
    (outside := tmp_path / "outside").mkdir()
    (outside / "secret.csv").write_text("x")
    Path(inbox.objects.root, "link.csv").symlink_to(outside / "secret.csv")
    Path(inbox.objects.root, "dangling.csv").symlink_to(outside / "none.csv")
    Path(inbox.objects.root, "linked").symlink_to(outside)
    Path(inbox.objects.root, "folder.csv").mkdir()
    os.mkfifo(Path(inbox.objects.root, "pipe.csv"))
    assert keys(inbox) == ["a.csv", "b/c/d.csv", "b/currencies.toml", "empty.csv", "no ending"]
    for none in ("link.csv", "dangling.csv", "folder.csv", "pipe.csv", "a.csv/b.csv", "none.csv"):
        assert inbox.arrival(none) is None


@pytest.mark.parametrize(
    "key",
    [
        "比特币/历史数据.csv",
        " a  b .csv",
        "a\nb.csv",
        "bo\udcffrse.csv",
        "50% [1] #?*.csv",
        "İ'\"\\.csv",
    ],
)
@local
def test_any_name_a_file_can_have_is_listed_read_pinned_and_deleted(inbox, deliver, key):
    deliver(key, "prices")
    (arrival,) = inbox.arrivals()
    assert arrival.key == key
    upload = inbox.pin(key, inbox.read(key, 100))
    assert upload.key == key
    upload.name.encode()  # it goes to tables and logs, which take no broken characters
    inbox.delete(upload, pinned=True)
    assert keys(inbox) == []


def test_the_name_of_a_pinned_file_shows_bytes_that_are_no_characters(inbox):
    assert inbox.pin("a/bo\udcffrse.csv", b"x").name == "bo\\udcffrse.csv"


def test_a_file_replaced_meanwhile_has_another_etag(inbox, deliver):
    deliver("btc.csv", "old")
    (before,) = inbox.arrivals()
    deliver("btc.csv", "new", at=TEN + 1)
    (same_size,) = inbox.arrivals()
    deliver("btc.csv", "longer")
    (same_time,) = inbox.arrivals()
    assert len({before.etag, same_size.etag, same_time.etag}) == 3


@local
def test_what_goes_while_the_inbox_is_listed_is_left_out(inbox, deliver):
    for key in ("a.csv", "b.csv", "c/d.csv", "e/f.csv"):
        deliver(key)
    listing = inbox.arrivals()
    first = next(listing).key
    gone = "b.csv" if first == "a.csv" else "a.csv"
    Path(inbox.objects.root, gone).unlink()
    Path(inbox.objects.root, "c/d.csv").unlink()
    Path(inbox.objects.root, "c").rmdir()
    Path(inbox.objects.root, "c").write_text("a file where a folder was")
    assert sorted([first, *(arrival.key for arrival in listing)]) == sorted([first, "e/f.csv"])


@local
def test_folders_nested_deeper_than_python_calls_are_listed(inbox, deliver):
    deep = "d/" * 1100
    for depth in range(1101):
        Path(inbox.objects.root, deep[: 2 * depth]).mkdir()
    deliver(f"{deep}x.csv")
    try:
        assert keys(inbox) == [f"{deep}x.csv"]
    finally:  # deeper than rmtree can go
        Path(inbox.objects.root, deep, "x.csv").unlink()
        os.removedirs(Path(inbox.objects.root, deep))


@local
def test_a_folder_that_cannot_be_listed_is_an_arrival_that_cannot_be_read(inbox, deliver):
    deliver("good.csv")
    name = "d" * 250
    folder = os.open(inbox.objects.root, os.O_RDONLY)
    for _ in range(20):  # a path longer than the system takes
        os.mkdir(name, dir_fd=folder)
        inner = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    bad, good = inbox.arrivals()
    if bad.key == "good.csv":
        bad, good = good, bad
    assert good.key == "good.csv"
    assert set(bad.key) == {"d", "/"}
    assert not bad.key.endswith("/")
    with pytest.raises(OSError, match="File name too long"):
        inbox.read(bad.key, 10)


def test_read_stops_at_the_limit(inbox, deliver):
    deliver("btc.csv", "0123456789")
    assert inbox.read("btc.csv", 4) == b"0123"
    assert inbox.read("btc.csv", 40) == b"0123456789"


def test_what_was_pinned_stays_when_its_key_is_replaced_or_removed(inbox, deliver):
    deliver("btc.csv", "old")
    old = inbox.pin("btc.csv", inbox.read("btc.csv", 100))
    deliver("btc.csv", "new")
    new = inbox.pin("btc.csv", inbox.read("btc.csv", 100))
    inbox.objects.delete(["btc.csv"])
    assert inbox.read(pinned_key(old.etag), 100) == b"old"
    assert inbox.read(pinned_key(new.etag), 100) == b"new"
    assert old.etag == "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4"
    assert (old.key, old.name, old.size) == ("btc.csv", "btc.csv", 3)


@local
def test_put_copies_a_file_over_what_is_there(inbox, deliver, tmp_path):
    deliver("a/btc.csv", "a much longer old content")
    (source := tmp_path / "new.csv").write_bytes(bytes(range(256)) * 9000)
    inbox.put(source, "a/btc.csv")
    assert Path(inbox.objects.root, "a/btc.csv").read_bytes() == source.read_bytes()
    assert keys(inbox) == ["a/btc.csv"]


@local
def test_put_that_fails_leaves_the_old_file_and_no_trace(inbox, deliver, tmp_path):
    deliver("btc.csv", "old")
    for wrong in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(OSError, match="directory"):
            inbox.put(wrong, "btc.csv")
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        inbox.put(deliver("other.csv"), "btc.csv/below.csv")
    assert sorted(path.name for path in Path(inbox.objects.root).iterdir()) == [
        "btc.csv",
        "other.csv",
    ]
    assert inbox.read("btc.csv", 100) == b"old"


@local
def test_a_file_being_put_is_not_listed_and_readers_see_the_old_one(inbox, deliver, tmp_path):
    deliver("btc.csv", "old")
    (source := tmp_path / "new.csv").write_text("new")
    seen = []

    def while_it_is_put(_: int) -> None:
        assert len(list(Path(inbox.objects.root).iterdir())) == 2
        seen.extend([keys(inbox), inbox.read("btc.csv", 100)])

    inbox.put(source, "btc.csv", while_it_is_put)
    assert seen == [["btc.csv"], b"old"]
    assert inbox.read("btc.csv", 100) == b"new"


@local
@pytest.mark.parametrize(
    ("present", "holds"), [("same", True), ("diff", False), ("longer", False), (None, False)]
)
def test_holds_compares_content(inbox, deliver, tmp_path, present, holds):
    (source := tmp_path / "btc.csv").write_text("same")
    if present is not None:
        deliver("btc.csv", present)
    assert inbox.holds(source, "btc.csv") is holds


def test_delete_leaves_a_key_that_holds_something_else_by_now(inbox, deliver):
    deliver("btc.csv", "old")
    upload = inbox.pin("btc.csv", b"old")
    deliver("btc.csv", "new")
    assert inbox.current(upload) is None
    inbox.delete(upload, pinned=True)
    assert inbox.read("btc.csv", 100) == b"new"
    assert list(inbox.objects.below("_contents")) == []


def test_delete_may_leave_what_is_pinned_and_may_be_repeated(inbox, deliver):
    deliver("btc.csv", "old")
    upload = inbox.pin("btc.csv", b"old")
    assert inbox.current(upload) == inbox.arrival("btc.csv")
    for _ in range(2):
        inbox.delete(upload, pinned=False)
    assert keys(inbox) == []
    assert inbox.read(pinned_key(upload.etag), 100) == b"old"
    inbox.delete(replace(upload, key="gone/at all.csv"), pinned=True)
    assert list(inbox.objects.below("_contents")) == []
