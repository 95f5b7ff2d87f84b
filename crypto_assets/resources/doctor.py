"""The doctor: tries each part of the product here and says what to fix."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crypto_assets.resources import profile
from crypto_assets.resources.settings import Settings


@dataclass(frozen=True)
class Finding:
    """One check: what was tried, whether it works, and what was found or should be done."""

    what: str
    ok: bool
    found: str


def examine(settings: Settings) -> Iterator[Finding]:
    """The effective settings, then a finding for each part."""
    for name, value in settings.model_dump().items():
        yield Finding(f"setting {name}", True, f"{value}  (CRYPTO_ASSETS_{name.upper()})")
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0])
    yield _try("home", lambda: _writable(settings.root))
    yield _try(
        f"engine {settings.engine_name}", lambda: "Spark " + profile.engine(settings).check()
    )
    yield _try("lake", lambda: _lake(settings))
    yield _try("warehouse", lambda: profile.warehouse(settings).check())


def _try(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, check())
    except Exception as error:  # noqa: BLE001 - whatever is wrong is what the doctor is asked for
        return Finding(what, False, str(error).strip().splitlines()[0] or type(error).__name__)


def _writable(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder):
        return f"{folder} can be written"


def _lake(settings: Settings) -> str:
    registered = profile.registry(settings).tickers()
    notes = profile.lake(settings).notes(registered)
    published = sum("gold" in note.versions for note in notes.values())
    return f"{published} of {len(registered)} registered currencies have a gold table"
