"""The commands of the market data, and those of the product as a whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crypto_assets.cli.command import command

if TYPE_CHECKING:
    from crypto_assets.defs.launch import Outcome
    from crypto_assets.resources.settings import Settings

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_PATH = click.Path(exists=True, readable=True, path_type=Path)
_DATES = click.Choice(["dmy", "mdy", "ymd"])
_DECIMAL = click.Choice(["dot", "comma"])
SHOWN_SNAPSHOTS = 10
_LAYER = click.Choice(["bronze", "silver", "gold", "warehouse"])


@command
@click.argument("ticker")
@click.option("--history", required=True, type=_FILE, help="CSV file of daily prices.")
@click.option("--trend", required=True, type=_FILE, help="CSV file of Google Trends.")
@click.option(
    "--missing",
    type=click.Choice(["fill", "drop"]),
    default="fill",
    show_default=True,
    help="A missing price: take the last one of at most 10 rows back, or leave the row out.",
)
@click.option("--dates", type=_DATES, help="Order of day and month.")
@click.option("--decimal", type=_DECIMAL, help="Decimal mark.")
@click.option("--accept-outliers", is_flag=True, help="Accept prices 50 times their neighbours.")
@click.option(
    "--max-shrink",
    type=click.FloatRange(0, 1),
    default=0.2,
    show_default=True,
    help="Share of its rows a table may lose by a new upload before it is refused.",
)
def add(settings: Settings, ticker: str, history: Path, trend: Path, **choices: Any) -> None:
    """Register the currency TICKER and upload both its files."""
    from crypto_assets.defs.files import report_upload
    from crypto_assets.resources import wiring as profile
    from crypto_assets.resources.instance import open_instance
    from crypto_assets.resources.uploads.register import take_in

    entry, notes = take_in(
        profile.inbox(settings), profile.registry(settings), ticker, history, trend, choices
    )
    with open_instance(settings) as instance:
        report_upload(instance, entry)
    click.echo(f"{entry.ticker}: registered {entry.history.name} and {entry.trend.name}")
    for note in notes:
        click.echo(f"{entry.ticker}: {note}", err=True)


@command
@click.argument("paths", nargs=-1, required=True, type=_PATH)
def upload(settings: Settings, paths: Sequence[Path]) -> None:
    """Upload CSV files, or folders of them; whose they are is worked out from name and content.

    PATHS are copied to the inbox, where `crypto-assets ui` takes them from. What is there already
    with the same content is skipped.
    """
    from crypto_assets.cli.console import showing_progress
    from crypto_assets.resources import wiring as profile
    from crypto_assets.resources.inbox.ledger import Ledger
    from crypto_assets.resources.uploads.send import send, sources_of

    sources = sources_of(paths)
    inbox = profile.inbox(settings)
    with showing_progress():
        sent = send(inbox, Ledger(inbox.objects), sources)
    click.echo(f"{len(sent)} uploaded, {len(sources) - len(sent)} there already")
    click.echo("`crypto-assets status` shows what became of them", err=True)


@command
@click.argument("ticker")
@click.option("--purge", is_flag=True, help="Delete its uploads too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(settings: Settings, ticker: str, purge: bool, yes: bool) -> None:
    """Take the currency TICKER out of every layer, the warehouse and the partitions.

    May be repeated if it was interrupted.
    """
    from crypto_assets.defs.partitions import drop_partition, has_partition
    from crypto_assets.resources import wiring as profile
    from crypto_assets.resources.inbox.ledger import Ledger
    from crypto_assets.resources.instance import open_instance
    from crypto_assets.resources.market_data.registry import WrongUse, checked_ticker
    from crypto_assets.resources.market_data.remove import remove as remove_everywhere

    ticker, platform = checked_ticker(ticker), profile.platform(settings)
    with open_instance(settings) as instance:
        known = any(name == ticker for name, _, _ in platform.registry.uploads())
        if not known and not has_partition(instance, ticker):
            raise WrongUse(f"{ticker}: not registered")
        uploads = " and its uploads" if purge else ""
        if not yes:
            click.confirm(f"Remove the tables of {ticker}{uploads}?", abort=True)
        inbox = profile.inbox(settings)
        remove_everywhere(platform, inbox, Ledger(inbox.objects), ticker, purge=purge)
        stranded = drop_partition(instance, ticker)
        for entry in platform.registry.get_all(stranded).values():
            platform.registry.put(entry)  # due again, for a run of its own
    click.echo(f"{ticker}: removed{uploads}")


@command
@click.argument("paths", nargs=-1, type=_PATH)
@click.option("--shapes", is_flag=True, help="List the shapes of file that are understood.")
@click.option("--json", "as_json", is_flag=True, help="Everything found out, as JSON.")
@click.option("--dates", type=_DATES, help="Order of day and month.")
@click.option("--decimal", type=_DECIMAL, help="Decimal mark.")
@click.option("--accept-outliers", is_flag=True, help="Accept prices 50 times their neighbours.")
def inspect(
    settings: Settings,  # noqa: ARG001 - every command gets them
    paths: Sequence[Path],
    shapes: bool,
    as_json: bool,
    **choices: Any,
) -> None:
    """Say what each file is, or why it is refused, without storing anything.

    PATHS are files, or folders whose CSV files are meant. Exit code 1 if any file is refused.
    """
    from crypto_assets.cli.console import write_json
    from crypto_assets.resources.uploads.inspect import inspect_file, shapes_table, summary

    if bool(paths) == shapes:
        raise click.UsageError("name the files to inspect, or --shapes")
    if shapes:
        click.echo(shapes_table())
        return
    folders = (sorted(p.rglob("*.csv")) if p.is_dir() else [p] for p in paths)
    findings = [inspect_file(path, choices) for files in folders for path in files]
    if as_json:
        write_json(findings)
    else:
        for finding in findings:
            click.echo(summary(finding))
    sys.exit(1 if any(finding["refused"] for finding in findings) else 0)


@command
@click.argument("tickers", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All registered currencies.")
@click.option("--failed", is_flag=True, help="Those of which a layer failed.")
@click.option("--stale", is_flag=True, help="Those whose files, settings or code changed since.")
@click.option("--layer", "layers", type=_LAYER, multiple=True, help="Only this layer (repeatable).")
def materialize(
    settings: Settings,
    tickers: Sequence[str],
    every: bool,
    failed: bool,
    stale: bool,
    layers: Sequence[str],
) -> None:
    """Bring currencies from their uploads to the warehouse; one line for each.

    Exit code 0 if all succeeded, 1 if any failed, 2 on wrong use.
    """
    from crypto_assets.cli.console import err, showing_progress
    from crypto_assets.definitions import defs
    from crypto_assets.defs.launch import launch
    from crypto_assets.defs.status import in_state
    from crypto_assets.resources import wiring as profile
    from crypto_assets.resources.instance import open_instance
    from crypto_assets.spark.job_spec import LAYERS

    states = [name for name, wanted in (("failed", failed), ("stale", stale)) if wanted]
    chosen = _chosen(settings, tickers, every or bool(states))
    selected = [layer for layer in LAYERS if not layers or layer in layers]
    bad = 0
    with open_instance(settings) as instance, showing_progress():
        if states:
            entries = profile.registry(settings).get_all(chosen)
            chosen = in_state(instance, entries, states)
            err.print(f"{len(chosen)} of {len(entries)} currencies are {' or '.join(states)}")
        job = defs().resolve_job_def("refresh_currencies")
        for outcome in launch(job, instance, chosen, selected):
            click.echo(_line(outcome))
            bad += outcome.failed
    if bad:
        err.print(f"{bad} of {len(chosen)} tickers failed")
        sys.exit(1)


def _chosen(settings: Settings, tickers: Sequence[str], every: bool) -> list[str]:
    """The registered tickers a command is meant for. Raises `WrongUse` if one is not registered."""
    from crypto_assets.resources import wiring as profile
    from crypto_assets.resources.market_data.registry import WrongUse, checked_ticker

    registry = profile.registry(settings)
    registered, waiting = registry.tickers(), registry.waiting()
    if bool(tickers) == every:
        raise WrongUse("name the tickers, or use --all, --failed or --stale")
    chosen = registered if every else list(dict.fromkeys(map(checked_ticker, tickers)))
    for ticker in set(chosen).intersection(waiting) - set(registered):
        raise WrongUse(f"{ticker}: only its {waiting[ticker][0]} file has come so far")
    if unknown := sorted(set(chosen) - set(registered)):
        raise WrongUse(f"{', '.join(unknown)}: not registered; run `crypto-assets add` first")
    if not chosen:
        raise WrongUse("no currency is registered yet: run `crypto-assets add` first")
    return chosen


def _line(outcome: Outcome) -> str:
    if outcome.failed:
        layer, problem = next(iter(outcome.problems.items()))
        return f"{outcome.partition:<8} FAILED  {layer}: {problem}"
    span = outcome.passed.get("gold") or outcome.passed.get("warehouse") or {}
    rows = f"{span['rows']:,} rows {span['first_date']}..{span['last_date']}" if span else ""
    return f"{outcome.partition:<8} ok      {' '.join(outcome.passed)}  {rows}".rstrip()


@command
@click.argument("tickers", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="The whole status as JSON.")
def status(settings: Settings, tickers: Sequence[str], as_json: bool) -> None:
    """Show the files and layers of each currency and its problems, then uploads in quarantine.

    Without TICKERS also the last snapshots of customer accounts.
    """
    from crypto_assets.cli.console import show_status, write_json
    from crypto_assets.defs.status import (
        currency_statuses,
        snapshot_statuses,
        upload_statuses,
    )
    from crypto_assets.resources import wiring as profile
    from crypto_assets.resources.instance import open_instance

    registry, snapshots = profile.registry(settings), profile.snapshots(settings)
    chosen = _chosen(settings, tickers, False) if tickers else registry.tickers()
    with open_instance(settings) as instance:
        statuses = currency_statuses(instance, registry.get_all(chosen))
        last = [] if tickers else snapshots.names()[-SHOWN_SNAPSHOTS:]
        drops = snapshot_statuses(instance, [snapshots.get(name) for name in last])
    documents = [status.as_json() for status in statuses]
    others = {} if tickers else upload_statuses(profile.inbox(settings), registry, snapshots)
    if as_json:
        write_json({"currencies": documents, "snapshots": drops, **others})
    else:
        show_status(documents, drops, others)


@command
@click.argument("query")
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
)
def sql(settings: Settings, query: str, style: str) -> None:
    """Query the warehouse, read-only, e.g. "SELECT * FROM market_data.btc ORDER BY date"."""
    from crypto_assets.cli.console import show_table, write_csv, write_json
    from crypto_assets.resources import wiring as profile

    columns, rows = profile.warehouse(settings).query(query)
    if style == "json":
        write_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        (show_table if style == "table" else write_csv)(columns, rows)


@command
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=3000, show_default=True)
def ui(settings: Settings, host: str, port: int) -> None:
    """Start Dagster's web UI and daemon on this home; end with Ctrl-C."""
    from crypto_assets.resources.instance import prepare_home

    environment = {**os.environ, **prepare_home(settings)}
    dev = [sys.executable, "-m", "dagster", "dev", "-m", "crypto_assets.definitions"]
    click.echo(f"http://{host}:{port}")
    sys.stdout.flush()
    # Takes this process's place, so that a signal to it ends all that Dagster started.
    os.execve(sys.executable, [*dev, "--host", host, "--port", str(port)], environment)  # noqa: S606 - our own words, no shell


@command
def doctor(settings: Settings) -> None:
    """Check settings, engine, lake and warehouse, and say what to fix."""
    from crypto_assets.cli.console import show_table
    from crypto_assets.resources.doctor.doctor import examine

    findings = list(examine(settings))
    show_table(
        ["", "what", "found"], [("ok" if f.ok else "FIX", f.what, f.found) for f in findings]
    )
    sys.exit(0 if all(finding.ok for finding in findings) else 1)
