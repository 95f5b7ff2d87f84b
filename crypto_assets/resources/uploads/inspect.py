"""Inspecting files before they are uploaded: what each one is, or why it is refused. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crypto_assets.resources.market_data.names import owner_of, read_key, read_name
from crypto_assets.resources.storage.files import open_regular

if TYPE_CHECKING:
    from crypto_assets.spark.exports import Export
    from crypto_assets.spark.market_data.currency import Choices

SHOWN_PROBLEMS = 10
_FACTS = (
    *("refused", "kind", "source", "language", "encoding", "delimiter", "date_format", "decimal"),
    *("granularity", "term", "notes", "date_column", "value_column", "rows", "first_date"),
    *("last_date", "ticker_guess", "bad_lines", "problems"),
)


def inspect_file(path: Path, choices: Choices) -> dict[str, Any]:
    """What the reader makes of a file, with the same keys for read and refused ones.

    `refused` is the reason if it is refused, else None; `problems` are what a run would refuse it
    for. What is not known of a refused file is None.
    """
    from crypto_assets.spark.market_data.judge import bad_lines, file_problems
    from crypto_assets.spark.problems import ReadError

    finding: dict[str, Any] = {"file": str(path), **dict.fromkeys(_FACTS)}
    try:
        export = read_file(path, choices)
    except (ReadError, OSError) as reason:
        return {**finding, **_facts_so_far(path), "refused": str(reason)}
    return finding | {
        **facts_of(export, path),
        "rows": export.rows,
        "bad_lines": bad_lines(export),
        "problems": file_problems(export),
    }


def read_file(path: Path, choices: Choices, kind: str | None = None) -> Export:
    """The file as the reader reads it: of this kind, else of the one that its content shows.

    Raises `ReadError` if it cannot be read with certainty, `OSError` if it cannot be opened.
    """
    from crypto_assets.spark.exports import read_export

    with open_regular(path, follow=True) as stream:
        return read_export(stream, choices.reading((), kind, path.name))


def facts_of(export: Export, path: Path) -> dict[str, Any]:
    """What was worked out of a file; a column is named by its header, else by its number."""
    from crypto_assets.spark.market_data.bronze import reading_facts
    from crypto_assets.spark.market_data.judge import remarks

    return {
        "kind": export.kind,
        **reading_facts(export),
        "notes": remarks(export),
        "date_column": export.columns.date_name or export.columns.date + 1,
        "value_column": export.columns.value_name or export.columns.value + 1,
        "first_date": export.first_date,
        "last_date": export.last_date,
        "ticker_guess": _guess(export, path),
    }


def _facts_so_far(path: Path) -> dict[str, Any]:
    """How a refused file is written, as far as it is known."""
    from crypto_assets.spark.exports.table import read_table
    from crypto_assets.spark.exports.text import read_text
    from crypto_assets.spark.problems import ReadError

    found: dict[str, Any] = {}
    try:
        with open_regular(path, follow=True) as stream:
            text = read_text(stream)
        found["encoding"] = text.encoding
        found["delimiter"] = read_table(text.lines).delimiter
    except (ReadError, OSError):
        return found
    return found


def _guess(export: Export, path: Path) -> str | None:
    """The ticker that search term or file name name, if one does for certain."""
    from crypto_assets.spark.market_data.coins import Coins

    coins = Coins()
    return owner_of(read_name(export.term, coins), read_key(path.name, coins)).ticker


def shapes_table() -> str:
    """The shapes of file that are understood, as a Markdown table."""
    from crypto_assets.spark.exports import understood_shapes

    rows = [
        " | ".join(cell.replace("|", "\\|") for cell in cells)
        for shape in understood_shapes()
        for cells in [(shape.kind, shape.source, f"`{shape.header}`", shape.date, shape.note)]
    ]
    head = ["| kind | source | header | dates | remarks |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(f"| {row} |" for row in rows)])


def summary(finding: Mapping[str, Any]) -> list[str]:
    """A finding in a few lines for a person."""
    if finding["refused"]:
        return [f"{finding['file']}: REFUSED: {finding['refused']}"]
    problems = finding["problems"]
    about = (
        f"{finding['file']}: {finding['kind']} from {finding['source']}, "
        f"{finding['rows']:,} rows by {finding['granularity']}, "
        f"{finding['first_date']}..{finding['last_date']}"
    )
    dialect = (
        f"  dates {finding['date_format']}, decimal {finding['decimal']}, delimiter "
        f"{finding['delimiter']!r}, {finding['encoding']}, language {finding['language'] or '?'}, "
        f"value in {finding['value_column']!r}, ticker {finding['ticker_guess'] or '?'}"
    )
    notes = [f"  note: {note}" for note in finding["notes"]]
    lines = [f"  BAD {problem}" for problem in problems[:SHOWN_PROBLEMS]]
    if len(problems) > SHOWN_PROBLEMS:
        lines.append(f"  and {len(problems) - SHOWN_PROBLEMS} more")
    return [about, dialect, *notes, *lines]
