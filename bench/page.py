"""`python -m bench.page`: writes docs/performance.md and its chart from `bench.json`."""

import json
from pathlib import Path

from bench.__main__ import RESULT

PAGE, CHART = Path("docs/performance.md"), Path("docs/performance.svg")
BAR, ROW, LEFT, WIDTH = 18, 30, 250, 560
TEXT = """# How fast it is

`make bench` writes these figures to `bench.json`; `python -m bench.page` makes this page of them.
Each round runs the floor, the product without Dagster, the whole asset graph and, where there is a
Java, the product on Apache Spark, one after the other, each on a home of its own. The figures are
medians of {rounds} rounds on 2 cores: {tickers:,} currencies of 1,887 days, engine `{engine}`.

![seconds](performance.svg)

| figure | median | is |
|---|---|---|
{rows}
"""
MEANS = {
    "floor_s": "plain DuckDB SQL: one statement from the same CSV files to the same table, "
    "without recognising files, audit, publishing or verdicts",
    "work_s": "the product without Dagster: read, compute, audit, publish, load",
    "ratio": "`work_s` / `floor_s`",
    "bronze_s": "of that: reading both files and writing bronze, in worker processes, divided by "
    "their number; and publishing, a third of which is counted with each layer",
    "silver_s": "of that: silver",
    "gold_s": "of that: gold",
    "warehouse_s": "of that: loading",
    "dagster_s": "CPU that the asset graph takes beyond `work_s`: planning, events, verdicts",
    "dagster_ms": "the same by asset and currency, in milliseconds",
    "total_s": "the whole of `crypto-assets materialize --all`, from the start of its process",
    "total_ratio": "`total_s` / `floor_s`",
    "checks_ratio": "`total_s` / the same with `CRYPTO_ASSETS_CHECKS=off`",
    "checks_cpu_ratio": "the same of CPU, without the start",
    "peak_mb": "memory of all its processes together, at its peak",
    "spark_s": "`work_s` on Apache Spark of this machine, the start of its processes included",
    "spark_ratio": "`spark_s` / `work_s`",
    "help_cpu_s": "CPU of `crypto-assets --help`",
    "add_cpu_s": "CPU of `crypto-assets add`",
    "one_cpu_s": "CPU of `crypto-assets materialize` of one currency",
    "few_status_cpu_s": "CPU of `crypto-assets status` of ten currencies",
    "status_cpu_s": "CPU of `crypto-assets status` of all currencies",
    "sql_cpu_s": 'CPU of `crypto-assets sql "SELECT 1"`',
    "inbox_s": "CPU in which 10,000 new files in the inbox are read, registered, reported and "
    "asked for",
    "idle_tick_s": "CPU of a look at the inbox when nothing is new",
    "unchanged_cpu_s": "CPU of `crypto-assets materialize --all --stale` where nothing changed",
}
BARS = {
    "floor_s": "plain DuckDB SQL",
    "work_s": "the product without Dagster",
    "total_s": "the whole, Dagster's UI and history included",
}


def main() -> None:
    """Writes both files."""
    figures = json.loads(RESULT.read_text())
    CHART.write_text(chart(figures))
    PAGE.write_text(page(figures))


def chart(figures: dict) -> str:
    """A bar for each of `BARS`, in seconds, as SVG."""
    longest = max(figures[name] for name in BARS)
    rows = []
    for number, (name, label) in enumerate(BARS.items()):
        top, width = 10 + ROW * number, round(WIDTH * figures[name] / longest)
        rows += [
            f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end">{label}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{width}" height="{BAR}" fill="#4f7cac"/>',
            f'<text x="{LEFT + width + 6}" y="{top + 13}">{figures[name]:.1f} s</text>',
        ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 90}" '
        f'height="{20 + ROW * len(BARS)}" font-family="sans-serif" font-size="13">'
    )
    return "\n".join([head, *rows, "</svg>", ""])


def page(figures: dict) -> str:
    """What was measured, and what each figure means."""
    rows = [
        f"| `{name}` | {figures[name]:,} | {means} |"
        for name, means in MEANS.items()
        if name in figures
    ]
    shown = {**figures, "rows": "\n".join(rows)}
    return TEXT.format(**shown)


if __name__ == "__main__":
    main()
