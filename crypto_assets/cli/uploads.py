"""The commands of files: `upload` sends them to the inbox, `inspect` only looks at them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crypto_assets.cli.command import FILE_OR_FOLDER, READING_OPTIONS, command, options, say

if TYPE_CHECKING:
    from crypto_assets.resources.settings import Settings


@command
@click.argument("paths", nargs=-1, required=True, type=FILE_OR_FOLDER)
def upload(settings: Settings, paths: Sequence[Path]) -> None:
    """Upload CSV files, or folders of them; whose they are is worked out from name and content.

    PATHS are copied to the inbox, where `crypto-assets ui` takes them from. What is there already
    with the same content is skipped.
    """
    from crypto_assets.cli.console import showing_progress
    from crypto_assets.resources import wiring
    from crypto_assets.resources.inbox.ledger import Ledger
    from crypto_assets.resources.uploads.send import send, sources_of

    sources = sources_of(paths)
    inbox = wiring.inbox(settings)
    with showing_progress():
        sent = send(inbox, Ledger(inbox.objects), sources)
    say(f"{len(sent)} uploaded, {len(sources) - len(sent)} there already")
    say("`crypto-assets status` shows what became of them", err=True)


@command
@click.argument("paths", nargs=-1, type=FILE_OR_FOLDER)
@click.option("--shapes", is_flag=True, help="List the shapes of file that are understood.")
@click.option("--json", "as_json", is_flag=True, help="Everything found out, as JSON.")
@options(READING_OPTIONS)
def inspect(
    settings: Settings,  # noqa: ARG001 - every command gets them
    paths: Sequence[Path],
    shapes: bool,
    as_json: bool,
    **choices: Any,
) -> None:
    """Say what each file is, or why it is refused, without storing anything.

    PATHS are files, or folders whose CSV files are meant. Exit code 1 if any file is refused, by
    the reader or by the run that would come.
    """
    from crypto_assets.cli.console import write_json
    from crypto_assets.resources.storage.files import regular_files
    from crypto_assets.spark.arrow import keep_pandas_out

    keep_pandas_out()
    from crypto_assets.resources.uploads.inspect import inspect_file, shapes_table, summary
    from crypto_assets.spark.market_data.currency import Choices

    if bool(paths) == shapes:
        raise click.UsageError("name the files to inspect, or --shapes")
    if shapes:
        click.echo(shapes_table())
        return
    folders = (regular_files(p, ".csv") if p.is_dir() else [p] for p in paths)
    findings = [inspect_file(path, Choices(**choices)) for files in folders for path in files]
    if as_json:
        write_json(findings)
    else:
        for line in (line for finding in findings for line in summary(finding)):
            say(line)
    sys.exit(1 if any(each["refused"] or each["problems"] for each in findings) else 0)
