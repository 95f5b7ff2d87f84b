"""The exceptions of `spark/`; those of the rest of the product are in `resources/errors`."""

from __future__ import annotations


class ReadError(Exception):
    """An upload cannot be read, or not with certainty.

    `str()` is one line: what is wrong, where, and what would help.
    """
