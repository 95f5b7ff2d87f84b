"""Objects in a bucket: the contract, conditions, and what S3 does that a folder does not."""

from __future__ import annotations

import base64
import hashlib

import pytest

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.errors import BusyError, ConflictError, RefusedError, UsageError
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.request import watching
from crypto_assets_tests.helpers.emr_scene import hurry
from crypto_assets_tests.helpers.objects_contract import ObjectsContract, keys


@pytest.fixture
def make(router, bucket, tmp_path):
    """Makes the objects of the test's bucket below a prefix."""

    def make_objects(prefix=""):
        aws = Aws(region=REGION, endpoint_url=router.url)
        return S3Objects(aws=aws, root=f"s3://{bucket}{prefix}", locks=str(tmp_path / "locks"))

    return make_objects


@pytest.fixture
def objects(make):
    return make("/in/box")


class TestS3Objects(ObjectsContract):
    def made(self, objects):
        aws = f"Aws(region={REGION!r}, endpoint_url={objects.aws.endpoint_url!r})"
        return f"S3Objects(aws={aws}, root={objects.root!r}, locks={objects.locks!r})"


class TestS3ObjectsOfAWholeBucket:
    @pytest.fixture
    def objects(self, make):
        return make()

    test_found = ObjectsContract.test_an_object_is_found_as_it_was_listed_with_its_size_and_time
    test_hidden = ObjectsContract.test_hidden_parts_are_left_out_of_a_walk_and_found_below_a_folder
    test_folders = ObjectsContract.test_the_folders_of_a_folder_are_named_hidden_ones_too
    test_names = ObjectsContract.test_any_name_goes_through_every_method


def test_prefixes_of_which_one_begins_another_do_not_mix(make):
    lake, other, everything = make("/lake"), make("/lake2/"), make()
    lake.write("a", b"lake")
    other.write("a", b"other")
    everything.write("lake", b"a file of the folder's name")
    assert (keys(lake.walk()), keys(other.walk())) == (["a"], ["a"])
    everything.delete_below("lake")
    assert keys(everything.walk()) == ["lake", "lake2/a"]
    assert other.read("a") == b"other"
    assert (lake.uri("a"), other.uri("a")) == (f"{everything.root}/lake/a", f"{other.root}a")
    assert (lake.uri(""), other.uri("")) == (lake.root, other.root.rstrip("/"))


def test_the_markers_of_folders_are_no_objects(objects, admin, bucket):
    for key in ("in/box/", "in/box/new folder/", "in/box/_s/run/"):
        admin.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")
    assert list(objects.walk()) == []
    assert list(objects.below("new folder")) == []
    assert objects.find("new folder/") is None
    assert objects.folders("_s") == ["run"]


def test_a_walk_of_many_folders_costs_few_requests(objects, router):
    for number in range(60):
        objects.write(f"T{number}/a.csv", b"")
        objects.write(f"_contents/{number}", b"")
        objects.write(f"z{number}/a.csv", b"")
    router.forget()
    assert len(list(objects.walk())) == 120
    assert router.count("s3") == 2


@pytest.mark.parametrize("etag", [None, "0" * 32])
def test_who_works_on_older_facts_is_stopped(objects, etag):
    objects.write("a", b"present")
    objects.write("b", b"new")
    with pytest.raises(ConflictError, match="a was replaced by another process"):
        objects.replace("a", b"new", etag)
    with pytest.raises(ConflictError, match="a was replaced by another process"):
        objects.move("b", "a", etag)
    assert objects.read("a") == b"present"


def test_what_was_deleted_meanwhile_is_not_brought_back(objects):
    objects.write("b", b"new")
    with pytest.raises(ConflictError):
        objects.replace("a", b"new", "0" * 32)
    with pytest.raises(ConflictError):
        objects.move("b", "a", "0" * 32)
    assert objects.find("a") is None


def test_of_ten_that_replace_the_same_content_one_wins(make):
    from concurrent.futures import ThreadPoolExecutor

    objects = make()
    etag = objects.replace("a", b"old", None)

    def replace(number):
        try:
            return objects.replace("a", str(number).encode(), etag)
        except ConflictError:
            return None

    with ThreadPoolExecutor(10) as pool:
        won = [etag for etag in pool.map(replace, range(10)) if etag]
    assert won == [objects.find("a").etag]


