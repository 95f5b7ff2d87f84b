"""What a person sees of a currency's gold beside its measures: a chart and its last rows.

Both are Markdown, as Dagster's UI shows it. They are made from gold's arrays; nothing reads them.
"""

from __future__ import annotations

import base64
from datetime import date, timedelta
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crypto_assets.spark.market_data.gold import Gold

LAST_ROWS = 10
WIDTH, HEIGHT = 480, 120
POINTS = 80  # of each line, so that ten thousand charts are no burden
_EPOCH = date(1970, 1, 1)
_LINES = (("price", "#2563eb", 1.5), ("pricema", "#f59e0b", 1.0), ("trend_i", "#16a34a", 1.0))
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    'viewBox="0 0 {width} {height}">{lines}</svg>'
)
_LINE = '<polyline fill="none" stroke="{colour}" stroke-width="{width}" points="{points}"/>'


def shown(gold: Gold) -> dict[str, str]:
    """The chart and the last rows, by name, as Markdown."""
    return {"chart": chart(gold), "last_rows": last_rows(gold)}


def chart(gold: Gold) -> str:
    """Price and mean on one scale, the trend from 0 to its highest value, over the days."""
    days, price = gold.days, gold.price
    at = np.linspace(0, len(days) - 1, min(POINTS, len(days))).astype(int)
    across = (days[at] - days[0]) * WIDTH // max(1, int(days[-1] - days[0]))
    known = price[~np.isnan(price)]
    scales = dict.fromkeys(("price", "pricema"), _limits(known))
    scales["trend_i"] = (0.0, float(np.fmax.reduce(gold.trend_i, initial=0.0)))
    lines = "".join(
        _LINE.format(colour=colour, width=width, points=points)
        for name, colour, width in _LINES
        for points in _stretches(across, _heights(getattr(gold, name)[at], *scales[name]))
    )
    svg = _SVG.format(width=WIDTH, height=HEIGHT, lines=lines)
    legend = f"price (blue), its mean (orange), trend (green), {_day(days[0])} to {_day(days[-1])}"
    return f"![{legend}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def last_rows(gold: Gold) -> str:
    """The last rows as a table, the newest first; a number that is not there is left empty."""
    columns = (gold.price, gold.trend, gold.pricema, gold.trend_i)
    last = zip(*(column[-LAST_ROWS:].tolist() for column in (gold.days, *columns)), strict=True)
    rows = [
        [_day(day), *("" if isnan(value) else f"{value:.10g}" for value in values)]
        for day, *values in reversed(list(last))
    ]
    head = [["date", "price", "trend", "pricema", "trend_i"], ["---", *["---:"] * len(columns)]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [*head, *rows])


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)


def _heights(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """How far below the upper edge each value is drawn; NaN where there is none."""
    span = high - low
    if not span > 0:
        return np.where(np.isnan(values), np.nan, HEIGHT / 2)
    return np.asarray((HEIGHT - 2) - (values / span - low / span) * (HEIGHT - 4))


def _stretches(across: NDArray[np.int64], down: NDArray[np.float64]) -> list[str]:
    """The points of each stretch of a line that has no gap, in whole pixels."""
    known = ~np.isnan(down)
    framed = np.concatenate([[False], known, [False]])
    ends = np.flatnonzero(framed[1:] != framed[:-1]).reshape(-1, 2).tolist()
    pixels = np.where(known, down, 0).astype(int).tolist()
    texts = [f"{x},{y}" for x, y in zip(across.tolist(), pixels, strict=True)]
    return [" ".join(texts[first:end]) for first, end in ends]


def _day(day: int) -> str:
    return (_EPOCH + timedelta(int(day))).isoformat()
