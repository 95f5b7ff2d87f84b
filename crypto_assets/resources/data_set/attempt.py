"""Work on one upload among many: its error must not stop the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from crypto_assets.resources.errors import BusyError, RefusedError

_Result = TypeVar("_Result")
BROKE = "the reader broke on this file: {}; please report it"  # the reason of a quarantine


def attempt(work: Callable[[], _Result]) -> _Result | Exception:
    """What the work on one upload gives, or the error that says something of this upload.

    Raises what does not: a full disk says nothing about a file.
    """
    try:
        return work()
    except (OSError, BusyError, RefusedError):
        raise
    except Exception as error:  # noqa: BLE001 - one upload must not stop the others
        return error
