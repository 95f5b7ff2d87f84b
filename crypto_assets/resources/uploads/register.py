"""Taking in a currency or a snapshot: both files are judged before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crypto_assets.resources.accounts.snapshots import Snapshots, StoredSnapshot
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.market_data.coins import terms_of
from crypto_assets.resources.market_data.registry import Entry, Registry, WrongUse, checked_ticker
from crypto_assets.resources.uploads.inspect import bad_lines
from crypto_assets.spark.job_spec import KINDS, AccountKind, Kind


def take_in(
    inbox: Inbox,
    registry: Registry,
    ticker: str,
    history: Path,
    trend: Path,
    choices: Mapping[str, Any],
) -> tuple[Entry, list[str]]:
    """Uploads both files and registers the currency; returns its entry and what is odd about them.

    `choices` are the settings of an `Entry`. Raises `WrongUse`, and stores nothing, if the ticker
    is none or a file not of its kind; single bad lines are told and left to the run's verdict.
    """
    ticker = checked_ticker(ticker)
    sources: dict[Kind, Path] = {"history": history, "trend": trend}
    notes = [note for kind in KINDS for note in _judge(sources[kind], kind, ticker, choices)]
    return register(inbox, registry, ticker, sources, choices), notes


def register(
    inbox: Inbox,
    registry: Registry,
    ticker: str,
    sources: Mapping[Kind, Path],
    choices: Mapping[str, Any],
) -> Entry:
    """Uploads both files and registers the currency without a look into them."""
    from crypto_assets.spark.exports.text import MAX_BYTES

    uploads: dict[str, Any] = {}
    for kind, source in sources.items():
        key = f"{ticker}/{kind}/{source.name}"
        inbox.put(source, key)
        uploads[kind] = inbox.pin(key, inbox.read(key, MAX_BYTES))
    entry = Entry(ticker=ticker, **uploads, **choices)
    with registry.changing():
        registry.put(entry)
    return entry


def take_in_snapshot(
    inbox: Inbox, snapshots: Snapshots, customers: Path, accounts: Path
) -> StoredSnapshot:
    """Uploads both files and registers them as the newest snapshot.

    Raises `WrongUse`, and stores nothing, if one is not what it is said to be.
    """
    from crypto_assets.spark.accounts.lines import MAX_BYTES
    from crypto_assets.spark.accounts.reading import kind_of
    from crypto_assets.spark.exports.text import HEAD_BYTES

    sources: dict[AccountKind, Path] = {"customers": customers, "accounts": accounts}
    for kind, source in sources.items():
        with source.open("rb") as stream:
            if kind_of(stream.read(HEAD_BYTES), source.name) != kind:
                raise WrongUse(f"{source}: this is no file of {kind}: look at its first line")
    uploads = {}
    for kind, source in sources.items():
        key = f"accounts/{kind}/{source.name}"
        inbox.put(source, key)
        uploads[kind] = inbox.pin(key, inbox.read(key, MAX_BYTES))
        if arrival := inbox.arrival(key):
            Ledger(inbox.objects).note(arrival, "taken")  # so that the sensor leaves it alone
    return snapshots.put(uploads["customers"], uploads["accounts"])


def _judge(path: Path, kind: Kind, ticker: str, choices: Mapping[str, Any]) -> list[str]:
    """What is odd about the file; raises `WrongUse` if it is no file of this kind."""
    from crypto_assets.spark.exports import Options, Refused, read_export

    options = Options(
        dates=choices.get("dates"),
        decimal=choices.get("decimal"),
        accept_outliers=choices.get("accept_outliers", False),
        terms=terms_of(ticker),
    )
    try:
        with path.open("rb") as stream:
            export = read_export(stream, options)
    except Refused as reason:
        raise WrongUse(f"{path}: {reason}") from reason
    if export.kind != kind:
        raise WrongUse(f"{path}: this is a {export.kind} file, a {kind} file is wanted here")
    problems = [
        f"{path.name} line {line['line']}: {line['problem']}; the run will refuse it"
        for line in bad_lines(export)[:3]
    ]
    return [*(f"{path.name}: {note}" for note in export.notes), *problems]
