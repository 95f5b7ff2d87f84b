"""Short ways to read a text and to look at the result; no tests here."""

import io

import pytest

from crypto_assets.spark.exports import Export, Options, read_export
from crypto_assets.spark.problems import ReadError


def read(content: str | bytes, **options: object) -> Export:
    """Read `content` as an uploaded file."""
    data = content.encode() if isinstance(content, str) else content
    return read_export(io.BytesIO(data), Options(**options))  # type: ignore[arg-type]


def pairs(export: Export) -> list[tuple[str, str]]:
    """The (date, value) of the data lines, in file order."""
    columns = [export.lines[name].to_pylist() for name in ("role", "date", "value")]
    return [(day, value) for role, day, value in zip(*columns, strict=True) if role == "data"]


def roles(export: Export) -> list[str]:
    """The role of every line."""
    return list(export.lines["role"].to_pylist())


def problems(export: Export) -> dict[int, str]:
    """Line number -> problem of the bad lines."""
    lines, texts = export.lines["line"].to_pylist(), export.lines["problem"].to_pylist()
    return {line: text for line, text in zip(lines, texts, strict=True) if text}


def refusal(content: str | bytes, **options: object) -> str:
    """The one-line reason for which `content` is refused."""
    with pytest.raises(ReadError) as caught:
        read(content, **options)
    reason = str(caught.value)
    assert "\n" not in reason
    assert reason
    return reason
