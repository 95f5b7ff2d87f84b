"""The commands of the stack on AWS: `deploy` makes or changes it, `destroy` deletes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crypto_assets.cli.command import FILE, command, say
from crypto_assets.spark.printable import printable

if TYPE_CHECKING:
    from crypto_assets.resources.deploy.changes import Change
    from crypto_assets.resources.deploy.deploy import Environment
    from crypto_assets.resources.settings import Settings

_COLOURS = {"create": "green", "import": "green", "delete": "yellow"}
_COSTS = "docs/aws.md#what-it-costs"  # the page that has the prices
ENV = click.option(
    "--env",
    "name",
    metavar="NAME",
    help="The environment; without it, that of CRYPTO_ASSETS_ENV or the default one.",
)
_YES = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


@command
@ENV
@click.option("--plan", "only_plan", is_flag=True, help="Only show what would change.")
@click.option(
    "--prefix",
    help="What all names begin with, given once; not given: the stack's name.",
)
@click.option(
    "--set",
    "words",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the template, such as NoticesEmail=you@example.com; the others stay as "
    "they are (repeatable).",
)
@click.option("--wheel", type=FILE, help="The wheel that the stack's instance installs.")
@click.option(
    "--allow-replace",
    is_flag=True,
    help="Let a bucket, table, volume or namespace be replaced or deleted.",
)
@_YES
def deploy(
    settings: Settings,
    name: str | None,
    only_plan: bool,
    prefix: str | None,
    words: Sequence[str],
    wheel: Path | None,
    allow_replace: bool,
    yes: bool,
) -> None:
    """Make or change the stack on AWS, and write its outputs into the settings.

    Shows what is created, changed, replaced and deleted before it asks, then each event. Uploads
    what jobs are made of, makes what loads need in Redshift, and examines all as `doctor` does.
    Interrupted, it may be repeated: it goes on. If it fails, all it changed is rolled back.
    """
    from crypto_assets.cli.console import showing_progress
    from crypto_assets.resources.deploy.deploy import check_data

    chosen, environment = _chosen(settings, name, asks=not (yes or only_plan))
    with ExitStack() as after:
        with showing_progress():
            plan = after.enter_context(environment.planned(words, prefix, wheel))
        _show(plan.changes, environment)
        if only_plan:
            return
        if not allow_replace:
            check_data(plan.changes)
        if plan.changes and not yes:
            click.confirm("Do this?", abort=True)
        with showing_progress():
            outputs = environment.apply(plan, wheel)
    _finish(chosen, outputs)


def _finish(settings: Settings, outputs: dict[str, str]) -> None:
    """Settings, artifact and rights, then the doctor; ends with how to go on."""
    from crypto_assets.cli.console import showing_progress
    from crypto_assets.cli.product import examined, show_sql
    from crypto_assets.resources.costs import in_words
    from crypto_assets.resources.deploy.outputs import make_ready, write_settings
    from crypto_assets.resources.engine.emr_size import JobSize
    from crypto_assets.resources.settings import Settings, settings_file

    file = settings_file(settings.env)
    write_settings(file, outputs)
    say(f"{file}: has the outputs of the stack")
    now = Settings(env=settings.env)
    with showing_progress():
        make_ready(now, show_sql)
    fit = examined(now)
    which = f"CRYPTO_ASSETS_ENV={now.env} " if now.env else ""
    say(f"go on: {which}crypto-assets upload FOLDER, then {which}crypto-assets ui")
    say(f"it costs {in_words(JobSize.of(now.aws).workers_for)}; prices: {_COSTS}")
    if not fit:
        sys.exit(1)


@command
@ENV
@click.option(
    "--delete-data",
    "names",
    multiple=True,
    metavar="RESOURCE",
    help="Delete this bucket, table, namespace or volume too, with all in it (repeatable).",
)
@click.option(
    "--prefix",
    help="What the names of a stack that is gone began with; not given: the stack's name.",
)
@_YES
def destroy(
    settings: Settings, name: str | None, names: Sequence[str], prefix: str | None, yes: bool
) -> None:
    """Delete the stack on AWS; buckets, tables and namespaces with data stay unless they are named.

    Shows what goes and what stays, and asks for the stack's name. Interrupted, it may be repeated.
    What stays is imported into the stack when it is deployed again.
    """
    from dataclasses import replace

    from crypto_assets.cli.console import showing_progress
    from crypto_assets.resources.deploy.deploy import named

    _, environment = _chosen(settings, name, asks=not yes)
    with showing_progress():
        changes = environment.deletions(prefix)
    stack, data = environment.stack.name, named(changes, names)
    lost = [replace(one, action="delete", risky=True) for one in data]
    shown = [*(one for one in changes if one not in data), *lost]
    if not shown:
        say(f"there is no stack {stack}, and nothing is left of one")
        return
    _show(shown, environment)
    if not yes and click.prompt(f"Type {stack} to delete it", default="") != stack:
        raise click.Abort
    with showing_progress():
        environment.destroy(data)
    say(f"stack {stack} is deleted")
    for one in changes:
        if one.action == "keep" and one not in data:
            say(f"{one.name} stays with its data: --delete-data {one.name} deletes it")


def _chosen(settings: Settings, name: str | None, *, asks: bool) -> tuple[Settings, Environment]:
    """The settings of the environment that is named, and what it is on AWS.

    Raises `UsageError` if there is nobody to be asked.
    """
    from crypto_assets.resources.deploy.deploy import Environment
    from crypto_assets.resources.errors import UsageError
    from crypto_assets.resources.settings import Settings

    if asks and not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: give --yes; deploy --plan only looks")
    chosen = settings if name is None else Settings(env=name)
    return chosen, Environment.of(chosen)


def _show(changes: Iterable[Change], environment: Environment) -> None:
    """Prints a line for each change, those that lose data in red, then how many there are."""
    from crypto_assets.resources.deploy.changes import counted, ordered

    found = ordered(changes)
    for change in found:
        colour = "red" if change.risky else _COLOURS.get(change.action)
        click.secho(printable(change.line), fg=colour)
    say(f"stack {environment.stack.name}: {counted(found) or 'nothing to change'}")
