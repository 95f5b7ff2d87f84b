"""What every implementation of `Objects` promises; each runs these tests with its own `objects`."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from crypto_assets.resources.errors import BusyError
from crypto_assets.resources.storage.objects import Objects
from crypto_assets_tests.helpers.processes import saying

ODD_KEYS = [
    "比特币/历史 数据.csv",
    " a  b .csv",
    "a+b=c&d%20e%.csv",
    "q'u\"o`t\\e<s>.csv",
    "50% [1] #?*.csv",
    "a\nb\t.csv",
    "é/e\u0301.csv",  # one letter, composed and not: two names
    "~/`.csv",
    "/".join(["比" * 60] * 5),  # 904 bytes
]
HOLDER = """
import sys
from crypto_assets.resources.aws import Aws
from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets.resources.storage.s3 import S3Objects
objects = {made}
with objects.locked("a/.lock"):
    print("held", flush=True)
    sys.stdin.read()
"""


def keys(found) -> list[str]:
    return sorted(each.key for each in found)


class ObjectsContract:
    """The tests; a subclass has a fixture `objects` and says how a process makes the same ones."""

    def made(self, objects: Objects) -> str:
        """The expression that makes these objects in another process."""
        raise NotImplementedError

    def test_where_nothing_is_nothing_is_found(self, objects):
        assert objects.find("a.csv") is None
        assert (list(objects.walk()), list(objects.below("a")), objects.folders("a")) == (
            [],
            [],
            [],
        )
        assert objects.read_all(["a.csv"]) == {}
        with pytest.raises(FileNotFoundError):
            objects.read("a.csv")
        objects.delete([])
        objects.delete(["a.csv", "b/c.csv"])
        objects.delete_below("a")

    def test_an_object_is_found_as_it_was_listed_with_its_size_and_time(self, objects):
        before = time.time()
        objects.write("a/b.csv", b"12345")
        (listed,) = objects.walk()
        assert listed == objects.find("a/b.csv")
        assert (listed.key, listed.size) == ("a/b.csv", 5)
        assert listed.etag
        assert before - 2 < listed.modified < time.time() + 2
        assert list(objects.below("a")) == [listed]
        for folder in ("a", "a/", "a/b", "a/b.csv/c"):
            assert objects.find(folder) is None
            assert objects.etag(folder) is None
        assert objects.etag("a/b.csv") == listed.etag

    def test_a_folder_names_the_objects_in_it_and_not_those_below_or_beside(self, objects):
        for key in ("a/b.csv", "a/.c", "a/d/e.csv", "f.csv", "ab/g.csv"):
            objects.write(key, b"")
        assert sorted(objects.names("a")) == [".c", "b.csv"]
        assert objects.names("none") == []

    def test_what_is_done_for_each_is_given_in_order(self, objects):
        objects.write("a.csv", b"1")
        objects.write("b.csv", b"2")
        assert list(objects.for_each(objects.read, ["b.csv", "a.csv"])) == [b"2", b"1"]
        with pytest.raises(FileNotFoundError):
            list(objects.for_each(objects.read, ["a.csv", "none.csv"]))

    def test_another_content_of_the_same_size_has_another_etag(self, objects):
        objects.write("a.csv", b"old")
        old = objects.find("a.csv")
        objects.write("a.csv", b"new")
        assert objects.find("a.csv").etag != old.etag
        assert objects.read("a.csv") == b"new"

    def test_hidden_parts_are_left_out_of_a_walk_and_found_below_a_folder(self, objects):
        shown = [
            "!.csv",
            "-/a.csv",
            "0.csv",
            "B/c.csv",
            "a._/b_.c",
            "z/y.csv",
            "比.csv",
        ]
        hidden = [
            ".x",
            "_x",
            "._/x",
            "_own/a/b",
            ".git/x",
            "a/.x",
            "a/_x/y",
            "z/b/.c/d",
            "_z",
            "_比",
        ]
        for key in [*shown, *hidden]:
            objects.write(key, b"x")
        assert keys(objects.walk()) == sorted(shown)
        assert keys(objects.below("_own")) == ["_own/a/b"]
        assert keys(objects.below("a")) == ["a/.x", "a/_x/y"]
        assert keys(objects.below("z")) == ["z/b/.c/d", "z/y.csv"]

    def test_a_folder_is_not_taken_for_those_whose_names_begin_with_its_own(self, objects):
        for key in ("lake/a", "lake2/b", "lake.c", "lake/d/e", "lake/d2/f"):
            objects.write(key, b"x")
        assert keys(objects.below("lake")) == ["lake/a", "lake/d/e", "lake/d2/f"]
        assert sorted(objects.folders("lake")) == ["d", "d2"]
        objects.delete_below("lake/d")
        assert keys(objects.below("lake")) == ["lake/a", "lake/d2/f"]
        objects.delete_below("lake")
        assert keys(objects.walk()) == ["lake.c", "lake2/b"]

    def test_the_folders_of_a_folder_are_named_hidden_ones_too(self, objects):
        for key in ("_s/run 1/a/b", "_s/run 1/c", "_s/+%比/d", "_s/.e/f", "_s/file"):
            objects.write(key, b"x")
        assert sorted(objects.folders("_s")) == ["+%比", ".e", "run 1"]
        assert objects.folders("_s/+%比") == []

    def test_any_name_goes_through_every_method(self, objects, tmp_path):
        (source := tmp_path / "source").write_bytes(b"uploaded")
        for key in ODD_KEYS:
            objects.upload(source, key, lambda _: None)
            assert objects.holds(source, key)
            assert list(objects.walk()) == [objects.find(key)]
            assert objects.read(key) == objects.read_all([key])[key].data == b"uploaded"
            objects.replace(key, b"new", objects.read_all([key])[key].etag)
            objects.move(key, f"to/{key}", None)
            assert objects.read(f"to/{key}") == b"new"
            assert keys(objects.below("to")) == [f"to/{key}"]
            objects.delete([key, f"to/{key}"])
            assert list(objects.walk()) == []

    def test_many_are_written_whole_and_named_in_order_as_they_are_there(self, objects):
        objects.write("b", b"old")
        contents = {"b": b"new", "a/c": b"x" * 100_000, "a/empty": b""}
        written = objects.write_all(contents.items())
        assert [(key, objects.read(key)) for key in written] == [*contents.items()]
        assert keys(objects.walk()) == ["a/c", "a/empty", "b"]
        assert list(objects.write_all([])) == []

    def test_what_has_content_can_be_made_empty(self, objects):
        for durable in (True, False):
            objects.write("a", b"x", durable=False)
            objects.write("a", b"", durable=durable)
            assert objects.read("a") == b""

    def test_reading_stops_at_the_limit(self, objects):
        objects.write("a", bytes(range(256)) * 1000)
        assert [len(objects.read("a", limit)) for limit in (0, 1, 300_000)] == [0, 1, 256_000]
        assert objects.read("a", 5) == bytes(range(5))
        assert objects.read("a") == bytes(range(256)) * 1000
        objects.write("empty", b"")
        assert objects.read("empty") == objects.read("empty", 9) == b""

    def test_reading_all_leaves_out_what_is_missing_and_keeps_the_order(self, objects):
        wanted = {f"{number:03}": str(number).encode() for number in range(70)}
        for key, content in wanted.items():
            if int(key) % 7:
                objects.write(key, content)
        found = objects.read_all([*reversed(wanted), "none", "no/ne"])
        assert {key: content.data for key, content in found.items()} == {
            key: content for key, content in wanted.items() if int(key) % 7
        }
        assert list(found) == sorted(found, reverse=True)
        assert objects.read_all([]) == {}

    def test_a_replaced_object_may_be_replaced_by_the_etag_it_got(self, objects):
        etag = objects.replace("a", b"1", None)
        assert objects.read_all(["a"])["a"] == (b"1", etag)
        etag = objects.replace("a", b"2", etag)
        assert objects.read_all(["a"])["a"] == (b"2", etag)

    def test_a_moved_object_is_at_its_target_and_may_be_replaced_by_its_etag(self, objects):
        objects.write("_s/1", b"1")
        objects.write("_s/2", b"2")
        etag = objects.move("_s/1", "new/folder/a", None)
        assert objects.read("new/folder/a") == b"1"
        etag = objects.move("_s/2", "new/folder/a", etag)
        assert objects.read("new/folder/a") == b"2"
        found = objects.find("new/folder/a")
        assert found is not None
        assert found.etag == etag

    def test_what_is_not_there_cannot_be_moved(self, objects):
        objects.write("there", b"x")
        for target, etag in (("new", None), ("there", objects.read_all(["there"])["there"].etag)):
            with pytest.raises(FileNotFoundError):
                objects.move("none", target, etag)
        assert objects.find("new") is None
        assert objects.read("there") == b"x"

    @pytest.mark.parametrize("size", [0, 1, 9 * 2**20])
    def test_an_upload_reports_every_byte_and_is_held_then(self, objects, tmp_path, size):
        (source := tmp_path / "source").write_bytes(
            bytes(range(256)) * (size // 256) or b"x" * size
        )
        done = []
        assert not objects.holds(source, "a/b.csv")
        objects.upload(source, "a/b.csv", done.append)
        assert sum(done) == size
        assert objects.read("a/b.csv") == source.read_bytes()
        assert objects.holds(source, "a/b.csv")
        with source.open("r+b") as stream:
            stream.seek(size // 2)
            stream.write(b"!")
        assert not objects.holds(source, "a/b.csv")

    def test_an_upload_that_cannot_be_read_leaves_what_is_there(self, objects, tmp_path):
        objects.write("a", b"old")
        for wrong in (tmp_path, tmp_path / "none"):
            with pytest.raises(OSError, match="directory"):
                objects.upload(wrong, "a", lambda _: None)
        assert objects.read("a") == b"old"

    def test_only_what_is_named_is_deleted_of_many(self, objects):
        names = [f"a/{number} &<+>.csv" for number in range(2500)]
        for number in (0, 1, 999, 1000, 1001, 2000, 2499):
            objects.write(names[number], b"")
        objects.delete(name for name in names if name != names[1000])
        assert keys(objects.walk()) == [names[1000]]

    def test_one_process_at_a_time_has_a_lock_and_it_dies_with_its_process(self, objects):
        with saying("held", HOLDER.format(made=self.made(objects))):
            started = time.monotonic()
            with pytest.raises(BusyError), objects.locked("a/.lock", 0.2):
                pass
            assert time.monotonic() - started >= 0.2
            with objects.locked("a/.other", 0):
                pass
        with objects.locked("a/.lock", 0):
            pass

    def test_two_threads_are_not_in_one_lock_at_once(self, objects):
        inside, most = [], []

        def work(number: int) -> None:
            with objects.locked(".lock"):
                inside.append(number)
                most.append(len(inside))
                time.sleep(0.01)
                inside.remove(number)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(12)))
        assert most == [1] * 12
