"""Inspecting files before they are uploaded: what each one is, or why it is refused. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crypto_assets.resources.market_data.coins import Coins

if TYPE_CHECKING:
    from crypto_assets.spark.exports import Export
    from crypto_assets.spark.market_data.currency import Choices

SHOWN_PROBLEMS = 10


def inspect_file(path: Path, choices: Choices) -> dict[str, Any]:
    """What the reader makes of a file; `refused` is the reason if it refuses it, else None."""
    from crypto_assets.spark.exports import read_export
    from crypto_assets.spark.market_data.bronze import reading_facts
    from crypto_assets.spark.problems import ReadError

    try:
        with path.open("rb") as stream:
            export = read_export(stream, choices.reading(()))
    except (ReadError, OSError) as reason:
        return {"file": str(path), "refused": str(reason)}
    return {
        "file": str(path),
        "refused": None,
        "kind": export.kind,
        **reading_facts(export),
        "date_column": export.columns.date_name or export.columns.date + 1,
        "value_column": export.columns.value_name or export.columns.value + 1,
        "rows": export.rows,
        "first_date": export.first_date,
        "last_date": export.last_date,
        "ticker_guess": Coins().guess(export.term, path.stem),
        "bad_lines": bad_lines(export),
    }


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


def bad_lines(export: Export) -> list[dict[str, Any]]:
    """The `line` and `problem` of each line that will fail the currency."""
    import pyarrow.compute as pc

    bad = export.lines.filter(pc.equal(export.lines["role"], "bad"))
    return bad.select(["line", "problem"]).to_pylist()


def summary(finding: Mapping[str, Any]) -> str:
    """A finding in a few lines for a person."""
    if finding["refused"]:
        return f"{finding['file']}: REFUSED: {finding['refused']}"
    bad = finding["bad_lines"]
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
    lines = [f"  BAD line {b['line']}: {b['problem']}" for b in bad[:SHOWN_PROBLEMS]]
    more = (
        [f"  and {len(bad) - SHOWN_PROBLEMS} more bad lines"] if len(bad) > SHOWN_PROBLEMS else []
    )
    return "\n".join([about, dialect, *notes, *lines, *more])
