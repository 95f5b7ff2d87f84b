"""Objects in an S3 bucket.

Replacing is conditional on what stood there, so that whoever works on older facts is stopped, also
when they run on another machine. Locks are files of this machine and only spare us such collisions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from crypto_assets.resources.aws import (
    CONNECTIONS,
    Aws,
    aws_errors,
    error_code,
    passes,
    split_uri,
)
from crypto_assets.resources.errors import ConflictError, RefusedError, UsageError
from crypto_assets.resources.settings import Settings, variable
from crypto_assets.resources.storage.files import locked, open_regular
from crypto_assets.resources.storage.objects import (
    Advance,
    Content,
    Object,
    Objects,
    Part,
    is_hidden,
)
from crypto_assets.resources.storage.s3_conditions import (
    MISSING,
    check_conditions,
    condition,
    unless_overtaken,
)
from crypto_assets.spark.printable import printable

if TYPE_CHECKING:
    from tenacity import Retrying

_URI = "s3://bucket or s3://bucket/folder"
_DELETED_AT_ONCE = 1000
_DELETE_TRIES = 4
_READ_TRIES = 4
_KEY_BYTES = 1024
_HIDDEN = "._"
_LAST = "\U0010fffd"  # behind every character that a key may go on with
# In the metadata of uploads: the ETag of one sent in parts says nothing of its content.
_SHA256 = "sha256"
_THIS_ONE_ONLY = ("AccessDenied", "InvalidObjectState")  # another's KMS key; archived in Glacier


@dataclass(frozen=True, kw_only=True)
class S3Objects(Objects):
    """The objects of a bucket whose keys begin with a prefix; `root` is the S3 URI of both.

    `locks` is the local folder of the locks that the processes of this home share.
    """

    aws: Aws
    root: str
    locks: str

    @classmethod
    def of(cls, settings: Settings, part: Part) -> Self:
        root = settings.aws.wanted(part)
        if not re.fullmatch(r"s3://[^/\s]+(/\S*)?", root):
            raise UsageError(f"{root!r} is no S3 URI: set {variable('aws', part)}, such as {_URI}")
        return cls(aws=Aws.of(settings), root=root, locks=str(settings.locks))

    @property
    def workers(self) -> int:
        return CONNECTIONS

    def check(self) -> None:
        if ".amazonaws." not in self._s3.meta.endpoint_url:  # AWS itself keeps its conditions
            check_conditions(self)

    def uri(self, key: str) -> str:
        return f"{self.root.rstrip('/')}/{key}".rstrip("/")

    def find(self, key: str) -> Object | None:
        if key.endswith("/"):
            return None  # the console's marker of a folder
        with self._asking(), _unless_missing():
            head = self._s3.head_object(**self._at(key))
            return _object(key, head, head["ContentLength"])
        return None

    def walk(self) -> Iterator[Object]:
        """As `Objects.walk`; the product's own folders at the top are jumped over, not listed."""
        jumps: list[str] = []
        while True:
            start = {"StartAfter": f"{self._prefix}{jumps[-1]}{_LAST}"} if jumps else {}
            for found in self._listed("", **start):
                if found.key[0] in _HIDDEN and found.key[0] not in jumps:
                    jumps.append(found.key[0])
                    break
                if not is_hidden(found.key):
                    yield found
            else:
                return

    def below(self, folder: str) -> Iterator[Object]:
        return self._listed(f"{folder}/")

    def folders(self, folder: str) -> list[str]:
        pages = self._pages(f"{folder}/", Delimiter="/")
        found = (common["Prefix"] for page in pages for common in page.get("CommonPrefixes", ()))
        return [prefix.rstrip("/").rpartition("/")[2] for prefix in found]

    def read(self, key: str, limit: int = -1) -> bytes:
        from botocore.exceptions import ClientError

        try:
            with self._asking(but=_THIS_ONE_ONLY), _unless_missing(key):
                return self._content(key, None if limit < 0 else limit).data
        except ClientError as error:
            if not self.find(key):  # says so if no object may be looked at
                raise FileNotFoundError(2, "there is no such object", key) from error
            reason = f"AWS refuses to read it ({error_code(error)}): it is archived or encrypted"
            raise PermissionError(13, reason, key) from error

    def read_all(self, keys: Iterable[str]) -> dict[str, Content]:
        def read(key: str) -> tuple[str, Content | None]:
            with self._asking(), _unless_missing():
                return key, self._content(key)
            return key, None

        return {key: found for key, found in self.for_each(read, keys) if found}

    def write(self, key: str, content: bytes, *, durable: bool = True) -> None:  # noqa: ARG002
        with self._asking():
            self._s3.put_object(**self._at(key), Body=content)

    def replace(self, key: str, content: bytes, etag: str | None) -> str:
        """As `Objects.replace`; a content that is there already counts as replaced.

        Then the answer to the first of several attempts was lost.
        """
        with self._asking():
            try:
                put = self._s3.put_object(**self._at(key), Body=content, **condition(etag))
            except Exception as error:
                unless_overtaken(error)
                found = self.read_all([key]).get(key)
                if found and found.data == content:
                    return found.etag
                raise ConflictError(f"{key} was replaced by another process: run again") from error
            return _etag(put)

    def move(self, source: str, target: str, etag: str | None) -> str:
        """Copies on the server's side; the source is deleted with its folder by and by."""
        with self._asking():
            try:
                made = self._s3.copy_object(
                    **self._at(target), CopySource=self._at(source), **condition(etag)
                )
            except Exception as error:
                unless_overtaken(error)
                if not (wanted := self.find(source)):
                    raise FileNotFoundError(2, "there is no such object", source) from error
                if present := self._copied(wanted, target):
                    return present
                raise ConflictError(
                    f"{target} was replaced by another process: run again"
                ) from error
            return _etag(made["CopyObjectResult"])

    def _copied(self, source: Object, target: str) -> str | None:
        """The etag at `target` if it has the source's content: then a copy's answer was lost.

        A copy has an etag of its own where a KMS key encrypts or the source came in parts.
        """
        found = self.find(target)
        if not found or found.size != source.size:
            return None
        contents = self.read_all([source.key, target])
        wanted, present = contents.get(source.key), contents.get(target)
        return present.etag if wanted and present and wanted.data == present.data else None

    def upload(self, source: Path, key: str, advance: Advance) -> None:
        """Uploads in parts where the file is large, and keeps its content's SHA-256 with it."""
        from boto3.exceptions import S3UploadFailedError

        target = self._at(key)
        metadata = {_SHA256: _digest(source)}
        with self._asking():
            try:
                self._s3.upload_file(
                    str(source),
                    *target.values(),
                    ExtraArgs={"Metadata": metadata},
                    Callback=advance,
                )
            except S3UploadFailedError as error:  # it hides what AWS answered
                raise (error.__context__ or error) from None

    def holds(self, source: Path, key: str) -> bool:
        """As `Objects.holds`; what another tool put there does not say its SHA-256: not held."""
        with self._asking(), _unless_missing():
            head = self._s3.head_object(**self._at(key))
            same_size = head["ContentLength"] == source.stat().st_size
            return same_size and head["Metadata"].get(_SHA256) == _digest(source)
        return False

    def delete(self, keys: Iterable[str]) -> None:
        remaining = iter(keys)
        while batch := list(islice(remaining, _DELETED_AT_ONCE)):
            _trying(_DELETE_TRIES, ConflictError)(self._delete, batch)

    def delete_below(self, folder: str) -> None:
        self.delete(found.key for found in self.below(folder))

    def locked(self, name: str, wait_s: float = -1, busy: str = "") -> AbstractContextManager[None]:
        file = hashlib.sha256(self.uri(name).encode()).hexdigest()
        return locked(Path(self.locks, file), wait_s, busy)

    @cached_property
    def _s3(self) -> Any:
        return self.aws.client("s3")

    @property
    def _bucket(self) -> str:
        return split_uri(self.root)[0]

    @property
    def _prefix(self) -> str:
        _, prefix = split_uri(self.root)
        return f"{prefix}/" if prefix else ""

    def _at(self, key: str) -> dict[str, str]:
        """The arguments that name a key. Raises `UsageError` if S3 cannot have it."""
        name = self._prefix + key
        try:
            size = len(name.encode())
        except UnicodeEncodeError:
            raise UsageError(f"{printable(key)}: its name is no UTF-8 text: rename it") from None
        if size > _KEY_BYTES:
            raise UsageError(f"{key}: its name has more than {_KEY_BYTES} bytes: shorten it")
        return {"Bucket": self._bucket, "Key": name}

    def _asking(self, but: tuple[str, ...] = ()) -> AbstractContextManager[None]:
        """Says in our words what S3 answers, but for errors of these codes."""
        return aws_errors(
            permission=f"allow s3:ListBucket on bucket {self._bucket}, and s3:GetObject, "
            f"s3:PutObject and s3:DeleteObject below {self.root}",
            name=f"make bucket {self._bucket}, or name one that is there by "
            "CRYPTO_ASSETS_AWS_INBOX and _LAKE",
            but=but,
        )

    def _content(self, key: str, limit: int | None = None) -> Content:
        """The content at a key; a connection lost while it comes is no attempt of the client's."""
        from botocore.exceptions import HTTPClientError, IncompleteReadError

        def get() -> Content:
            found = self._s3.get_object(**self._at(key))
            with closing(found["Body"]) as body:
                data = body.read(limit)
            # boto3 says nothing of an answer that breaks off, if it was asked for a part.
            wanted = found["ContentLength"] if limit is None else min(limit, found["ContentLength"])
            if len(data) < wanted:
                raise IncompleteReadError(actual_bytes=len(data), expected_bytes=wanted)
            return Content(data, _etag(found))

        return _trying(_READ_TRIES, HTTPClientError, IncompleteReadError)(get)

    def _delete(self, keys: list[str]) -> None:
        """Deletes these keys; the list is left with those that S3 did not delete."""
        objects = [{"Key": self._at(key)["Key"]} for key in keys]
        with self._asking():
            answer = self._s3.delete_objects(
                Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
            )
        errors = answer.get("Errors", [])
        keys[:] = [error["Key"].removeprefix(self._prefix) for error in errors]
        for error in sorted(errors, key=lambda error: passes(error["Code"])):
            said = f"AWS does not delete {len(keys)} objects, such as {error['Key']}"
            if passes(error["Code"]):
                raise ConflictError(f"{said}: {error['Code']}; run again later")
            raise RefusedError(f"{said}: {error['Code']}; allow s3:DeleteObject there")

    def _listed(self, folder: str, **options: str) -> Iterator[Object]:
        for page in self._pages(folder, **options):
            for entry in page.get("Contents", ()):
                if not entry["Key"].endswith("/"):  # the console's markers of folders
                    yield _object(entry["Key"].removeprefix(self._prefix), entry, entry["Size"])

    def _pages(self, folder: str, **options: str) -> Iterator[dict[str, Any]]:
        paginator = self._s3.get_paginator("list_objects_v2")
        with self._asking():
            yield from paginator.paginate(
                Bucket=self._bucket, Prefix=self._prefix + folder, **options
            )


def _object(key: str, answer: dict[str, Any], size: int) -> Object:
    """What a listing or a HEAD says; only the former may know the parts of a second."""
    modified = float(int(answer["LastModified"].timestamp()))
    return Object(key, _etag(answer), size, modified, modified)


def _etag(answer: dict[str, Any]) -> str:
    return str(answer["ETag"]).strip('"')


@contextmanager
def _unless_missing(key: str | None = None) -> Iterator[None]:
    """Ends the block where there is no object: with `FileNotFoundError` if a key is named."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error_code(error) not in MISSING:
            raise
        if key is not None:
            raise FileNotFoundError(2, "there is no such object", key) from error


def _trying(times: int, *passing: type[Exception]) -> Retrying:
    from tenacity import (  # it imports whatever can wait, such as asyncio
        Retrying,
        retry_if_exception_type,
        stop_after_attempt,
        wait_random_exponential,
    )

    return Retrying(
        retry=retry_if_exception_type(passing),
        stop=stop_after_attempt(times),
        wait=wait_random_exponential(multiplier=0.2, max=5),
        reraise=True,
    )


def _digest(path: Path) -> str:
    with open_regular(path, follow=True) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
