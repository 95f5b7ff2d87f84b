"""`currencies.toml` in the inbox: what its owner says of a currency, where files leave a choice.

A section a ticker: patterns of its files' keys, names it goes by, and the settings of an entry. A
broken section is left out and told; the others hold.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crypto_assets.resources.inbox import OVERRIDES, Inbox
from crypto_assets.resources.ledger import Quarantined
from crypto_assets.resources.registry import WrongUse, checked_ticker
from crypto_assets.spark.batch import KINDS, Kind, Missing

_GLOB = re.compile(r"[*?\[]")


class Override(BaseModel):
    """One section: `history` and `trend` are patterns such as `btc/*.csv`, matched to keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    history: str | None = None
    trend: str | None = None
    names: tuple[str, ...] = ()
    missing: Missing | None = None
    dates: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: Literal["dot", "comma"] | None = None
    accept_outliers: bool | None = None
    max_shrink: float | None = Field(default=None, ge=0, le=1)

    @property
    def choices(self) -> dict[str, Any]:
        """The settings of an entry that this section names."""
        said = self.model_dump(exclude={"history", "trend"}, exclude_none=True)
        return {name: value for name, value in said.items() if name in self.model_fields_set}


@dataclass(frozen=True)
class Overrides:
    """All sections by ticker, and a line for each thing wrong in the file."""

    sections: Mapping[str, Override] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def claims(self, key: str) -> list[tuple[str, Kind]]:
        """The tickers and kinds whose pattern this key matches."""
        return [
            *self._keys.get(key, ()),
            *(claim for matches, claim in self._patterns if matches(key)),
        ]

    @cached_property
    def _keys(self) -> dict[str, list[tuple[str, Kind]]]:
        """The claims whose pattern is a plain key, looked up at once however many there are."""
        keys: dict[str, list[tuple[str, Kind]]] = {}
        for pattern, claim in self._claims():
            if not _GLOB.search(pattern):
                keys.setdefault(pattern, []).append(claim)
        return keys

    @cached_property
    def _patterns(self) -> list[tuple[Callable[[str], object], tuple[str, Kind]]]:
        return [
            (re.compile(fnmatch.translate(pattern)).match, claim)
            for pattern, claim in self._claims()
            if _GLOB.search(pattern)
        ]

    def _claims(self) -> Iterator[tuple[str, tuple[str, Kind]]]:
        for ticker, section in self.sections.items():
            for kind in KINDS:
                if pattern := getattr(section, kind):
                    yield pattern, (ticker, kind)

    def choices(self, ticker: str) -> dict[str, Any]:
        section = self.sections.get(ticker)
        return section.choices if section else {}


def read_overrides(inbox: Inbox) -> tuple[Overrides, str]:
    """The overrides of the inbox, and what tells them from others; none if there is no file."""
    try:
        content = inbox.read(OVERRIDES, 1 << 20)
    except FileNotFoundError:
        return Overrides(), ""
    except OSError as error:
        return Overrides(problems=(f"{OVERRIDES}: {error.strerror}",)), ""
    stamp = hashlib.sha256(content).hexdigest()
    try:
        return parse_overrides(content.decode("utf-8-sig")), stamp
    except UnicodeDecodeError as error:
        return Overrides(problems=(f"{OVERRIDES}: {error.reason}: save it as UTF-8",)), stamp


def broken(overrides: Overrides) -> list[Quarantined]:
    """What is wrong in the file, as it is listed with the uploads in quarantine."""
    return [Quarantined(OVERRIDES, 0, problem) for problem in overrides.problems]


def parse_overrides(text: str) -> Overrides:
    """Reads the file's text; a file that is no TOML has no sections."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Overrides(problems=(f"{OVERRIDES}: {error}",))
    sections, problems = {}, []
    for name, content in document.items():
        try:
            if not isinstance(content, dict):
                raise WrongUse(f"{name} stands outside a section such as [BTC]")  # noqa: TRY301
            sections[checked_ticker(name)] = Override.model_validate(content)
        except WrongUse as error:
            problems.append(f"{OVERRIDES} line {_line_of(text, name)}: {error}")
        except ValidationError as error:
            problems += [
                f"{OVERRIDES} line {_line_of(text, name, str(e['loc'][0]))}: "
                f"[{name}] {e['loc'][0]}: {e['msg']}"
                for e in error.errors()
            ]
    return Overrides(sections, tuple(problems))


def _line_of(text: str, section: str, name: str | None = None) -> int:
    """The line of a section's heading, or of a name in it; 1 if it is written in another way."""
    lines = text.splitlines()
    name_of_section = rf"[\"']?{re.escape(section)}[\"']?"
    heading = re.compile(rf"\s*(\[\s*{name_of_section}\s*[\].]|{name_of_section}\s*[.=])")
    start = next((n for n, line in enumerate(lines) if heading.match(line)), 0)
    if name is not None:
        wanted = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*=")
        start = next((n for n in range(start + 1, len(lines)) if wanted.match(lines[n])), start)
    return start + 1
