"""Conditions of writes and copies on S3: how they are asked for, refused and tried.

Whoever publishes relies on them (`S3Objects.replace` and `move`). A store that ignores them lets an
older result take the place of a newer one without a word, as several that are like S3 do.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from crypto_assets.resources.aws import error_code, one_line
from crypto_assets.resources.errors import ConflictError, CryptoAssetsError, RefusedError
from crypto_assets.resources.storage.objects import Objects

MISSING = ("404", "NoSuchKey", "NotFound")
PROBES = "_probe"
_OVERTAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_OTHER = "0" * 32  # the etag of nothing


def condition(etag: str | None) -> dict[str, str]:
    """The arguments that let a write or a copy replace only what has this etag (None: nothing)."""
    return {"IfNoneMatch": "*"} if etag is None else {"IfMatch": f'"{etag}"'}


def unless_overtaken(error: Exception) -> None:
    """Raises the error again unless it says that something else is at a key.

    Raises `RefusedError` where S3 knows no conditions.
    """
    code = error_code(error)
    if code == "NotImplemented":
        raise RefusedError(
            f"S3 knows no conditions here: {one_line(error)}; if the bucket's policy demands "
            "s3:if-match or s3:if-none-match, take that out, as S3 makes no copies under it; "
            "else use a store that knows them"
        ) from error
    if code not in (*_OVERTAKEN, *MISSING):
        raise error


def check_conditions(objects: Objects) -> None:
    """Tries each condition on small objects below `_probe`, which are deleted afterwards.

    Raises `RefusedError` if one is ignored or not known, or refused where it holds, or if objects
    cannot be written there.
    """
    probe = f"{PROBES}/{uuid.uuid4().hex}"
    keys = [f"{probe}/source", f"{probe}/target", f"{probe}/other"]
    try:
        _try_conditions(objects, *keys)
    except BaseException:
        with suppress(CryptoAssetsError):  # what failed first matters more
            objects.delete(keys)
        raise
    objects.delete(keys)


def _try_conditions(objects: Objects, source: str, target: str, other: str) -> None:
    with _honouring(objects, "If-None-Match of PutObject"):
        first = objects.replace(target, b"first", None)
    objects.write(source, b"second")
    attempts: dict[str, Callable[[], object]] = {
        "If-None-Match of PutObject": lambda: objects.replace(target, b"third", None),
        "If-Match of PutObject": lambda: objects.replace(target, b"fourth", _OTHER),
        "If-None-Match of CopyObject": lambda: objects.move(source, target, None),
        "If-Match of CopyObject": lambda: objects.move(source, target, _OTHER),
    }
    if ignored := [condition for condition, attempt in attempts.items() if not _conflicts(attempt)]:
        raise RefusedError(
            f"{objects.uri('')}: the store ignores {', '.join(ignored)}: it would lose newer data "
            "silently: use AWS S3 or a store that honours these conditions"
        )
    with _honouring(objects, "If-Match of PutObject"):
        fifth = objects.replace(target, b"fifth", first)
    with _honouring(objects, "If-None-Match of CopyObject"):
        objects.move(source, other, None)
    with _honouring(objects, "If-Match of CopyObject"):
        objects.move(source, target, fifth)


@contextmanager
def _honouring(objects: Objects, condition: str) -> Iterator[None]:
    """What is done in the block meets the condition: a store that refuses it cannot be used."""
    try:
        yield
    except ConflictError as error:
        raise RefusedError(
            f"{objects.uri('')}: the store refuses {condition} where it holds: nothing could be "
            "published there: use AWS S3 or a store that honours this condition"
        ) from error


def _conflicts(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except ConflictError:
        return True
    return False
