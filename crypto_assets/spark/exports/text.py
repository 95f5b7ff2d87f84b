"""From bytes to lines of text: size limits, what is no text at all, encoding, line ends.

Belongs here: everything decided before a delimiter is looked for. Does not: cells, columns.
Memory is bounded: at most `MAX_BYTES` of a stream are ever held.
"""

import codecs
from dataclasses import dataclass
from typing import IO, Any

import pyarrow.compute as pc

from crypto_assets.spark.problems import ReadError

from . import refusals
from .arrays import MAX_LINES, UNIT, count_line_ends, lines_of
from .lookup import count_known_words
from .refusals import Line

MAX_BYTES = 16 * 1024 * 1024  # forty years of days in the widest export seen are below 4 MB
MAX_LINE_BYTES = 50_000
HEAD_BYTES = 256 * 1024  # of a file over the limits, enough to say what it is
UTF16_ZERO_SHARE = 0.2  # ASCII digits in UTF-16 make every second byte zero
LEGACY_ENCODINGS = (
    "cp1252",
    "cp1251",
    "gb18030",
    "cp1254",
    "cp1250",
    "cp1258",
    "cp949",
    "shift_jis",
    "big5",
    "cp1253",
    "cp874",
    "mac_roman",
    "latin-1",
)

# Longest first where one begins another.
SIGNATURES = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (.xlsx)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"BZh", "bzip2-compressed"),
    (b"\xfd7zXZ", "xz-compressed"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"{\\rtf", "an RTF document"),
)
MARKUP = (
    (b"<!doctype html", "a web page (HTML)"),
    (b"<html", "a web page (HTML)"),
    (b"<?xml", "XML"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)


@dataclass(frozen=True)
class Text:
    """The lines of a file without their ends. `truncated`: only the head was taken, and why.

    `ended`: the last line has a line end too.
    """

    lines: Any  # pyarrow string array
    encoding: str
    truncated: str | None = None
    ended: bool = True


def read_text(stream: IO[bytes]) -> Text:
    """The lines of `stream`. Raises `ReadError` if it is no text, empty, or a line is monstrous."""
    data, truncated = _bounded(stream)
    refuse_other_formats(data)
    text, encoding = _decode(data, whole=truncated is None)
    text = _unified_line_ends(text)
    if truncated is None and len(text) > MAX_LINES and count_line_ends(text) > MAX_LINES:
        truncated = f"it has more than {MAX_LINES:,} lines"
        text = text[:HEAD_BYTES]
    if truncated is not None:
        whole = text.rfind("\n") + 1
        if len(text) - whole > MAX_LINE_BYTES:
            raise _too_long(_line_at(text, whole))
        text = text[:whole]
    if not text or text.isspace():
        raise refusals.EMPTY.refused()
    if UNIT in text:
        at = _line_at(text, text.index(UNIT))
        raise refusals.DAMAGED.refused(at, what="a control character")
    lines = lines_of(text.removesuffix("\n"))
    if not _all_short(text):
        _check_line_lengths(lines)
    return Text(lines, encoding, truncated, text.endswith("\n"))


def refuse_other_formats(data: bytes) -> None:
    """Raises `ReadError` if a file that begins so is empty or says that it is no CSV file."""
    if not data or data.isspace():
        raise refusals.EMPTY.refused()
    for signature, what in SIGNATURES:
        if data.startswith(signature):
            raise refusals.NOT_CSV.refused(what=what)
    start = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for signature, what in MARKUP:
        if start.startswith(signature):
            raise refusals.NOT_CSV.refused(what=what)


def _line_at(text: str, position: int) -> Line:
    """The line around a position of the text."""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    return Line(text.count("\n", 0, position) + 1, text[start : end if end >= 0 else None])


def _bounded(stream: IO[bytes]) -> tuple[bytes, str | None]:
    """The whole content, or the head of a file over `MAX_BYTES` and the reason."""
    chunks, size = [], 0
    while size <= MAX_BYTES and (chunk := stream.read(min(MAX_BYTES + 1 - size, 1 << 20) or 1)):
        chunks.append(chunk)
        size += len(chunk)
    data = b"".join(chunks)
    if size <= MAX_BYTES:
        return data, None
    return data[:HEAD_BYTES], f"it is larger than {MAX_BYTES // 2**20} MB"


def _decode(data: bytes, *, whole: bool) -> tuple[str, str]:
    if data.startswith(b"\xef\xbb\xbf"):
        return _strict(data[3:], "utf-8", whole=whole), "utf-8-sig"
    for bom, name in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(bom):
            return _strict(data[2:], name, whole=whole), name
    if b"\0" in data:
        return _decode_with_zeros(data, whole=whole)
    try:
        return _text(data, "utf-8", whole=whole), "utf-8"
    except UnicodeDecodeError:
        _refuse_surrogates(data)
        return _decode_legacy(data, whole=whole)


def _text(data: bytes, encoding: str, *, whole: bool) -> str:
    """Decoded; a head may end inside a character, a whole file may not."""
    return codecs.getincrementaldecoder(encoding)().decode(data, final=whole)


def _strict(data: bytes, encoding: str, *, whole: bool) -> str:
    try:
        text = _text(data, encoding, whole=whole)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "replace")
        at = _line_at(before + "\ufffd", len(before))
        what = f"the file says it is {encoding}, but holds a broken or half character"
        raise refusals.BROKEN_CHARACTER.refused(at, what=what) from None
    if "\0" in text:
        raise refusals.DAMAGED.refused(_line_at(text, text.index("\0")), what="a NUL byte")
    return text