def test_a_lost_answer_puts_no_writer_in_conflict_with_itself(objects, router):
    objects.write("b", b"moved")
    router.fail("s3", drop="after", method="PUT", times=2)
    etag = objects.replace("a", b"1", None)
    assert objects.find("a").etag == etag
    router.fail("s3", drop="after", method="PUT", times=1)
    assert objects.move("b", "a", etag) == objects.find("a").etag
    assert objects.read("a") == b"moved"


def test_a_copy_whose_etag_is_not_its_sources_is_known_by_its_content(objects, admin, bucket):
    """With KMS no two objects have the same; nor have one sent in parts and its copy."""
    s3, source = admin.client("s3"), {"Bucket": bucket, "Key": "in/box/b"}
    upload = s3.create_multipart_upload(**source)["UploadId"]
    part = s3.upload_part(**source, UploadId=upload, PartNumber=1, Body=b"moved")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**source, UploadId=upload, MultipartUpload=parts)
    objects.write("a", b"moved")  # as a first attempt did whose answer was lost
    objects.write("other", b"newer")
    assert objects.find("a").etag != objects.find("b").etag
    assert objects.move("b", "a", None) == objects.find("a").etag
    with pytest.raises(ConflictError):
        objects.move("b", "other", None)


def test_a_store_that_knows_no_conditions_is_no_matter_of_time(objects, router):
    """S3's answer to a copy where the bucket's policy demands conditions."""
    objects.write("b", b"moved")
    router.fail("s3", status=501, code="NotImplemented", method="PUT")
    with pytest.raises(RefusedError, match="policy demands s3:if-match or s3:if-none-match, take"):
        objects.move("b", "a", None)


def test_a_key_of_kms_that_may_not_be_used_is_named_with_its_rights(objects, router):
    denied = b"<Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/ann "
    denied += (
        b"is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:x:y:key/z"
    )
    router.fail("s3", status=403, body=denied + b"</Message></Error>", method="PUT")
    with pytest.raises(RefusedError, match="allow kms:GenerateDataKey and kms:Decrypt on the key"):
        objects.write("a", b"")


def test_an_answer_that_breaks_off_is_asked_for_again(objects, router):
    objects.write("a", b"x" * 100_000)
    for limit in (-1, 100_000, 200_000):
        router.fail("s3", drop="within", method="GET", path=r".*/in/box/a")
        assert objects.read("a", limit) == b"x" * 100_000
    router.fail("s3", drop="within", method="GET", path=r".*/in/box/a", times=99)
    with pytest.raises(BusyError, match="AWS cannot be reached"):
        objects.read_all(["a"])


@pytest.mark.parametrize("content", [b"small", b"large" * 2_000_000])
def test_what_another_tool_put_there_is_not_known_to_be_held(
    objects, admin, bucket, tmp_path, content
):
    (source := tmp_path / "source").write_bytes(content)
    admin.client("s3").upload_file(str(source), bucket, "in/box/a")
    assert not objects.holds(source, "a")
    objects.upload(source, "a", lambda _: None)
    assert objects.holds(source, "a")


def test_the_bytes_of_an_upload_add_up_though_parts_are_sent_again(objects, router, tmp_path):
    (source := tmp_path / "source").write_bytes(b"x" * (9 * 2**20))
    router.fail("s3", times=3, method="PUT")
    done = []
    objects.upload(source, "a", done.append)
    assert sum(done) == 9 * 2**20
    assert objects.holds(source, "a")


def test_a_deletion_has_the_md5_that_stores_like_s3_want(objects):
    seen = []
    with watching(seen.append):
        objects.delete(["a"])
    (request,) = seen
    digest = hashlib.md5(request.body, usedforsecurity=False).digest()
    assert request.headers["content-md5"] == base64.b64encode(digest).decode()


def answer_of_delete(*errors):
    inner = "".join(
        f"<Error><Key>in/box/{key}</Key><Code>{code}</Code><Message>m</Message></Error>"
        for key, code in errors
    )
    return f"<DeleteResult>{inner}</DeleteResult>".encode()


