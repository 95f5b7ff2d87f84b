"""The command `export`: gold as files for other programs and people."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crypto_assets.cli.command import command, say

if TYPE_CHECKING:
    from crypto_assets.resources.market_data.published_gold import PublishedGold
    from crypto_assets.resources.settings import Settings

_STYLES = ("parquet", "csv", "xlsx")


@command
@click.argument("tickers", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All currencies that are published.")
@click.option(
    "--format", "style", type=click.Choice(_STYLES), help="Not needed if --output ends in it."
)
@click.option(
    "--output",
    type=click.Path(),
    help="File for all of them; or a folder, or a path that ends in /, for a file of each.",
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
def export(
    settings: Settings,
    tickers: Sequence[str],
    every: bool,
    style: str | None,
    output: str | None,
    force: bool,
) -> None:
    """Write the gold of currencies to a file, or to a file of each.

    The columns are those of market_data.prices. Without --output the file is named after the
    ticker, or prices if there are several.
    """
    from crypto_assets.cli.console import showing_progress
    from crypto_assets.resources import wiring
    from crypto_assets.resources.errors import UsageError
    from crypto_assets.spark.arrow import keep_pandas_out

    keep_pandas_out()
    if bool(tickers) == every:
        raise UsageError("name the tickers, or use --all")
    gold = wiring.published_gold(settings)
    chosen = gold.tickers if every else gold.checked(tickers)
    if not chosen:
        raise UsageError("nothing is published yet: run `crypto-assets materialize --all` first")
    style = _style(style, output)
    name = chosen[0] if len(chosen) == 1 else "prices"
    place = Path(output or f"{name}.{style}")
    each = place.is_dir() or (output or "").endswith(os.sep)
    files = {ticker: place / f"{ticker}.{style}" if each else place for ticker in chosen}
    if not force:
        _check_free(files.values())
    with showing_progress():
        rows = (_write_each if each else _write_one)(gold, files, style)
    count = f"{len(chosen):,} {'currency' if len(chosen) == 1 else 'currencies'}"
    say(f"{place}: {rows:,} rows of {count}")


def _style(style: str | None, output: str | None) -> str:
    """The format that is asked for, or else the one that the file's name says."""
    from crypto_assets.resources.errors import UsageError

    ending = Path(output or "").suffix.lower().removeprefix(".")
    if ending in _STYLES and style not in (None, ending):
        raise UsageError(f"{output} is no name for --format {style}: let it end in .{style}")
    if found := style or (ending if ending in _STYLES else None):
        return found
    raise UsageError(f"say which --format: {', '.join(_STYLES)}")


def _check_free(paths: Iterable[Path]) -> None:
    from crypto_assets.resources.errors import UsageError

    if found := next((path for path in paths if path.exists()), None):
        raise UsageError(f"{found} is there already: --force replaces it")


def _write_one(gold: PublishedGold, files: dict[str, Path], style: str) -> int:
    """Writes all currencies to the one file; gives the rows."""
    from crypto_assets.resources.progress import progress
    from crypto_assets.resources.storage.table_files import writing
    from crypto_assets.spark.market_data.tables import PRICES
    from crypto_assets.spark.tables import arrow_schema

    count = 0
    (path,) = set(files.values())
    with writing(path, style, arrow_schema(PRICES.columns)) as write:
        for _, rows in gold.prices(files):
            write(rows)
            count += len(rows)
            progress("export", 1, len(files))
    return count


def _write_each(gold: PublishedGold, files: dict[str, Path], style: str) -> int:
    """Writes each currency to its file; gives the rows."""
    from crypto_assets.resources.progress import progress
    from crypto_assets.resources.storage.table_files import writing

    count = 0
    for ticker, rows in gold.prices(files):
        with writing(files[ticker], style, rows.schema) as write:
            write(rows)
        count += len(rows)
        progress("export", 1, len(files))
    return count
