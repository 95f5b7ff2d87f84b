"""What each command of `crypto-assets` is built on: settings, shared options, one-line errors.

Whatever a command raises ends here: in one line, an exit code and, with `--debug`, a traceback.
What is wrong with a file or a setting says whoever raises it.
"""

from __future__ import annotations

import functools
import gc
import os
import select
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

import click

from crypto_assets.spark.printable import printable

if TYPE_CHECKING:
    import sqlite3

E = TypeVar("E", bound=BaseException)
Function = Callable[..., Any]

_INTERRUPTED, _GONE = 130, 141  # as shells say that SIGINT or SIGPIPE ended a program

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


def options(those: Iterable[Callable[[Function], Function]]) -> Callable[[Function], Function]:
    """Gives a command these options."""

    def add(function: Function) -> Function:
        for option in reversed([*those]):
            function = option(function)
        return function

    return add


class RegularFile(click.Path):
    """A path that exists; what is no folder has to be a regular file, which ends."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.is_dir() and not path.is_file():
            self.fail(f"{value} is a pipe, a socket or a device, not a regular file", param, ctx)
        return path


FILE = RegularFile(exists=True, dir_okay=False, readable=True, path_type=Path)
FILE_OR_FOLDER = RegularFile(exists=True, readable=True, path_type=Path)


def command(function: Function) -> click.Command:
    """A command that gets the settings, and whose errors become one line."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        debug = bool(click.get_current_context().find_root().params.get("debug"))
        with in_one_line(debug=debug):
            from crypto_assets.resources.engine.proxies import keep_loopback_direct
            from crypto_assets.resources.settings import read_settings

            keep_loopback_direct()
            return function(read_settings(), *args, **kwargs)

    return click.command()(run)


@contextmanager
def keeping_all() -> Iterator[None]:
    """Saves Python the search for garbage while much is made that is all needed to the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def say(line: str, *, err: bool = False) -> None:
    """Prints one line, whatever is in it."""
    click.echo(printable(line), err=err)


@contextmanager
def in_one_line(*, debug: bool = False) -> Iterator[None]:
    """Ends the process with one line and an exit code on any error; `debug` adds the traceback."""
    from crypto_assets.cli.quiet import quiet_libraries

    try:
        with nullcontext() if debug else quiet_libraries():
            yield
            for stream in _streams():
                stream.flush()
    except (click.ClickException, click.Abort):
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - this is where all of them end
        if debug:
            import traceback

            traceback.print_exc()
        if isinstance(error, BrokenPipeError) and _reader_is_gone():
            _drop_output()
            sys.exit(_GONE)
        say(f"crypto-assets: {line_of(error)}", err=True)
        _drop_output()
        sys.exit(_exit_code(error))


def _exit_code(error: BaseException) -> int:
    from crypto_assets.resources.errors import UsageError

    if isinstance(error, KeyboardInterrupt):
        return _INTERRUPTED
    return 2 if isinstance(error, UsageError) else 1


def line_of(error: BaseException) -> str:
    """What went wrong, in one line."""
    import sqlite3

    from crypto_assets.resources.errors import CryptoAssetsError

    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, CryptoAssetsError):
        return " ".join(str(error).split("\n"))
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
    if of_sqlite := _cause(error, sqlite3.Error):
        return _of_databases(of_sqlite)
    if isinstance(error, UnicodeEncodeError):
        return f"{error}: set PYTHONIOENCODING=utf-8"
    said = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {said} (`crypto-assets --debug ...` shows where)"


def _of_databases(error: sqlite3.Error) -> str:
    """What an error of Dagster's databases comes from."""
    from crypto_assets.resources.doctor.home import explained
    from crypto_assets.resources.errors import CryptoAssetsError
    from crypto_assets.resources.settings import read_settings

    try:
        return str(explained(read_settings(), error))
    except (CryptoAssetsError, OSError) as reason:
        return line_of(reason)


def _cause(error: BaseException, kind: type[E]) -> E | None:
    """The error of this kind that led to this one, or is it."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, kind):
        cause = cause.__cause__ or cause.__context__
    return cast("E | None", cause)


def _streams() -> list[TextIO]:
    """What is printed to; Python has none where the shell closed it."""
    return [stream for stream in (sys.stdout, sys.stderr) if stream]


def _reader_is_gone() -> bool:
    """Whether nobody reads any more what is printed, as behind `| head -1`."""
    watched = select.poll()
    for stream in _streams():
        watched.register(stream.fileno(), 0)
    return bool(watched.poll(0))


def _drop_output() -> None:
    """Gives up what cannot be printed: Python would complain of it at its end once more."""
    for stream in _streams():
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
