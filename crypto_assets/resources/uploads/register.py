"""Registering files of this machine: all of them are judged before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from crypto_assets.resources.accounts.snapshots import SnapshotRegistry
from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.registry import Registry
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.resources.market_data.assign import file_facts
from crypto_assets.resources.market_data.inspection import inspected
from crypto_assets.resources.market_data.registry import (
    CurrencyRegistry,
    new_ticker,
    with_choices,
)
from crypto_assets.resources.storage.files import open_regular
from crypto_assets.spark.market_data.coins import terms_of
from crypto_assets.spark.market_data.currency import Choices


def add_currency(
    inbox: Inbox,
    registry: CurrencyRegistry,
    ticker: str,
    sources: Mapping[str, Path],
    choices: Choices,
    *,
    force: bool = False,
) -> tuple[Entry, list[str]]:
    """Uploads both files and registers the currency; returns its entry and what is odd about them.

    Raises `UsageError`, and stores nothing, if the ticker is none, a file is not of its kind, or a
    run would refuse it; with `force` such a file is registered all the same.
    """
    ticker = new_ticker(ticker)
    remarks: list[str] = []
    facts: dict[str, dict[str, str]] = {}
    for kind, source in sources.items():
        odd, facts[kind] = _judge(source, kind, ticker, choices, force=force)
        remarks += odd
    return register(inbox, registry, ticker, sources, with_choices(choices), facts), remarks


def register(
    inbox: Inbox,
    registry: Registry,
    partition: str,
    sources: Mapping[str, Path],
    facts: Mapping[str, Any],
    file_facts: Mapping[str, dict[str, str]] = MappingProxyType({}),
) -> Entry:
    """Uploads all files and registers the partition without a look into them."""
    uploads = upload_files(inbox, partition, sources)
    files = {kind: replace(each, facts=file_facts.get(kind, {})) for kind, each in uploads.items()}
    with registry.changing():
        entry = (registry.get(partition) or Entry(partition)).given(files, facts)
        registry.put(entry)
    return entry


def add_snapshot(inbox: Inbox, registry: SnapshotRegistry, sources: Mapping[str, Path]) -> Entry:
    """Uploads both files and registers them as the newest snapshot.

    Raises `UsageError`, and stores nothing, if one is not what it is said to be.
    """
    from crypto_assets.spark.accounts.reading import kind_of
    from crypto_assets.spark.exports.text import HEAD_BYTES

    for kind, source in sources.items():
        with open_regular(source, follow=True) as stream:
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


def _judge(
    path: Path, kind: str, ticker: str, choices: Choices, *, force: bool
) -> tuple[list[str], dict[str, str]]:
    """What is odd about the file, and its facts.

    Raises `UsageError` if it is no file of this kind, or a run would refuse it and `force` does not
    want it all the same.
    """
    from crypto_assets.spark.exports import read_export
    from crypto_assets.spark.market_data.judge import remarks
    from crypto_assets.spark.problems import ReadError

    try:
        with open_regular(path, follow=True) as stream:
            reading = choices.reading(terms_of(ticker, choices.names), kind, path.name)
            export = read_export(stream, reading)
    except ReadError as reason:
        raise UsageError(f"{path}: {reason}") from reason
    found = inspected(export)
    problems = found.facts["problems"]
    if problems and not force:
        raise UsageError(
            f"{path}: {'; '.join(problems)}; a run would refuse it: mend the file, or register it "
            "as failing with --force"
        )
    refused = [f"{each}; the run will refuse it" for each in problems]
    odd = [f"{path.name}: {each}" for each in (*remarks(export), *refused)]
    return odd, file_facts(path.name, found)
