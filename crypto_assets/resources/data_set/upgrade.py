"""Takes over what an earlier version left in an inbox and a lake, once, on first use.

Formats so far: 1 had folders of each data set's own (`_waiting`, `_snapshots`, `_versions`, …); 2
has one registry and one form of manifest. Every step may be repeated: the mark of the new format
is written last, so that a crash leaves what the next process takes over. Who only reads writes
nothing where there is nothing to take over.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from crypto_assets.resources.data_set.registry import ROOT
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.stored import CONTENTS
from crypto_assets.resources.storage.lake import MANIFESTS
from crypto_assets.resources.storage.objects import Objects

FORMAT = 2
_MARKET, _ACCOUNTS = f"{ROOT}/market_data", f"{ROOT}/accounts"
_DECISIONS = {"_taken": "assigned", "_quarantine": "quarantine", "_removed": "removed"}
_KINDS = ("history", "trend")
_SNAPSHOT_KINDS = ("customers", "accounts")
_NEWEST = {"customer_accounts": "published", "customer_account_store": "stored"}

# Where format 1 had its objects.
_OLD = {
    ROOT: ("_versions", "_waiting", "_snapshots", *_DECISIONS),
    MANIFESTS: ("_versions",),
}

# The new documents, by key, that take the place of an old one of this name.
Converted = Iterator[tuple[str, bytes]]


def upgrade_inbox(objects: Objects, *, writes: bool = True) -> None:
    """Brings the product's own objects of an inbox to this format, and marks it if one `writes`.

    Raises `UsageError` if a newer version made them.
    """
    _upgrade(objects, ROOT, _upgrade_inbox, writes=writes)


def upgrade_lake(objects: Objects, *, writes: bool = True) -> None:
    """Brings the product's own objects of a lake to this format, as `upgrade_inbox` does."""
    _upgrade(objects, MANIFESTS, _upgrade_lake, writes=writes)


def _upgrade(
    objects: Objects, folder: str, steps: Callable[[Objects], None], *, writes: bool
) -> None:
    mark = f"{folder}/format.json"
    if _format(objects, mark) == FORMAT:
        return
    if not writes and not any(found for old in _OLD[folder] for found in objects.below(old)):
        return
    with objects.locked(f"{folder}/.lock"):
        if _format(objects, mark) != FORMAT:
            steps(objects)
            objects.write(mark, _json({"format": FORMAT}))


def _format(objects: Objects, mark: str) -> int:
    """The format that is marked; 1 where none is. Raises `UsageError` if it is a newer one."""
    found = objects.read_all([mark]).get(mark)
    number = int(json.loads(found.data)["format"]) if found else 1
    if number > FORMAT:
        raise UsageError(
            f"{objects.uri('')} was written by a newer version (format {number}, here it is "
            f"{FORMAT}): upgrade crypto-assets"
        )
    return number


def _upgrade_inbox(objects: Objects) -> None:
    _rewrite(objects, ROOT, _currency)
    for kind in _KINDS:
        _rewrite(objects, f"_waiting/{kind}", partial(_waiting, kind))
    _rewrite(objects, "_snapshots", _snapshot)
    _move(objects, "_due", f"{_MARKET}/due", ".upgraded")
    _move(objects, "_due_snapshots", f"{_ACCOUNTS}/due", ".upgraded")
    _move(objects, "_forgotten", f"{_ACCOUNTS}/forgotten")
    for old, decision in _DECISIONS.items():
        _move(objects, old, f"_decisions/{decision}")
    _move(objects, "_versions", CONTENTS)


def _upgrade_lake(objects: Objects) -> None:
    objects.delete_below("_jobs")  # of jobs whose runs this version cannot read
    _rewrite(objects, "_versions", _manifests)


def _currency(ticker: str, content: bytes) -> Converted:
    document = json.loads(content)
    del document["ticker"]
    files = {kind: document.pop(kind) for kind in _KINDS}
    yield f"{_MARKET}/entries/{ticker}.json", _entry(ticker, files, {"choices": document})


def _waiting(kind: str, ticker: str, content: bytes) -> Converted:
    """A currency of which one file had come."""
    files = {kind: json.loads(content)}
    yield f"{_MARKET}/waiting/{ticker}.json", _entry(ticker, files, {})


def _snapshot(name: str, content: bytes) -> Converted:
    """A snapshot, or the folders in which a file waits for its partner."""
    document = json.loads(content)
    if name == ".pairs":
        for folder, halves in document.items():
            digest = hashlib.sha256(folder.encode(errors="surrogateescape")).hexdigest()[:16]
            yield f"{_ACCOUNTS}/waiting/folder-{digest}.json", _folder(f"folder-{digest}", halves)
        return
    files = {kind: document[kind] for kind in _SNAPSHOT_KINDS}
    facts = {"arrived_at": document["arrived_at"]}
    yield f"{_ACCOUNTS}/entries/{name}.json", _entry(name, files, facts)


def _folder(name: str, halves: Mapping[str, Any]) -> bytes:
    files = {kind: half["upload"] for kind, half in halves.items() if not half["used"]}
    facts = {
        "arrived": {kind: half["arrived"] for kind, half in halves.items()},
        "paired": {kind: half["upload"] for kind, half in halves.items() if half["used"]},
    }
    return _entry(name, files, facts)


def _manifests(name: str, content: bytes) -> Converted:
    """A currency's manifest, or those of the customer accounts.

    What cannot be read of a currency's is left so: the lake takes it for an empty one.
    """
    if name != "customer_accounts":
        new = content.replace(b'"stamps": ', b'"etags": ', 1)
        yield f"{MANIFESTS}/market_data/{name}.json", new
        return
    document = json.loads(content)
    versions = document.pop("versions")
    for snapshot, made in versions.items():
        kept = {layer: version for layer, version in made.items() if layer not in _NEWEST}
        yield f"{MANIFESTS}/accounts/{snapshot}.json", _json({"versions": kept})
    document["versions"] = {
        layer: versions[document[state]][layer]
        for layer, state in _NEWEST.items()
        if layer in versions.get(document[state], {})
    }
    yield f"{MANIFESTS}/accounts.json", _json(document)


def _entry(partition: str, files: Mapping[str, Any], facts: Mapping[str, Any]) -> bytes:
    return _json({"partition": partition, "files": files, "facts": facts})


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=1).encode()


def _rewrite(objects: Objects, folder: str, converted: Callable[[str, bytes], Converted]) -> None:
    """Writes what each document right in a folder becomes; then the old ones go."""
    found = (found.key for found in objects.below(folder))
    keys = [key for key in found if key.count("/") == folder.count("/") + 1]
    keys = [key for key in keys if key.endswith(".json")]

    def rewrite(key: str) -> None:
        content = contents[key].data
        for target, document in converted(key.rpartition("/")[2].removesuffix(".json"), content):
            objects.write(target, document)

    contents = objects.read_all(keys)
    for _ in objects.for_each(rewrite, contents):
        pass
    objects.delete(keys)


def _move(objects: Objects, old: str, new: str, ending: str = "") -> None:
    """Moves everything below a folder; where a move is a copy, the old ones go at the end."""
    keys = [found.key for found in objects.below(old)]

    def move(key: str) -> None:
        target = f"{new}/{key.removeprefix(f'{old}/')}{ending}"
        if not objects.find(target):  # a crash may have left the copy
            objects.move(key, target, None)

    for _ in objects.for_each(move, keys):
        pass
    objects.delete(keys)
