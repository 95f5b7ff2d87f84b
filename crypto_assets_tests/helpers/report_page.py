"""What a report's page holds, read from the page as a browser reads it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any


def embedded_text(page: str, element: str) -> str:
    """The content of the element with this id."""
    found = re.search(rf'<script[^>]* id="{element}">(.*?)</script>', page, re.DOTALL)
    assert found, f"no element {element}"
    return found[1]


def facts(path: Path) -> dict[str, Any]:
    """All facts of the page."""
    return json.loads(embedded_text(path.read_text(), "facts"))


def currencies(path: Path) -> dict[str, dict[str, Any]]:
    """What the table has, by ticker."""
    columns = facts(path)["columns"]
    return {
        ticker: {name: values[at] for name, values in columns.items()}
        for at, ticker in enumerate(columns.get("ticker", []))
    }
