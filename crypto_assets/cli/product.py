"""The commands of the product as a whole: `status`, `report`, `sql`, `ui`, `prune`, `doctor`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crypto_assets.cli.accounts import snapshot_document
from crypto_assets.cli.command import command, keeping_all, say
from crypto_assets.cli.market_data import (
    EVERY_MEASURE,
    SHOWN_MEASURES,
    chosen_tickers,
    currency_document,
)
from crypto_assets.spark.accounts.data_set import ACCOUNTS

if TYPE_CHECKING:
    from crypto_assets.defs.status import Status
    from crypto_assets.resources.data_set.registry import Registry
    from crypto_assets.resources.settings import Settings

SHOWN_SNAPSHOTS = 10
_NOTHING = """\
no currency is registered in {home} yet. Either name its two files:
  crypto-assets add BTC --history FILE --trend FILE
  crypto-assets materialize BTC
or leave `crypto-assets ui` running, which does the rest, and upload as many as you like:
  crypto-assets upload FOLDER"""


@command
@click.argument("tickers", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="The whole status as JSON.")
@click.option("--late", is_flag=True, help="Only currencies whose last price is too old.")
def status(settings: Settings, tickers: Sequence[str], as_json: bool, late: bool) -> None:
    """Show the files and layers of each currency and its problems, then uploads in quarantine.

    Without TICKERS also the last snapshots of customer accounts. With --late those with problems
    come first, then the most overdue; 7 days are allowed, or what `currencies.toml` says.
    """
    from crypto_assets.cli.console import show_status, write_json
    from crypto_assets.cli.late import show_late
    from crypto_assets.resources.home.state import demo_beside

    with keeping_all():
        if late:
            show_late(settings, tickers, as_json=as_json)
            return
        measures_with = EVERY_MEASURE if as_json else SHOWN_MEASURES
        currencies, document = _found(settings, tickers, measures_with)
        if as_json:
            write_json({"currencies": list(map(currency_document, currencies)), **document})
        else:
            snapshots = document.pop("snapshots")
            show_status(currencies, snapshots, document)
            if not currencies and not snapshots:
                for line in _NOTHING.format(home=settings.root).splitlines():
                    say(line, err=True)
                if demo := demo_beside(settings):
                    say(demo, err=True)


def _found(
    settings: Settings, tickers: Sequence[str], measures_with: Mapping[str, str]
) -> tuple[list[Status], dict[str, Any]]:
    """The currencies, as of `statuses`, and what else `status --json` shows."""
    from crypto_assets.defs.status import statuses, upload_statuses
    from crypto_assets.defs.under_way import under_way
    from crypto_assets.resources import wiring

    currencies, snapshots = wiring.published(settings)
    registered = currencies.registry
    chosen = chosen_tickers(registered, tickers) if tickers else registered.names()
    looks = under_way(settings, [currencies, snapshots])
    last = [] if tickers else snapshots.registry.names()[-SHOWN_SNAPSHOTS:]
    document: dict[str, Any] = {
        "snapshots": [
            snapshot_document(s)
            for s in statuses(snapshots, last, looks[1], dict.fromkeys(ACCOUNTS.layers, ""))
        ],
    }
    if not tickers:
        document |= {
            "waiting": _waiting(registered),
            "waiting_accounts": _waiting(snapshots.registry),
            **upload_statuses(wiring.inbox(settings)),
        }
    return statuses(currencies, chosen, looks[0], measures_with), document


def _waiting(registry: Registry) -> list[dict[str, str]]:
    """The files whose partition lacks another one."""
    from crypto_assets.spark.printable import printable

    return [
        {registry.data_set.partition: name, "has": kind, "file": printable(upload.key)}
        for name, entry in registry.waiting().items()
        for kind, upload in entry.files.items()
    ]


@command
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.  [default: report.html in CRYPTO_ASSETS_HOME]",
)
def report(settings: Settings, opens: bool, output: Path | None) -> None:
    """Write a page of all currencies, with verdicts and charts, and print its path.

    It is one file, which any browser opens without a network.
    """
    import webbrowser

    from crypto_assets.cli.console import showing_progress
    from crypto_assets.spark.arrow import keep_pandas_out

    keep_pandas_out()
    from crypto_assets.defs.report import make_report

    with showing_progress():
        made = make_report(settings, output.absolute() if output else None)
    say(str(made.path))
    if opens and not webbrowser.open(made.path.as_uri()):
        say("there is no browser here: open the file by hand", err=True)


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
    """Query the warehouse, read-only.

    Such as: crypto-assets sql "SELECT * FROM market_data.btc ORDER BY date"; "SHOW TABLES" lists
    what there is.
    """
    from crypto_assets.cli.console import show_table, write_csv, write_json
    from crypto_assets.resources import wiring
    from crypto_assets.resources.errors import UsageError

    if not query.strip(" \n\t;"):
        raise UsageError("the query is empty")
    columns, rows = wiring.warehouse(settings).query(query)
    if style == "json":
        doubled = sorted({name for name in columns if columns.count(name) > 1})
        if doubled:
            named = ", ".join(doubled)
            raise UsageError(f"JSON has each name once: give columns named {named} with AS")
        write_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        (show_table if style == "table" else write_csv)(columns, rows)


@command
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@click.option(
    "-w",
    "--with",
    "files",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    multiple=True,
    help="A Python file of your own whose Dagster definitions are shown too (repeatable).",
)
def ui(settings: Settings, host: str, port: int, files: Sequence[Path]) -> None:
    """Serve Dagster's web UI and daemon on this home; end with Ctrl-C.

    One at a time on a home. Only pages of its own may use it: see CRYPTO_ASSETS_UI_HOSTS.
    """
    from crypto_assets.resources.doctor.home import check_databases, check_writable
    from crypto_assets.resources.doctor.keys import exposed_key_files
    from crypto_assets.ui.address import Address
    from crypto_assets.ui.serve import serve

    for remark in exposed_key_files(settings):
        say(f"crypto-assets: {remark}", err=True)
    check_writable(settings.root)
    check_databases(settings)
    serve(settings, Address(host, port), files)


@command
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
def prune(settings: Settings, dry_run: bool) -> None:
    """Delete what nothing needs any more: old runs, replaced uploads, layers of old snapshots.

    `crypto-assets ui` does it once a day. How long things are kept is in the settings
    CRYPTO_ASSETS_KEEP_...; tables, and what `status` and the UI show of them, stay. Exit code 1 if
    something has to be left for another time.
    """
    from crypto_assets.cli.console import showing_progress
    from crypto_assets.defs.prune import prune as delete_old
    from crypto_assets.defs.prune import summary
    from crypto_assets.resources.home.instance import open_instance

    left = False
    with open_instance(settings) as instance, showing_progress():
        for pruned in delete_old(instance, settings, dry_run=dry_run):
            say(summary(pruned, dry_run=dry_run))
            left |= bool(pruned.left)
    sys.exit(1 if left else 0)


@command
@click.option(
    "--fix",
    is_flag=True,
    help="First make what loads need in Redshift, and show the SQL that does.",
)
@click.option(
    "--publisher",
    "publishers",
    multiple=True,
    metavar="USER",
    help="With --fix: let this database user load too, such as IAMR:server (repeatable).",
)
def doctor(settings: Settings, fix: bool, publishers: Sequence[str]) -> None:
    """Check settings, engine, lake and warehouse, and say what to fix."""
    from crypto_assets.resources import wiring
    from crypto_assets.resources.errors import UsageError

    if publishers and not fix:
        raise UsageError("--publisher names whom --fix is to let load: give both")
    if fix:
        wiring.warehouse(settings).fix(publishers, show_sql)
    sys.exit(0 if examined(settings) else 1)


def show_sql(sql: str) -> None:
    """Prints a statement."""
    for line in f"{sql.strip()};".splitlines():
        say(line)


def examined(settings: Settings) -> bool:
    """Prints what the doctor finds; whether nothing is to be fixed."""
    from crypto_assets.cli.console import show_table
    from crypto_assets.resources.doctor.doctor import examine

    findings = list(examine(settings))
    show_table(
        ["", "what", "found"], [("ok" if f.ok else "FIX", f.what, f.found) for f in findings]
    )
    return all(finding.ok for finding in findings)
