"""Objects in a local folder: the contract, and what only a file system can do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets.resources.storage.objects import Content
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
@pytest.mark.parametrize("text", ['{"a": [1]}', ' {"name": "比"}\n', "7", '"x"'])
def test_a_document_is_read_in_whatever_encoding_json_may_have(text, encoding):
    assert Content(text.encode(encoding), "").document() == json.loads(text)


@pytest.mark.parametrize("data", [b"", b"{", b"{}{}", b'{"a": 1} x', b"\xff\x00", b"\xed\xa0\x80"])
def test_what_is_no_document_is_told_as_by_json(data):
    with pytest.raises(ValueError) as told:  # noqa: PT011 - compared below
        json.loads(data)
    with pytest.raises(type(told.value), match=re.escape(str(told.value))):
        Content(data, "").document()


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


def test_a_fault_at_one_of_many_leaves_those_before_it_written_and_no_unfinished_file(objects):
    objects.write("b/in the way", b"")
    with pytest.raises(IsADirectoryError, match="b"):
        list(objects.write_all([("a", b"1"), ("b", b"2"), ("c", b"3")]))
    assert objects.read("a") == b"1"
    assert sorted(path.name for path in Path(objects.root).iterdir()) == ["a", "b"]


def test_a_link_in_the_place_of_an_empty_object_is_replaced_and_not_followed(objects, tmp_path):
    (elsewhere := tmp_path / "elsewhere").write_text("mine")
    objects.write("a", b"x")
    Path(objects.root, "b").symlink_to(elsewhere)
    objects.write("b", b"", durable=False)
    assert (elsewhere.read_text(), objects.read("b")) == ("mine", b"")
