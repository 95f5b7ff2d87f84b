"""How the command shows things, on a terminal or in a pipe: progress, tables, CSV and JSON.

Rich takes long to load: it is only imported for bars, and for text whose width is not its length.
"""

from __future__ import annotations

import csv
import json
import logging
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from crypto_assets.cli.command import say
from crypto_assets.cli.market_data import currency_span, currency_warnings
from crypto_assets.resources.progress import LOGGER, Step
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.printable import printable, printable_lines

if TYPE_CHECKING:
    from crypto_assets.defs.status import Status


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Prints rows as a plain table, as wide as it has to be: a value cut short is a wrong value."""
    shown = [[printable("" if cell is None else str(cell)) for cell in row] for row in rows]
    head = list(map(printable, columns))
    padded = map(_padded, zip(head, *shown, strict=True))
    lines = list(map("  ".join, zip(*padded, strict=True)))
    click.echo("\n".join([click.style(lines[0], bold=True), *lines[1:]]))


def _padded(cells: Sequence[str]) -> list[str]:
    """The cells of a column, each as wide as the widest of them on a terminal."""
    if all(map(str.isascii, cells)):
        width = max(map(len, cells))
        return [cell.ljust(width) for cell in cells]
    from rich.cells import cell_len

    widths = list(map(cell_len, cells))
    width = max(widths)
    return [cell + " " * (width - taken) for cell, taken in zip(cells, widths, strict=True)]


def show_status(
    currencies: Sequence[Status],
    snapshots: Sequence[dict[str, Any]],
    uploads: Mapping[str, list],
) -> None:
    """Prints what `crypto-assets status` found: tables, then a line for each problem.

    The tables fit on a terminal of 80 columns; the state of each layer is in the JSON.
    """
    if currencies:
        show_table(
            ["ticker", "state", "rows", "first date", "last date", "at (UTC)"],
            [
                [
                    each.entry.partition,
                    _in_short({layer: each.state_of(layer) for layer in MARKET_DATA.layers}),
                    *currency_span(each),
                    _minute(each.layers["warehouse"].at),
                ]
                for each in currencies
            ],
        )
    if snapshots:
        show_table(
            ["snapshot", "state", "rows", "changes"],
            [
                [
                    d["snapshot"],
                    _in_short({name: layer["state"] for name, layer in d["layers"].items()}),
                    d["rows"],
                    ", ".join(f"{count:,} {what}" for what, count in d["changes"].items() if count),
                ]
                for d in snapshots
            ],
        )
    for line in _remarks(currencies, snapshots, uploads):
        say(line)


def _in_short(states: Mapping[str, str]) -> str:
    """The state of all layers, or else of the first one that is not published, with its name."""
    if len(set(states.values())) == 1:
        return next(iter(states.values()))
    return next(f"{layer} {state}" for layer, state in states.items() if state != "published")


def _minute(moment: str | None) -> str | None:
    """A time in ISO format, to the minute."""
    return moment and moment[:16].replace("T", " ")


def _remarks(
    currencies: Iterable[Status],
    snapshots: Iterable[dict[str, Any]],
    uploads: Mapping[str, list],
) -> list[str]:
    """A line for each problem and for each upload that someone should look at."""
    lines = [f"{s.entry.partition}: {problem}" for s in currencies for problem in s.problems]
    lines += [
        f"{each.entry.partition}: note: {remark}"
        for each in currencies
        for remark in currency_warnings(each)
    ]
    lines += [f"{d['snapshot']}: {problem}" for d in snapshots for problem in d["problems"]]
    lines += [
        f"{each['ticker']}: waiting, only its {each['has']} file {each['file']} has come"
        for each in uploads.get("waiting", ())
    ]
    lines += [
        f"customer accounts: the {each['has']} file {each['file']} waits for the other file"
        for each in uploads.get("waiting_accounts", ())
    ]
    lines += [f"quarantine: {q['file']}: {q['reason']}" for q in uploads.get("quarantine", ())]
    if new := uploads.get("new"):
        lines.append(f"{len(new)} uploads are new: a running `crypto-assets ui` looks at them")
    return lines


def show_profile(snapshot: str, rows: Iterable[Sequence[str]]) -> None:
    """Prints the lines of a snapshot's profile."""
    say(f"snapshot {snapshot}")
    show_table(["file", "what", "value", "is"], rows)


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes rows to standard output as CSV; null is an empty cell."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def write_json(document: object) -> None:
    """Writes a document to standard output; dates become ISO text, what is no number null."""
    text = json.dumps(_plain(document), indent=1, default=str, ensure_ascii=False, allow_nan=False)
    click.echo(printable_lines(text))  # the same document: JSON writes these characters so too


def _plain(value: Any) -> Any:
    """The value with nothing in it that JSON has no word for, but dates and decimals."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


@contextmanager
def showing_progress() -> Iterator[None]:
    """Shows the steps that are reported meanwhile: a bar on a terminal, plain lines otherwise."""
    handler = _handler()
    LOGGER.addHandler(handler)
    level = LOGGER.level
    LOGGER.setLevel(logging.INFO)
    try:
        with handler:
            yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)


def _handler() -> Any:
    """What shows progress; Rich is only loaded for a terminal."""
    if not (sys.stderr and sys.stderr.isatty()):
        return _Lines()
    from crypto_assets.cli.bars import Bars

    return Bars()


class _Lines(logging.Handler):
    """A line for each tenth of a step."""

    def __init__(self) -> None:
        super().__init__()
        self._done: dict[str, int] = {}

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        return None

    def emit(self, record: logging.LogRecord) -> None:
        step: Step | None = record.step  # type: ignore[attr-defined]
        if step is None:
            say(record.getMessage(), err=True)
            return
        before = self._done.get(step.name, 0)
        self._done[step.name] = done = step.reached(before)
        if done * 10 // step.total > before * 10 // step.total:
            say(f"{step.name}: {step.shown(done)}", err=True)
