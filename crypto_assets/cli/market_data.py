"""The commands of the market data: `add`, `materialize` and `remove`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from crypto_assets.cli.command import FILE, READING_OPTIONS, command, keeping_all, options, say
from crypto_assets.spark.market_data.data_set import MARKET_DATA

if TYPE_CHECKING:
    from crypto_assets.defs.launch import Outcome
    from crypto_assets.defs.status import Status
    from crypto_assets.resources.data_set.registry import Registry
    from crypto_assets.resources.settings import Settings

_FEW = 20  # currencies: Dagster's modules are most of what a run of so many makes
_LAYER = click.Choice(list(MARKET_DATA.layers))
# Of which layers `status` reads the measures, and with which word: as of `Outcomes.layers`.
EVERY_MEASURE = dict.fromkeys(MARKET_DATA.layers, "")
SHOWN_MEASURES = {"bronze": "notes", "gold": ""}  # remarks; rows, dates and warnings


@command
@click.argument("ticker")
@click.option("--history", required=True, type=FILE, help="CSV file of daily prices.")
@click.option("--trend", required=True, type=FILE, help="CSV file of Google Trends.")
@click.option(
    "--missing",
    type=click.Choice(["fill", "drop"]),
    default="fill",
    show_default=True,
    help="A missing price: take the last one of at most 10 rows back, or leave the row out.",
)
@options(READING_OPTIONS)
@click.option(
    "--max-shrink",
    type=click.FloatRange(0, 1),
    default=0.2,
    show_default=True,
    help="Share of its rows a table may lose by a new upload before it is refused.",
)
@click.option("--force", is_flag=True, help="Register files too that a run would refuse.")
def add(
    settings: Settings, ticker: str, history: Path, trend: Path, force: bool, **choices: Any
) -> None:
    """Register the currency TICKER and upload both its files."""
    from crypto_assets.resources import wiring
    from crypto_assets.resources.home.state import make_home
    from crypto_assets.spark.arrow import keep_pandas_out

    keep_pandas_out()
    from crypto_assets.resources.uploads.register import add_currency
    from crypto_assets.spark.market_data.currency import Choices

    registry, _ = wiring.registries(settings)
    sources = {"history": history, "trend": trend}
    inbox = wiring.inbox(settings)
    chosen = Choices(**choices)
    entry, remarks = add_currency(inbox, registry, ticker, sources, chosen, force=force)
    ticker = entry.partition
    wiring.outcomes(settings).registered(MARKET_DATA.name, ticker)
    make_home(settings)
    names = " and ".join(upload.name for upload in entry.files.values())
    say(f"{ticker}: registered {names}")
    for remark in remarks:
        say(f"{ticker}: {remark}", err=True)


@command
@click.argument("ticker")
@click.option("--purge", is_flag=True, help="Delete its uploads too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(settings: Settings, ticker: str, purge: bool, yes: bool) -> None:
    """Take the currency TICKER out of every layer, the warehouse and the partitions.

    May be repeated if it was interrupted.
    """
    from crypto_assets.defs.remove import check_known
    from crypto_assets.defs.remove import remove as remove_everywhere
    from crypto_assets.resources import wiring
    from crypto_assets.resources.home.instance import open_instance
    from crypto_assets.resources.market_data.registry import checked_ticker

    ticker, currencies = checked_ticker(ticker), wiring.market_data(settings)
    with open_instance(settings) as instance:
        check_known(instance, currencies, ticker)
        uploads = " and its uploads" if purge else ""
        if not yes:
            click.confirm(f"Remove the tables of {ticker}{uploads}?", abort=True)
        remove_everywhere(instance, currencies, wiring.inbox(settings), ticker, purge=purge)
    say(f"{ticker}: removed{uploads}")


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
    from crypto_assets.resources import wiring

    registry, _ = wiring.registries(settings)
    states = [name for name, wanted in (("failed", failed), ("stale", stale)) if wanted]
    chosen = chosen_tickers(registry, tickers, every=every or bool(states))
    if states:
        chosen = _in_state(settings, chosen, states)
    selected = [layer for layer in MARKET_DATA.layers if not layers or layer in layers]
    computes = any(MARKET_DATA.tables_of(layer) for layer in selected)
    few = keeping_all() if len(chosen) <= _FEW else nullcontext()
    # Before Dagster, which takes a second.
    with few, wiring.engine(settings).prepared(len(chosen) if computes else 0):
        bad = _refreshed(settings, chosen, selected) if chosen else 0
    if bad:
        say(f"{bad} of {len(chosen)} tickers failed", err=True)
        sys.exit(1)


def currency_statuses(
    settings: Settings,
    tickers: Sequence[str],
    measures_with: Mapping[str, str] = MappingProxyType({}),
) -> list[Status]:
    """The statuses of these currencies, as of `statuses`."""
    from crypto_assets.defs.status import statuses
    from crypto_assets.defs.under_way import under_way
    from crypto_assets.resources import wiring

    published, _ = wiring.published(settings)
    (look,) = under_way(settings, [published])
    with keeping_all():
        return statuses(published, tickers, look, measures_with)


def _in_state(settings: Settings, tickers: Sequence[str], states: Sequence[str]) -> list[str]:
    """Those of the tickers that are in one of these states."""
    found = currency_statuses(settings, tickers)
    chosen = [each.entry.partition for each in found if each.state in states]
    say(f"{len(chosen)} of {len(found)} currencies are {' or '.join(states)}", err=True)
    return chosen


def _refreshed(settings: Settings, tickers: Sequence[str], layers: Sequence[str]) -> int:
    """Runs these layers of these tickers, and says what became of each; how many failed."""
    from crypto_assets.cli.console import showing_progress
    from crypto_assets.definitions import defs_of
    from crypto_assets.defs.files import report_registered
    from crypto_assets.defs.jobs import job_name
    from crypto_assets.defs.launch import launch
    from crypto_assets.resources import wiring
    from crypto_assets.resources.home.instance import open_instance

    currencies, bad = wiring.market_data(settings), 0
    with open_instance(settings) as instance, showing_progress():
        report_registered(instance, currencies.registry, currencies.outcomes)
        job = defs_of(settings).resolve_job_def(job_name(MARKET_DATA))
        for outcome in launch(job, instance, currencies, tickers, layers):
            say(_line(outcome))
            if warnings := outcome.passed.get("gold", {}).get("warnings"):
                say(f"{outcome.partition}: note: {warnings}", err=True)
            bad += outcome.failed
    return bad


def chosen_tickers(registry: Registry, tickers: Sequence[str], *, every: bool = False) -> list[str]:
    """The registered tickers a command is meant for. Raises `UsageError` if one is not there."""
    from crypto_assets.resources.errors import UsageError
    from crypto_assets.resources.market_data.registry import checked_ticker

    registered, waiting = registry.names(), registry.waiting()
    if bool(tickers) == every:
        raise UsageError("name the tickers, or use --all, --failed or --stale")
    chosen = registered if every else list(dict.fromkeys(map(checked_ticker, tickers)))
    for ticker in set(chosen).intersection(waiting):
        (kind,) = waiting[ticker].files
        raise UsageError(f"{ticker}: only its {kind} file has come so far")
    if unknown := sorted(set(chosen) - set(registered)):
        raise UsageError(f"{', '.join(unknown)}: not registered; run `crypto-assets add` first")
    if not chosen:
        raise UsageError("no currency is registered yet: run `crypto-assets add` first")
    return chosen


def _line(outcome: Outcome) -> str:
    if outcome.failed:
        layer, problem = next(iter(outcome.problems.items()))
        return f"{outcome.partition:<8} FAILED  {layer}: {problem}"
    span = outcome.passed.get("gold") or outcome.passed.get("warehouse") or {}
    rows = f"{span['rows']:,} rows {span['first_date']}..{span['last_date']}" if span else ""
    return f"{outcome.partition:<8} ok      {' '.join(outcome.passed)}  {rows}".rstrip()


def currency_document(status: Status) -> dict[str, Any]:
    """A currency as `status --json` has it."""
    from crypto_assets.resources.market_data.freshness import MEASURED, last_price

    span = dict(zip(("rows", "first_date", "last_date"), currency_span(status), strict=True))
    return {
        "ticker": status.entry.partition,
        **status.as_json(),
        **span,
        "last_price": last_price(status.layers[MEASURED].metadata),
        "warnings": currency_warnings(status),
    }


def currency_span(status: Status) -> tuple[Any, Any, Any]:
    """The currency's rows, its first and its last date."""
    gold = status.layers["gold"].metadata
    return gold.get("rows"), gold.get("first_date"), gold.get("last_date")


def currency_warnings(status: Status) -> list[str]:
    """What people should know of a currency that was made."""
    gold, bronze = status.layers["gold"].metadata, status.layers["bronze"].metadata
    remarks = (gold.get("warnings"), bronze.get("history/notes"), bronze.get("trend/notes"))
    return [remark for remark in remarks if remark]
