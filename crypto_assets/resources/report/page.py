"""The report's page as one HTML text: template, styles and scripts of `web/`, and the data.

It asks for nothing: a policy in it forbids every request, and lets only its own scripts run, by
their hashes. Data are JSON in elements that are no scripts. The plotting library (BokehJS) comes
from its wheel and is unpacked when the first chart is opened.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from importlib.metadata import files
from importlib.resources import files as resources
from typing import Any

_LIBRARY = ("bokeh.min.js", "bokeh-api.min.js")
_SCRIPTS = ("series.js", "chart.js", "details.js", "table.js")
_MARK = re.compile(r"\{\{(\w+)\}\}")


def page(title: str, facts: dict[str, Any], series: list[str | None]) -> str:
    """The whole page. `facts` is what the table shows, `series` the packed ones in its order."""
    library, script = _library(), "\n".join(map(_web, _SCRIPTS))
    packed_library = base64.b64encode(zlib.compress(library.encode(), 9)).decode()
    parts = {
        "title": title,
        "policy": _policy(script, library),
        "style": _web("page.css"),
        "facts": embedded(facts),
        "script": script,
        "library": packed_library,
        "series": embedded(series),
    }
    return _MARK.sub(lambda mark: parts[mark[1]], _web("page.html"))


def embedded(document: object) -> str:
    """The document as JSON in which nothing ends the element that it is in."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _policy(*scripts: str) -> str:
    """The policy of the page: these scripts run, styles and images are its own, no request is made.

    BokehJS styles its elements by `style` attributes and draws its icons from `data:` addresses.
    """
    hashes = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _library() -> str:
    """BokehJS, from the files of the package that is installed; Bokeh itself is not imported."""
    found = {path.name: path for path in files("bokeh") or () if path.name in _LIBRARY}
    return "\n".join(found[name].read_text(encoding="utf-8") for name in _LIBRARY)


def _web(name: str) -> str:
    return (resources(__package__) / "web" / name).read_text(encoding="utf-8")
