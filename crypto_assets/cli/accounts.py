"""The commands of customer accounts: `accounts`, `profile` and `forget`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crypto_assets.cli.command import command

if TYPE_CHECKING:
    from crypto_assets.defs.launch import Outcome
    from crypto_assets.resources.settings import Settings

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_NOTED = {
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
_LAYER = click.Choice(
    ["accounts_bronze", "accounts_silver", "customer_accounts", "customer_account_store"]
)


@command
@click.argument("snapshot", required=False)
@click.option("--customers", type=_FILE, help="CSV file of all customers.")
@click.option("--accounts", "accounts_file", type=_FILE, help="CSV file of all accounts.")
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
    from crypto_assets.definitions import defs
    from crypto_assets.defs.files import report_snapshot
    from crypto_assets.defs.launch import launch_snapshot
    from crypto_assets.resources import wiring as profile
    from crypto_assets.resources.instance import open_instance
    from crypto_assets.resources.market_data.registry import WrongUse
    from crypto_assets.resources.uploads.register import take_in_snapshot
    from crypto_assets.spark.job_spec import ACCOUNT_LAYERS

    if (customers is None) != (accounts_file is None) or (snapshot and customers):
        raise click.UsageError("name a SNAPSHOT, or both --customers and --accounts")
    snapshots = profile.snapshots(settings)
    with open_instance(settings) as instance, showing_progress():
        if customers and accounts_file:
            taken = take_in_snapshot(profile.inbox(settings), snapshots, customers, accounts_file)
            report_snapshot(instance, taken)
            snapshot = taken.name
            click.echo(f"{snapshot}: registered {customers.name} and {accounts_file.name}")
        name = snapshot or next(iter(snapshots.names()[::-1]), None)
        if name is None:
            raise WrongUse("there is no snapshot yet: name --customers and --accounts")
        snapshots.get(name)
        outcomes = launch_snapshot(
            defs().resolve_job_def("refresh_accounts"),
            instance,
            name,
            [layer for layer in ACCOUNT_LAYERS if not layers or layer in layers],
            confirm_mass_delete=confirm_mass_delete,
        )
        failed = False
        for outcome in outcomes:
            click.echo(_line(outcome))
            for note in _notes(outcome):
                click.echo(f"{outcome.partition}: {note}", err=True)
            failed |= outcome.failed
        snapshots.settle(name)  # whoever asked for it has its verdict
    sys.exit(1 if failed else 0)


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


def _notes(outcome: Outcome) -> Iterator[str]:
    """What else people should know of a snapshot: rows left out, accounts and customers alone."""
    for layer, names in _NOTED.items():
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
    from crypto_assets.resources.instance import open_instance

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
    from crypto_assets.resources import wiring as of
    from crypto_assets.resources.accounts.forget import forget as forget_everywhere

    if not yes:
        click.confirm(f"Erase customer {customer_id} everywhere?", abort=True)
    erased = forget_everywhere(of.accounts_platform(settings), of.inbox(settings), customer_id)
    for place, count in erased.items():
        click.echo(f"{place:<24}{count:>6} erased")
