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
from functools import cached_property, lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crypto_assets.resources.inbox.inbox import OVERRIDES, Inbox
from crypto_assets.resources.inbox.ledger import Quarantined
from crypto_assets.resources.market_data.registry import WrongUse, checked_ticker
from crypto_assets.spark.job_spec import KINDS, Kind, Missing

_GLOB = re.compile(r"[*?\[]")
_HEADING = re.compile(r"""\s*\[\s*["']?([^"'\[\].]+?)["']?\s*[\].]""")
_NAME = re.compile(r"""\s*["']?([^"'\[\].=]+?)["']?\s*[.=]""")
_MAX_BYTES = 8 << 20  # 10,000 currencies, each with every setting, are below 4 MB


class Override(BaseModel):
    """One section: `history` and `trend` are patterns such as `btc/*.csv`, matched to keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    history: str | None = None
    trend: str | None = None
    names: tuple[str, ...] = Field(default=(), strict=False)  # TOML has lists
    missing: Missing | None = None
    dates: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: Literal["dot", "comma"] | None = None
    accept_outliers: bool | None = None
    max_shrink: float | None = Field(default=None, ge=0, le=1)

    @property
    def choices(self) -> dict[str, Any]:
        """The settings of an entry that this section names."""
        return self.model_dump(exclude={"history", "trend"}, exclude_unset=True, exclude_none=True)


@dataclass(frozen=True)
class Overrides:
    """All sections by ticker, and a line for each thing wrong in the file."""

    sections: Mapping[str, Override] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def claims(self, key: str) -> list[tuple[str, Kind]]:
        """The tickers and kinds whose pattern this key matches, or whose pattern it is."""
        found = (claim for matches, claim in self._patterns if matches(key))
        return sorted({*self._keys.get(key, ()), *found})

    @cached_property
    def _keys(self) -> dict[str, list[tuple[str, Kind]]]:
        """The claims by their pattern as it stands, looked up at once however many there are."""
        keys: dict[str, list[tuple[str, Kind]]] = {}
        for pattern, claim in self._claims():
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
        content = inbox.read(OVERRIDES, _MAX_BYTES + 1)
    except FileNotFoundError:
        return Overrides(), ""
    except OSError as error:
        return Overrides(problems=(f"{OVERRIDES}: {error.strerror}",)), ""
    stamp = hashlib.sha256(content).hexdigest()
    if len(content) > _MAX_BYTES:
        problem = f"{OVERRIDES}: it is larger than {_MAX_BYTES >> 20} MB"
        return Overrides(problems=(problem,)), stamp
    try:
        return parse_overrides(content.decode("utf-8-sig")), stamp
    except UnicodeDecodeError as error:
        return Overrides(problems=(f"{OVERRIDES}: {error.reason}: save it as UTF-8",)), stamp


def broken(overrides: Overrides) -> list[Quarantined]:
    """What is wrong in the file, as it is listed with the uploads in quarantine."""
    return [Quarantined(OVERRIDES, 0, problem) for problem in overrides.problems]


@lru_cache(maxsize=1)  # asked for at every look at the inbox, and seldom changed
def parse_overrides(text: str) -> Overrides:
    """Reads the file's text; a file that is no TOML has no sections."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers and nesting beyond what Python takes
        return Overrides(problems=(f"{OVERRIDES}: {error}",))
    sections: dict[str, Override] = {}
    problems, source = [], _Source(text)
    for name, content in document.items():
        try:
            if not isinstance(content, dict):
                raise WrongUse(f"{name} stands outside a section such as [BTC]")  # noqa: TRY301
            if (ticker := checked_ticker(name)) in sections:
                raise WrongUse(f"[{name}] is a second section of {ticker}")  # noqa: TRY301
            sections[ticker] = Override.model_validate(content)
        except WrongUse as error:
            problems.append(f"{OVERRIDES} line {source.line_of(name)}: {error}")
        except ValidationError as error:
            for fault in error.errors():
                of = str(fault["loc"][0])
                line = source.line_of(name, of)
                problems.append(f"{OVERRIDES} line {line}: [{name}] {of}: {fault['msg']}")
    return Overrides(sections, tuple(problems))


class _Source:
    """The file's text, to say on which line what is."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")

    def line_of(self, section: str, name: str | None = None) -> int:
        """The line of a section, or of a name in it; 1 if it is written in an unusual way."""
        headings, names = self._found
        start = headings.get(section, names.get(section, 0))
        for number in range(start + 1, len(self._lines) if name else 0):
            if self._lines[number].lstrip().startswith("["):
                break
            if (found := _NAME.match(self._lines[number])) and found[1] == name:
                return number + 1
        return start + 1

    @cached_property
    def _found(self) -> tuple[dict[str, int], dict[str, int]]:
        """The first line of each heading, and of each name outside or inside a section."""
        found: tuple[dict[str, int], dict[str, int]] = {}, {}
        for number, line in enumerate(self._lines):
            for lines, pattern in zip(found, (_HEADING, _NAME), strict=True):
                if match := pattern.match(line):
                    lines.setdefault(match[1], number)
        return found
