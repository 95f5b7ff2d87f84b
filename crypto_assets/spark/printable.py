"""Text that others wrote, such as names of files and cells, made fit to be shown on one line.

Whatever shows text to a person takes it from here: terminal, message, notice, Dagster's records.
"""

import unicodedata
from collections.abc import Sequence

# Controls, bidi marks and other formats, surrogates, private and unknown characters, line ends.
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    r"""The text with each invisible character as JSON and TOML write it, such as `\u202e`.

    A name cannot forge a line or reorder one, and bytes that are no characters can be stored.
    """
    if text.isprintable():
        return text
    return "".join(
        _escaped(letter) if unicodedata.category(letter) in _INVISIBLE else letter
        for letter in text
    )


def printable_lines(text: str) -> str:
    """A text of several lines, each of them made printable."""
    return "\n".join(map(printable, text.split("\n")))


def first_of(names: Sequence[str], most: int) -> str:
    """The first `most` of these names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return _SHORT.get(letter) or "".join(f"\\u{pair}" for pair in pairs)