def _decode_with_zeros(data: bytes, *, whole: bool) -> tuple[str, str]:
    """UTF-16 without a BOM has its zeros on one side of every pair; anything else is binary."""
    even, odd = data[0:4096:2].count(0), data[1:4096:2].count(0)
    pairs = len(data[:4096]) / 2
    for many, few, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if many > max(UTF16_ZERO_SHARE * pairs, 4 * few):
            return _strict(data, name, whole=whole), name
    text = data.decode("latin-1")
    raise refusals.DAMAGED.refused(_line_at(text, text.index("\0")), what="a NUL byte")


def _refuse_surrogates(data: bytes) -> None:
    """Bytes that are UTF-8 but for lone surrogates are no other encoding either."""
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return
    position = next(i for i, c in enumerate(text) if "\ud800" <= c <= "\udfff")
    what = "the file holds half a character (a lone surrogate)"
    raise refusals.BROKEN_CHARACTER.refused(_line_at(text, position), what=what)


def _decode_legacy(data: bytes, *, whole: bool) -> tuple[str, str]:
    """The older encoding in which most header and month words are known; digits are the same."""
    best, best_score, best_name = "", -1, ""
    for name in LEGACY_ENCODINGS:
        try:
            text = _text(data, name, whole=whole)
        except UnicodeDecodeError:
            continue
        score = count_known_words(text[:2000])
        if score > best_score:
            best, best_score, best_name = text, score, name
    return best, best_name


def _unified_line_ends(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _all_short(text: str) -> bool:
    """Whether each line ends so soon after the one before that it cannot be too long."""
    reach = MAX_LINE_BYTES // 4  # in UTF-8 a character is four bytes at most
    start = 0
    while len(text) - start > reach:
        start = text.rfind("\n", start, start + reach) + 1
        if not start:
            return False
    return True


def _check_line_lengths(lines: Any) -> None:
    lengths = pc.binary_length(lines)
    longest = pc.max(lengths).as_py()
    if longest > MAX_LINE_BYTES:
        line = pc.index(lengths, longest).as_py()
        raise _too_long(Line(line + 1, lines[line].as_py()))


def _too_long(at: Line) -> ReadError:
    return refusals.LONG_LINE.refused(at, limit=MAX_LINE_BYTES)