def test_a_key_that_s3_could_not_delete_is_deleted_again(objects, router):
    """ministack deletes every key, so the answer of a busy S3 is given by the router."""
    for key in "abc":
        objects.write(key, b"")
    router.forget()
    busy = answer_of_delete(("b", "InternalError"), ("c", "SlowDown"), ("a", "InternalError"))
    router.fail("s3", method="POST", status=200, body=busy)
    objects.delete("abc")
    assert list(objects.walk()) == []
    assert router.count("s3", "POST") == 2


@pytest.mark.parametrize(
    ("code", "kind", "cure"),
    [
        ("AccessDenied", RefusedError, "allow s3:DeleteObject"),
        ("InternalError", BusyError, "run again later"),
    ],
)
def test_a_key_that_cannot_be_deleted_is_reported(objects, router, code, kind, cure):
    router.fail("s3", 99, method="POST", status=200, body=answer_of_delete(("b", code)))
    with pytest.raises(kind, match=f"not delete 1 objects, such as in/box/b: {code}; {cure}"):
        objects.delete(["a", "b"])


@pytest.mark.parametrize(("key", "reason"), [("b\udcff.csv", "no UTF-8"), ("比" * 340, "1024")])
def test_a_name_that_s3_cannot_have_is_wrong_use(objects, tmp_path, key, reason):
    (source := tmp_path / "source").write_bytes(b"x")
    for act in (objects.holds, lambda source, key: objects.upload(source, key, print)):
        with pytest.raises(UsageError, match=reason) as refused:
            act(source, key)
        str(refused.value).encode()


def test_an_object_that_may_be_listed_and_not_read_is_an_error_of_its_own(objects, router):
    objects.write("a", b"x")
    for code in ("AccessDenied", "InvalidObjectState"):
        router.fail("s3", method="GET", status=403, code=code)
        with pytest.raises(PermissionError, match=f"{code}.*archived or encrypted"):
            objects.read("a")


OPERATIONS = {
    "find": lambda objects, _: objects.find("a"),
    "walk": lambda objects, _: list(objects.walk()),
    "read": lambda objects, _: objects.read("a"),
    "read_all": lambda objects, _: objects.read_all(["a"]),
    "write": lambda objects, _: objects.write("a", b""),
    "replace": lambda objects, _: objects.replace("a", b"", None),
    "move": lambda objects, _: objects.move("a", "b", None),
    "upload": lambda objects, source: objects.upload(source, "a", lambda _: None),
    "holds": lambda objects, source: objects.holds(source, "a"),
    "delete": lambda objects, _: objects.delete(["a"]),
}


@pytest.mark.parametrize(
    ("status", "code", "kind", "cure"),
    [
        (403, "AccessDenied", RefusedError, "allow s3:ListBucket on bucket"),
        (503, "SlowDown", BusyError, "run again later"),
        (501, "NotImplemented", RefusedError, "NotImplemented|501"),
    ],
)
def test_every_operation_tells_what_s3_refuses_in_one_line(
    objects, router, tmp_path, monkeypatch, status, code, kind, cure
):
    hurry(monkeypatch)
    (source := tmp_path / "source").write_bytes(b"x")
    router.fail("s3", 999, status=status, code=code)
    for operation in OPERATIONS.values():
        with pytest.raises(kind, match=cure) as raised:
            operation(objects, source)
        assert "\n" not in str(raised.value)
        assert "made-up-secret" not in str(raised.value)


def test_a_bucket_that_is_not_there_is_reported(router, tmp_path):
    """But by what asks with HEAD: S3 answers that without a word."""
    aws = Aws(region=REGION, endpoint_url=router.url)
    objects = S3Objects(aws=aws, root="s3://test-no-such-bucket/x", locks=str(tmp_path))
    (source := tmp_path / "source").write_bytes(b"x")
    for name in OPERATIONS.keys() - {"find", "holds"}:
        with pytest.raises(RefusedError, match="make bucket test-no-such-bucket, or name one"):
            OPERATIONS[name](objects, source)
