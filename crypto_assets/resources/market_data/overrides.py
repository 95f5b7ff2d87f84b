"""`currencies.toml` in the inbox: what its owner says of a currency, where files leave a choice.

A section for each ticker: patterns of its files' keys, and the currency's choices. A broken section
is left out and reported; the others hold.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.inbox import OVERRIDES, Inbox
from crypto_assets.resources.market_data.registry import new_ticker
from crypto_assets.spark.market_data.data_set import MARKET_DATA

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from crypto_assets.resources.market_data.sections import Section

_GLOB = re.compile(r"[*?\[\]]")
_HEADING = re.compile(r"""\s*\[\s*["']?([^"'\[\].]+?)["']?\s*[\].]""")
_NAME = re.compile(r"""\s*["']?([^"'\[\].=]+?)["']?\s*[.=]""")
_MAX_BYTES = 4 << 20  # 10,000 currencies, each with every setting, are 3.9 MB
_STRING = re.compile(
    r""""{3}(?:\\.|[^\\])*?(?:"{3}|\Z)|'{3}.*?(?:'{3}|\Z)|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?|#[^\n]*""",
    re.DOTALL,
)
# A setting has two names. tomllib's time grows with the square of their number: minutes at 100 kB.
_NESTED = re.compile(r"(?<![\w.-])[\w-]++(?:[ \t]*+\.[ \t]*+[\w-]++){4}")


@dataclass(frozen=True)
class Overrides:
    """All sections by ticker, and a line for each thing wrong in the file."""

    sections: Mapping[str, Section] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def claims(self, key: str) -> list[tuple[str, str]]:
        """The tickers and kinds whose pattern this key matches, or whose pattern it is."""
        found = {*self._keys.get(key, ())}
        for head, tail in self._lengths:
            fixed = key[:head], key[len(key) - tail :]
            for pattern, claim in self._patterns.get(fixed, ()):
                found |= {claim} if fnmatch.fnmatchcase(key, pattern) else set()
        return sorted(found)

    @cached_property
    def _keys(self) -> dict[str, list[tuple[str, str]]]:
        """The claims by their pattern as it stands, looked up at once however many there are."""
        keys: dict[str, list[tuple[str, str]]] = {}
        for pattern, claim in self._claims():
            keys.setdefault(pattern, []).append(claim)
        return keys

    @cached_property
    def _patterns(self) -> dict[tuple[str, str], list[tuple[str, tuple[str, str]]]]:
        """The claims with wildcards by what is fixed before the first and behind the last of them.

        So a key is held against few of them, however many there are.
        """
        patterns: dict[tuple[str, str], list[tuple[str, tuple[str, str]]]] = {}
        for pattern, claim in self._claims():
            head, *others = _GLOB.split(pattern)
            if others:
                patterns.setdefault((head, others[-1]), []).append((pattern, claim))
        return patterns

    @cached_property
    def _lengths(self) -> set[tuple[int, int]]:
        return {(len(head), len(tail)) for head, tail in self._patterns}

    def _claims(self) -> Iterator[tuple[str, tuple[str, str]]]:
        for ticker, section in self.sections.items():
            for kind in MARKET_DATA.files:
                if pattern := getattr(section, kind):
                    yield pattern, (ticker, kind)

    def late_after_days(self, ticker: str) -> int | None:
        """How many days old the currency's last price may be, if its section says so."""
        section = self.sections.get(ticker)
        return section.late_after_days if section else None

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
    etag = hashlib.sha256(content).hexdigest()
    if len(content) > _MAX_BYTES:
        problem = f"{OVERRIDES}: it is larger than {_MAX_BYTES >> 20} MB"
        return Overrides(problems=(problem,)), etag
    try:
        return parse_overrides(content.decode("utf-8-sig")), etag
    except UnicodeDecodeError as error:
        return Overrides(problems=(f"{OVERRIDES}: {error.reason}: save it as UTF-8",)), etag


@lru_cache(maxsize=1)  # asked for at every look at the inbox, and seldom changed
def parse_overrides(text: str) -> Overrides:
    """Reads the file's text; a file that is no TOML has no sections."""
    from pydantic import ValidationError

    from crypto_assets.resources.market_data.sections import Override

    if line := _nested_line(text):
        return Overrides(problems=(f"{OVERRIDES} line {line}: too many names within each other",))
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers and nesting beyond what Python takes
        return Overrides(problems=(f"{OVERRIDES}: {error}",))
    sections: dict[str, Section] = {}
    problems, firsts = [], _first_lines(text.split("\n"))
    for name, content in document.items():
        try:
            if not isinstance(content, dict):
                raise UsageError(f"{name} stands outside a section such as [BTC]")  # noqa: TRY301
            if (ticker := new_ticker(name)) in sections:
                raise UsageError(f"[{name}] is a second section of {ticker}")  # noqa: TRY301
            sections[ticker] = Override.model_validate(content)
        except UsageError as error:
            problems.append(f"{OVERRIDES} line {firsts.get((name,), 1)}: {error}")
        except ValidationError as error:
            for fault in error.errors():
                of = str(fault["loc"][0])
                line = firsts.get((name, of)) or firsts.get((name,), 1)
                problems.append(f"{OVERRIDES} line {line}: [{name}] {_said(of, fault)}")
    return Overrides(sections, tuple(problems))


def _nested_line(text: str) -> int | None:
    """The line whose names are nested deeper than any setting; what stands in strings is none."""
    names = _STRING.sub(lambda found: "s" + "\n" * found[0].count("\n"), text)
    nested = _NESTED.search(names)
    return names.count("\n", 0, nested.start()) + 1 if nested else None


def _said(setting: str, fault: ErrorDetails) -> str:
    """What is wrong with a setting, in words."""
    from difflib import get_close_matches

    from crypto_assets.resources.market_data.sections import Override
    from crypto_assets.spark.exports.refusals import CELL_SHOWN, quoted, shown

    if fault["type"] != "extra_forbidden":
        wanted = fault["msg"].replace("Input should", "it must").replace("valid tuple", "list")
        return f"{setting}: {wanted}, not {quoted(str(fault['input']))}"
    known = list(Override.model_fields)
    near = get_close_matches(setting, known, 1)
    meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"{shown(setting, CELL_SHOWN)}: there is no such setting: {meant}"


def _first_lines(lines: Sequence[str]) -> dict[tuple[str, ...], int]:
    """The first line of each section and of each name in one, however many are broken.

    A section begins at its heading, or else at its first name that stands outside of others.
    """
    found: dict[tuple[str, ...], int] = {}
    outside: dict[tuple[str, ...], int] = {}
    section = ""
    for number, line in enumerate(lines, 1):
        if heading := _HEADING.match(line):
            section = heading[1]
            found.setdefault((section,), number)
        elif name := _NAME.match(line):
            found.setdefault((section, name[1]), number)
            outside.setdefault((name[1],), number)
    return outside | found
