"""Registering files of this machine: all of them are judged before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crypto_assets.resources.accounts.snapshots import SnapshotRegistry
from crypto_assets.resources.data_set.registry import Entry, Registry
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.resources.market_data.coins import terms_of
from crypto_assets.resources.market_data.registry import (
    CurrencyRegistry,
    checked_ticker,
    with_choices,
)
from crypto_assets.resources.uploads.inspect import bad_lines
from crypto_assets.spark.market_data.currency import Choices


def add_currency(
    inbox: Inbox,
    registry: CurrencyRegistry,
    ticker: str,
    sources: Mapping[str, Path],
    choices: Choices,
) -> tuple[Entry, list[str]]:
    """Uploads both files and registers the currency; returns its entry and what is odd about them.

    Raises `UsageError`, and stores nothing, if the ticker is none or a file not of its kind; single
    bad lines are reported and left to the run's verdict.
    """
    ticker = checked_ticker(ticker)
    remarks = [
        remark
        for kind, source in sources.items()
        for remark in _judge(source, kind, ticker, choices)
    ]
    return register(inbox, registry, ticker, sources, with_choices(choices)), remarks


def register(
    inbox: Inbox,
    registry: Registry,
    partition: str,
    sources: Mapping[str, Path],
    facts: Mapping[str, Any],
) -> Entry:
    """Uploads all files and registers the partition without a look into them."""
    files = upload_files(inbox, partition, sources)
    with registry.changing():
        entry = Entry(partition, files, dict(facts))
        registry.put(entry)
    return entry


def add_snapshot(inbox: Inbox, registry: SnapshotRegistry, sources: Mapping[str, Path]) -> Entry:
    """Uploads both files and registers them as the newest snapshot.

    Raises `UsageError`, and stores nothing, if one is not what it is said to be.
    """
    from crypto_assets.spark.accounts.reading import kind_of
    from crypto_assets.spark.exports.text import HEAD_BYTES

    for kind, source in sources.items():
        with source.open("rb") as stream:
            if kind_of(stream.read(HEAD_BYTES), source.name) != kind:
                raise UsageError(f"{source}: this is no file of {kind}: look at its first line")
    return registry.register(upload_files(inbox, registry.data_set.name, sources))


def upload_files(inbox: Inbox, folder: str, sources: Mapping[str, Path]) -> dict[str, StoredUpload]:
    """Copies files to keys below this folder of the inbox; the sensor leaves them alone."""
    from crypto_assets.spark.accounts.lines import MAX_BYTES

    files, ledger = {}, Ledger(inbox.objects)
    for kind, source in sources.items():
        key = f"{folder}/{kind}/{source.name}"
        inbox.put(source, key)
        files[kind] = inbox.pin(key, inbox.read(key, MAX_BYTES))
        if arrival := inbox.arrival(key):
            ledger.decide(arrival, "assigned")
    return files


def _judge(path: Path, kind: str, ticker: str, choices: Choices) -> list[str]:
    """What is odd about the file; raises `UsageError` if it is no file of this kind."""
    from crypto_assets.spark.exports import read_export
    from crypto_assets.spark.problems import ReadError

    try:
        with path.open("rb") as stream:
            export = read_export(stream, choices.reading(terms_of(ticker, choices.names)))
    except ReadError as reason:
        raise UsageError(f"{path}: {reason}") from reason
    if export.kind != kind:
        raise UsageError(f"{path}: this is a {export.kind} file, a {kind} file is wanted here")
    problems = [
        f"{path.name} line {line['line']}: {line['problem']}; the run will refuse it"
        for line in bad_lines(export)[:3]
    ]
    return [*(f"{path.name}: {note}" for note in export.notes), *problems]
