"""Objects in an S3 bucket: the body of `Objects` on AWS.

Replacing is conditional on what stood there, so that whoever works on older facts is stopped, also
when they run on another machine. Locks are files of this machine and only spare us such collisions.
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from crypto_assets.resources.aws import CONNECTIONS, Aws
from crypto_assets.resources.objects import (
    Advance,
    Content,
    Object,
    Objects,
    Overtaken,
    is_hidden,
    locked,
)

_DELETED_AT_ONCE = 1000
_SHA256 = (
    "sha256"  # metadata of uploads: the ETag of a multipart upload says nothing of its content
)
_MISSING = ("404", "NoSuchKey", "NotFound")
_OVERTAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


class S3Objects(Objects):
    """The objects of a bucket whose keys begin with a prefix."""

    aws: dg.ResourceDependency[Aws]
    root: str = Field(description="S3 URI: the bucket, and a prefix if it is not all ours.")
    locks: str = Field(description="Local folder of the locks that this home's processes share.")

    @property
    def workers(self) -> int:
        return CONNECTIONS

    def uri(self, key: str) -> str:
        return f"{self.root.rstrip('/')}/{key}".rstrip("/")

    def find(self, key: str) -> Object | None:
        with _told(missing=None):
            head = self._s3.head_object(**self._at(key))
            modified = head["LastModified"].timestamp()
            return Object(key, head["ETag"].strip('"'), head["ContentLength"], modified)
        return None

    def walk(self) -> Iterator[Object]:
        for page in self._pages("", Delimiter="/"):
            yield from (found for found in self._found(page) if not is_hidden(found.key))
            for folder in self._subfolders(page):
                if not is_hidden(folder):
                    yield from (f for f in self.below(folder) if not is_hidden(f.key))

    def below(self, folder: str) -> Iterator[Object]:
        for page in self._pages(f"{folder}/"):
            yield from self._found(page)

    def folders(self, folder: str) -> list[str]:
        pages = self._pages(f"{folder}/", Delimiter="/")
        return [key.rpartition("/")[2] for page in pages for key in self._subfolders(page)]

    def read(self, key: str, limit: int = -1) -> bytes:
        with _told(missing=key):
            return self._s3.get_object(**self._at(key))["Body"].read(None if limit < 0 else limit)
        raise FileNotFoundError(key)

    def read_all(self, keys: Iterable[str]) -> dict[str, Content]:
        def read(key: str) -> tuple[str, Content | None]:
            with _told(missing=None):
                found = self._s3.get_object(**self._at(key))
                return key, Content(found["Body"].read(), found["ETag"].strip('"'))
            return key, None

        with ThreadPoolExecutor(self.workers) as pool:
            return {key: found for key, found in pool.map(read, keys) if found}

    def write(self, key: str, content: bytes, *, durable: bool = True) -> None:  # noqa: ARG002
        self._s3.put_object(**self._at(key), Body=content)

    def replace(self, key: str, content: bytes, stamp: str | None) -> str:
        with _stopped_if_overtaken(key):
            put = self._s3.put_object(**self._at(key), Body=content, **_condition(stamp))
            return str(put["ETag"]).strip('"')

    def move(self, source: str, target: str, stamp: str | None) -> str:
        """Copies on the server's side; the source is deleted with its folder by and by."""
        with _stopped_if_overtaken(target):
            made = self._s3.copy_object(
                **self._at(target), CopySource=self._at(source), **_condition(stamp)
            )
            return str(made["CopyObjectResult"]["ETag"]).strip('"')

    def upload(self, source: Path, key: str, advance: Advance) -> None:
        """Uploads in parts where the file is large, and notes its content's SHA-256."""
        from boto3.exceptions import S3UploadFailedError

        try:
            self._s3.upload_file(
                str(source),
                self._bucket,
                self._prefix + key,
                ExtraArgs={"Metadata": {_SHA256: _digest(source)}},
                Callback=advance,
            )
        except S3UploadFailedError as error:
            raise OSError(str(error)) from error

    def holds(self, source: Path, key: str) -> bool:
        with _told(missing=None):
            head = self._s3.head_object(**self._at(key))
            same_size = head["ContentLength"] == source.stat().st_size
            return same_size and head["Metadata"].get(_SHA256) == _digest(source)
        return False

    def delete(self, keys: Iterable[str]) -> None:
        names = ({"Key": self._prefix + key} for key in keys)
        while objects := list(islice(names, _DELETED_AT_ONCE)):
            self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})

    def delete_below(self, folder: str) -> None:
        self.delete(found.key for found in self.below(folder))

    @contextmanager
    def locked(self, name: str, wait_s: float = -1) -> Iterator[None]:
        with locked(Path(self.locks, hashlib.sha256(self.uri(name).encode()).hexdigest()), wait_s):
            yield

    @cached_property
    def _s3(self) -> Any:
        return self.aws.client("s3")

    @property
    def _bucket(self) -> str:
        return self.root.removeprefix("s3://").partition("/")[0]

    @property
    def _prefix(self) -> str:
        prefix = self.root.removeprefix("s3://").partition("/")[2].strip("/")
        return f"{prefix}/" if prefix else ""

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + key}

    def _pages(self, folder: str, **options: str) -> Iterator[dict[str, Any]]:
        paginator = self._s3.get_paginator("list_objects_v2")
        yield from paginator.paginate(Bucket=self._bucket, Prefix=self._prefix + folder, **options)

    def _found(self, page: dict[str, Any]) -> Iterator[Object]:
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):  # the console's markers of folders
                key = entry["Key"].removeprefix(self._prefix)
                modified = entry["LastModified"].timestamp()
                yield Object(key, entry["ETag"].strip('"'), entry["Size"], modified)

    def _subfolders(self, page: dict[str, Any]) -> Iterator[str]:
        for common in page.get("CommonPrefixes", ()):
            yield common["Prefix"].removeprefix(self._prefix).rstrip("/")


def _condition(stamp: str | None) -> dict[str, str]:
    return {"IfNoneMatch": "*"} if stamp is None else {"IfMatch": f'"{stamp}"'}


@contextmanager
def _told(missing: str | None) -> Iterator[None]:
    """Ends the block where there is no object: with `FileNotFoundError` if a key is named."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        if missing is not None:
            raise FileNotFoundError(2, "there is no such object", missing) from error


@contextmanager
def _stopped_if_overtaken(key: str) -> Iterator[None]:
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in (*_OVERTAKEN, *_MISSING):
            raise Overtaken(f"{key} was replaced by another process") from error
        raise


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
