"""The pages of the documentation and their fenced blocks.

What a block of commands must show, and which ones run where, is in `docs/`.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATHS = (
    ROOT / "README.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("deploy/*/README.md")),
    ROOT / "sample_data" / "README.md",
)
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in PATHS}
_PART = re.compile(
    r"^(?P<heading>#+ [^\n]*)$|^(?P<indent> *)```(?P<language>\S*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_TYPED = re.compile(r"^(\$ |(crypto-assets|make|export|docker) [\w-]+)", re.MULTILINE)
_LANGUAGES = {"sh", "console", "python"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, the heading above it, its language and its text."""

    page: str
    heading: str
    language: str
    text: str

    @property
    def is_commands(self) -> bool:
        """Whether people are to type it, by its language or by what it begins lines with."""
        return self.language in _LANGUAGES or bool(_TYPED.search(self.text))


def blocks() -> Iterator[Block]:
    """Every fenced block of every page."""
    for page, text in PAGES.items():
        heading = ""
        for part in _PART.finditer(text):
            if part["heading"]:
                heading = part["heading"].lstrip("# ")
            else:
                yield Block(page, heading, part["language"], textwrap.dedent(part["text"]))


def commands() -> dict[str, Block]:
    """The blocks of commands, by page, heading and their number below it: `README.md: Use it 1`."""
    count = Counter[str]()
    found = {}
    for block in blocks():
        if block.is_commands:
            place = f"{block.page}: {block.heading}"
            count[place] += 1
            found[f"{place} {count[place]}"] = block
    return found
