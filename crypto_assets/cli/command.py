"""What each command of `crypto-assets` is built on: settings, shared options, one-line errors."""

from __future__ import annotations

import functools
import sys
import tomllib
from collections.abc import Callable, Iterable
from typing import Any

import click

Function = Callable[..., Any]

# How a file is to be read, where it leaves a choice; each is a field of `Choices` too.
READING_OPTIONS = (
    click.option(
        "--dates", type=click.Choice(["dmy", "mdy", "ymd"]), help="Order of day and month."
    ),
    click.option("--decimal", type=click.Choice(["dot", "comma"]), help="Decimal mark."),
    click.option(
        "--price", help="Column of prices in a history: its header, or its number from 1."
    ),
    click.option("--term", help="Column of interest in a trend: its header, or its number from 1."),
    click.option(
        "--day",
        type=click.Choice(["stated", "next"]),
        help="Rows at one time from noon on: of the day that is stated, or of the next one.",
    ),
    click.option(
        "--duplicates",
        type=click.Choice(["first", "last"]),
        help="Of a date with two prices: take the first or the last in the file.",
    ),
    click.option(
        "--accept-outliers", is_flag=True, help="Accept prices 50 times their neighbours."
    ),
)


class WholeSentences(click.Group):
    """A group whose help shows the first sentence of each command whole, over several lines."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, self.commands[name].get_short_help_str(limit=formatter.width * 10))
            for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def options(those: Iterable[Callable[[Function], Function]]) -> Callable[[Function], Function]:
    """Gives a command these options."""

    def add(function: Function) -> Function:
        for option in reversed([*those]):
            function = option(function)
        return function

    return add


def command(function: Function) -> click.Command:
    """A command that gets the settings, and whose errors become one line."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        from pydantic import ValidationError

        from crypto_assets.resources.errors import CryptoAssetsError, UsageError
        from crypto_assets.resources.settings import Settings

        try:
            return function(Settings(), *args, **kwargs)
        except ValidationError as error:
            first = error.errors()[0]
            fail(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}", 2)
        except tomllib.TOMLDecodeError as error:
            fail(f"crypto_assets.toml: {error}", 2)
        except CryptoAssetsError as error:
            fail(str(error), 2 if isinstance(error, UsageError) else 1)
        except OSError as error:
            fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), 1)

    return click.command()(run)


def fail(message: str, code: int) -> None:
    click.echo(f"crypto-assets: {message}", err=True)
    sys.exit(code)
