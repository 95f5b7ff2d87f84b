"""Sending files to the inbox: in parallel, only what is not there, safe to repeat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.progress import progress
from crypto_assets.resources.storage.files import regular_files
from crypto_assets.resources.storage.objects import is_hidden

_WORKERS = 8


def sources_of(paths: Iterable[Path]) -> dict[str, Path]:
    """The files meant by these paths, by the key they will have in the inbox.

    A folder means the CSV files below it, under its own name. Raises `UsageError` if two files
    would get one key, a name is not for the inbox, or there is no file at all.
    """
    sources: dict[str, Path] = {}
    for path in paths:
        for key, file in _files_of(path):
            if is_hidden(key):
                raise UsageError(f"{file}: names that begin with . or _ are not taken: rename it")
            if sources.setdefault(key, file) != file:
                raise UsageError(
                    f"{sources[key]} and {file} would both be {key}: upload their folder instead"
                )
    if not sources:
        raise UsageError("there is no CSV file in what you named")
    return sources


def _files_of(path: Path) -> Iterator[tuple[str, Path]]:
    if not path.is_dir():
        yield path.name, path
        return
    for file in regular_files(path, ".csv"):
        yield Path(path.resolve().name, file.relative_to(path)).as_posix(), file


def send(inbox: Inbox, ledger: Ledger, sources: Mapping[str, Path]) -> list[str]:
    """Copies the files to their keys; returns the keys that were not there with this content.

    What is in quarantine, or was removed, is sent again so that it is decided on anew.
    """
    sizes = {key: _size(path) for key, path in sources.items()}
    total = sum(sizes.values()) or 1

    def advance(done: int) -> None:
        progress("upload", done, total, in_bytes=True)

    def send_one(key: str, path: Path) -> bool:
        if inbox.holds(path, key) and not ledger.is_open(key):
            advance(sizes[key])
            return False
        inbox.put(path, key, advance)
        return True

    with ThreadPoolExecutor(_WORKERS) as pool:
        sent = dict(zip(sources, pool.map(send_one, sources, sources.values()), strict=True))
    return sorted(key for key, was_sent in sent.items() if was_sent)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # told when it is sent
