"""The commands of customer accounts: `accounts`, `profile` and `forget`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crypto_assets.cli.command import FILE, command, say
from crypto_assets.spark.accounts.data_set import ACCOUNTS

if TYPE_CHECKING:
    from crypto_assets.defs.launch import Outcome
    from crypto_assets.defs.status import Status
    from crypto_assets.resources.accounts.refresh import AccountsRefresh
    from crypto_assets.resources.settings import Settings

_REMARKS = {
    "accounts_bronze": {
        "customers/blank": "blank rows in the customers",
        "accounts/blank": "blank rows in the accounts",
    },
    "accounts_silver": {
        "customers/dropped": "customers without an id were left out",
        "customers/duplicates": "customers stand there twice and were taken once",
        "accounts/dropped": "accounts without any id were left out",
        "accounts/duplicates": "accounts stand there twice and were taken once",
    },
    "customer_accounts": {
        "accounts_without_customer": "accounts without a customer",
        "customers_without_account": "customers without an account",
    },
}
_LAYER = click.Choice(list(ACCOUNTS.layers))


@command
@click.argument("snapshot", required=False)
@click.option("--customers", type=FILE, help="CSV file of all customers.")
@click.option("--accounts", "accounts_file", type=FILE, help="CSV file of all accounts.")
@click.option("--layer", "layers", type=_LAYER, multiple=True, help="Only this layer (repeatable).")
@click.option(
    "--confirm-mass-delete",
    is_flag=True,
    help="Delete however many accounts are missing from the snapshot.",
)
def accounts(
    settings: Settings,
    snapshot: str | None,
    customers: Path | None,
    accounts_file: Path | None,
    layers: tuple[str, ...],
    confirm_mass_delete: bool,
) -> None:
    """Bring SNAPSHOT, or the newest one, to the table of customer accounts and the store.

    With --customers and --accounts these two files become the newest snapshot first. Exit code 0 if
    it succeeded, 1 if it failed, 2 on wrong use.
    """
    from crypto_assets.cli.console import showing_progress
    from crypto_assets.definitions import defs_of
    from crypto_assets.defs.files import report_registered
    from crypto_assets.defs.jobs import job_name
    from crypto_assets.defs.launch import launch
    from crypto_assets.resources import wiring
    from crypto_assets.resources.errors import UsageError
    from crypto_assets.resources.home.instance import open_instance

    if (customers is None) != (accounts_file is None) or (snapshot and customers):
        raise click.UsageError("name a SNAPSHOT, or both --customers and --accounts")
    registry = (refresh := wiring.accounts(settings)).registry
    with open_instance(settings) as instance, showing_progress():
        if customers and accounts_file:
            snapshot = _register(settings, refresh, customers, accounts_file)
        report_registered(instance, registry, refresh.outcomes)
        name = snapshot or next(iter(registry.names()[::-1]), None)
        if name is None:
            raise UsageError("there is no snapshot yet: name --customers and --accounts")
        registry.snapshot(name)
        job = defs_of(settings).resolve_job_def(job_name(ACCOUNTS))
        selected = [layer for layer in ACCOUNTS.layers if not layers or layer in layers]
        failed, options = False, {"confirm_mass_delete": confirm_mass_delete}
        for outcome in launch(job, instance, refresh, [name], selected, options):
            _show(outcome)
            failed |= outcome.failed
    sys.exit(1 if failed else 0)


def _register(
    settings: Settings, refresh: AccountsRefresh, customers: Path, accounts_file: Path
) -> str:
    """Makes the files the newest snapshot and returns its name."""
    from crypto_assets.resources import wiring
    from crypto_assets.resources.uploads.register import add_snapshot

    files = {"customers": customers, "accounts": accounts_file}
    name = add_snapshot(wiring.inbox(settings), refresh.registry, files).partition
    refresh.outcomes.registered(ACCOUNTS.name, name)
    say(f"{name}: registered {customers.name} and {accounts_file.name}")
    return name


def _show(outcome: Outcome) -> None:
    say(_line(outcome))
    for remark in _remarks(outcome):
        say(f"{outcome.partition}: {remark}", err=True)


def _line(outcome: Outcome) -> str:
    from crypto_assets.resources.accounts.digest import HAPPENED

    if outcome.failed:
        layer, problem = next(iter(outcome.problems.items()))
        return f"{outcome.partition} FAILED  {layer}: {problem}"
    parts = [" ".join(outcome.passed)] if outcome.passed else []
    if "customer_accounts" in outcome.passed:
        parts.append(f"{outcome.passed['customer_accounts']['rows']:,} accounts")
    if store := outcome.passed.get("customer_account_store"):
        counts = (f"{store[name]:,} {name}" for name in HAPPENED if store[name])
        parts.append(", ".join(counts) or "no changes")
    if outcome.superseded:
        newer = next(iter(outcome.superseded.values()))
        parts.append(f"{' '.join(outcome.superseded)} hold the newer {newer}")
    return f"{outcome.partition} ok      {'  '.join(parts)}"


def _remarks(outcome: Outcome) -> Iterator[str]:
    """What else people should know of a snapshot: rows left out, accounts and customers alone."""
    for layer, names in _REMARKS.items():
        counts = outcome.passed.get(layer, {})
        for name, words in names.items():
            if counts.get(name):
                yield f"{counts[name]:,} {words}"


@command
@click.argument("snapshot", required=False)
@click.option("--json", "as_json", is_flag=True, help="The whole profile as JSON.")
def profile(settings: Settings, snapshot: str | None, as_json: bool) -> None:
    """Show what the columns of SNAPSHOT, or of the newest one with a profile, hold."""
    from crypto_assets.cli.console import show_profile, write_json
    from crypto_assets.defs.account_profile import profile_rows, read_profile
    from crypto_assets.resources.home.instance import open_instance

    with open_instance(settings) as instance:
        name, found = read_profile(instance, snapshot)
    if as_json:
        write_json({"snapshot": name, **found})
    else:
        show_profile(name, profile_rows(found))


@command
@click.argument("customer_id", type=click.IntRange(-(2**31), 2**31 - 1))
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(settings: Settings, customer_id: int, yes: bool) -> None:
    """Erase a customer from every upload, layer, store and warehouse, for good.

    Later snapshots that still name CUSTOMER_ID leave the customer out. May be repeated if it was
    interrupted.
    """
    from crypto_assets.resources import wiring
    from crypto_assets.resources.accounts.forget import forget as forget_everywhere

    if not yes:
        click.confirm(f"Erase customer {customer_id} everywhere?", abort=True)
    erased = forget_everywhere(wiring.accounts(settings), wiring.inbox(settings), customer_id)
    for place, count in erased.items():
        say(f"{place:<24}{count:>6} erased")


def snapshot_document(status: Status) -> dict[str, Any]:
    """A snapshot as `status --json` has it."""
    from crypto_assets.resources.accounts.digest import HAPPENED

    changes = status.layers["customer_account_store"].metadata
    return {
        "snapshot": status.entry.partition,
        **status.as_json(),
        "rows": status.layers["customer_accounts"].metadata.get("rows"),
        "changes": {name: changes.get(name) for name in HAPPENED},
    }
