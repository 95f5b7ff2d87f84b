"""Objects in a local folder: the contract, and what only a file system can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets_tests.helpers.objects_contract import ObjectsContract, keys


@pytest.fixture
def objects(tmp_path: Path) -> LocalObjects:
    return LocalObjects(root=str(tmp_path / "root"))


class TestLocalObjects(ObjectsContract):
    def made(self, objects):
        return f"LocalObjects(root={objects.root!r})"


def test_the_etag_of_what_is_replaced_or_moved_is_left_to_the_lock(objects):
    objects.write("a", b"old")
    objects.write("b", b"moved")
    objects.replace("a", b"new", "another etag")
    objects.move("b", "a", None)
    assert objects.read("a") == b"moved"
    assert objects.find("b") is None


def test_what_another_program_copied_there_is_held(objects, tmp_path):
    (source := tmp_path / "source").write_bytes(b"x")
    objects.write("a", b"x")
    assert objects.holds(source, "a")


def test_where_spark_finds_an_object_is_its_path(objects):
    assert (objects.uri("a/b"), objects.uri("")) == (f"{objects.root}/a/b", objects.root)


def test_an_unfinished_write_is_no_object(objects):
    objects.write("a/b", b"x")
    Path(objects.root, "a/.tmp.part").write_bytes(b"unfini")
    assert keys(objects.walk()) == ["a/b"]
