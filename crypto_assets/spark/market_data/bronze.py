"""Bronze: every line of an uploaded file, cell by cell as text, with what the reader made of it.

Recognising a file is `exports/`; deciding what a value means is `silver`.
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from crypto_assets.spark import objects
from crypto_assets.spark.exports import Export, Options, read_export
from crypto_assets.spark.exports.arrays import pick
from crypto_assets.spark.exports.text import MAX_BYTES
from crypto_assets.spark.market_data.tables import BRONZE
from crypto_assets.spark.problems import ReadError, ServiceError
from crypto_assets.spark.tables import arrow_schema

if TYPE_CHECKING:
    from crypto_assets.spark.job_spec import Upload
    from crypto_assets.spark.market_data.currency import Currency

_ARROW = arrow_schema(BRONZE.file_columns)
_DATA = pa.scalar("data")


def bronze(currency: Currency, kind: str) -> pa.Table:
    """All lines of the currency's file of this kind, in its order: `BRONZE` without its folders.

    Raises `ReadError` if the file cannot be read, `ServiceError` if S3 does not give it.
    """
    upload = currency.files[kind]
    try:
        export = read_pinned(
            upload.uri, upload.etag, currency.choices.reading(currency.terms, kind, upload.name)
        )
    except (ReadError, ServiceError):
        raise
    except Exception as error:
        reason = f"the reader broke on this file: {error!r}; please report it"
        raise ReadError(reason) from error
    if export.kind != kind:
        raise ReadError(f"a {kind} file is wanted, this is a {export.kind} file")
    return _with_file_facts(export, upload)


def data_lines(lines: pa.Table) -> pa.Table:
    """The day and the value of the lines that hold them: `date` and `value`, as text."""
    rows = pc.indices_nonzero(pc.equal(lines["role"], _DATA))
    return pick(lines.select(["date", "value"]), rows)


def read_pinned(uri: str, etag: str, options: Options) -> Export:
    """Reads the file at `uri`, which must have the content `etag` (SHA-256) names.

    Raises `ReadError` if it is gone, has other content, or cannot be read as an export, and
    `ServiceError` if S3 does not give it.
    """
    try:
        content = objects.read(uri, MAX_BYTES + 1)
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


def _with_file_facts(export: Export, upload: Upload) -> pa.Table:
    """Adds the file's facts to each line, and what the reader worked out to the first."""
    lines, count = export.lines, len(export.lines)
    reading = json.dumps({**reading_facts(export), "steps": export.steps})
    facts = {
        "file_lines": pa.repeat(pa.scalar(count, pa.int32()), count),
        "reading": pa.concat_arrays([pa.array([reading]), pa.nulls(count - 1, pa.string())]),
        "file": pa.repeat(pa.scalar(upload.name), count),
        "etag": pa.repeat(pa.scalar(upload.etag), count),
    }
    columns = [facts.get(name) or lines[name] for name in _ARROW.names]
    return pa.table(columns, schema=_ARROW)
