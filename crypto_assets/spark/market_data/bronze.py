"""Bronze: every line of the uploaded files, cell by cell as text, with what the reader made of it.

One Python function reads a file inside the engine (`mapInArrow`), so no row passes through the
driver and any engine runs it. Recognising a file is `exports/`; deciding what a value means is
`silver`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import fs

from crypto_assets.spark.exports import Export, Options, read_export
from crypto_assets.spark.exports.text import MAX_BYTES
from crypto_assets.spark.market_data.currency import Choices, Currency
from crypto_assets.spark.market_data.tables import BRONZE, KINDS
from crypto_assets.spark.problems import ReadError
from crypto_assets.spark.tables import arrow_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ARROW = arrow_schema(BRONZE.columns)


def uploads(session: SparkSession, currencies: Iterable[Currency]) -> DataFrame:
    """One row per file to read: ticker, kind, uri, name, etag and the reading options as JSON."""
    rows = [
        {
            "ticker": currency.ticker,
            "kind": kind,
            **dataclasses.asdict(currency.files[kind]),
            "options": json.dumps(
                {"choices": dataclasses.asdict(currency.choices), "terms": currency.terms}
            ),
        }
        for currency in currencies
        for kind in KINDS
    ]
    return session.createDataFrame(pa.Table.from_pylist(rows))


def bronze(uploads: DataFrame, readers: int) -> DataFrame:
    """All lines of all files: `BRONZE`, one row per line of each file, in the file's order.

    A file that cannot be read gives one row of role `refused` whose `problem` is the reason.
    """
    return uploads.repartition(readers, "ticker").mapInArrow(_read_files, BRONZE.ddl)


def _read_files(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for upload in batch.to_pylist():
            try:
                lines = _lines(upload)
            except ReadError as reason:
                lines = _refusal(str(reason))
            except Exception as error:  # noqa: BLE001 - one file must not fail the other tickers
                lines = _refusal(f"the reader broke on this file: {error!r}; please report it")
            yield _bronze_rows(lines, upload)


def _lines(upload: dict[str, Any]) -> pa.Table:
    options = json.loads(upload["options"])
    reading = Choices.from_json(options["choices"]).reading(
        tuple(options["terms"]), upload["kind"], upload["name"]
    )
    export = read_pinned(upload["uri"], upload["etag"], reading)
    if export.kind != upload["kind"]:
        raise ReadError(f"a {upload['kind']} file is wanted, this is a {export.kind} file")
    return _with_file_facts(
        export.lines, file_lines=len(export.lines), reading=json.dumps(reading_facts(export))
    )


def read_pinned(uri: str, etag: str, options: Options) -> Export:
    """Reads the file at `uri`, which must have the content `etag` (SHA-256) names.

    Raises `ReadError` if it is gone, has other content, or cannot be read as an export.
    """
    filesystem, path = fs.FileSystem.from_uri(uri)
    try:
        with filesystem.open_input_stream(path) as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ReadError(f"the upload cannot be opened: {error}; upload it again") from error
    if len(content) <= MAX_BYTES and hashlib.sha256(content).hexdigest() != etag:
        raise ReadError("what is stored of this upload is not what was uploaded: upload it again")
    return read_export(io.BytesIO(content), options)


def reading_facts(export: Export) -> dict[str, Any]:
    """What the reader worked out about the file, as scalars for people and metadata."""
    return {
        "source": export.source,
        "language": export.language,
        "encoding": export.encoding,
        "delimiter": export.delimiter,
        "date_format": export.date_format,
        "decimal": export.decimal,
        "granularity": export.granularity,
        "term": export.term,
        "notes": list(export.notes),
    }


def _refusal(reason: str) -> pa.Table:
    line = pa.table({"line": pa.array([0], pa.int32()), "role": ["refused"], "problem": [reason]})
    return _with_file_facts(line, file_lines=1, reading="{}")


def _with_file_facts(lines: pa.Table, *, file_lines: int, reading: str) -> pa.Table:
    """Adds the file's count of lines to each line, and what the reader worked out to the first."""
    once = pa.concat_arrays([pa.array([reading]), pa.nulls(len(lines) - 1, pa.string())])
    return lines.append_column(
        "file_lines", pa.repeat(pa.scalar(file_lines, pa.int32()), len(lines))
    ).append_column("reading", once)


def _bronze_rows(lines: pa.Table, upload: dict[str, Any]) -> pa.RecordBatch:
    """The lines with the file's identity, in the columns and types of `BRONZE`."""
    identity = {
        "file": upload["name"],
        "etag": upload["etag"],
        "kind": upload["kind"],
        "ticker": upload["ticker"],
    }
    columns = []
    for column in _ARROW:
        if column.name in identity:
            values = pa.repeat(pa.scalar(identity[column.name], pa.string()), len(lines))
        elif column.name in lines.column_names:
            values = lines[column.name].combine_chunks().cast(column.type)
        else:
            values = pa.nulls(len(lines), column.type)
        columns.append(values)
    return pa.RecordBatch.from_arrays(columns, schema=_ARROW)
