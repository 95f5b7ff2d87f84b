"""`make bench`: how long the real graph takes for N currencies, next to plain DuckDB SQL.

Generates the files, registers them in a fresh home, runs the graph through Dagster (`measure`),
then the floor. Prints a table and writes `bench.json`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.floor import floor
from bench.generate import DAYS, TICKERS, FilePair, generate
from crypto_assets.spark.market_data.data_set import MARKET_DATA

FOLDER = Path(".bench")
RESULT = Path("bench.json")


def main() -> None:
    """Runs the benchmark; exit code 1 if a ticker failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickers", type=int, default=TICKERS)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--engine", choices=["sail", "spark"], default="sail")
    chosen = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    say = Console(stderr=True).print
    say(f"writing {chosen.tickers:,} currencies of {chosen.days:,} days")
    files = generate(FOLDER / "files", chosen.tickers, chosen.days)
    os.environ["CRYPTO_ASSETS_HOME"] = str(FOLDER / "home")
    os.environ["CRYPTO_ASSETS_ENGINE"] = chosen.engine
    say("registering")
    _register(files)
    say("running the graph")
    figures = _measure()
    say("computing the floor")
    figures["floor_s"] = floor(files, FOLDER / "floor.duckdb")
    figures["ratio"] = (
        sum(figures[f"{layer}_s"] for layer in MARKET_DATA.layers) / figures["floor_s"]
    )
    figures = {"tickers": chosen.tickers, **{k: round(v, 3) for k, v in figures.items()}}
    RESULT.write_text(json.dumps(figures, indent=1) + "\n")
    _show(figures)


def _register(files: list[FilePair]) -> None:
    """Registers without Dagster's upload events, which are no part of what is measured."""
    from crypto_assets.resources import wiring
    from crypto_assets.resources.instance import open_instance
    from crypto_assets.resources.settings import Settings
    from crypto_assets.resources.uploads.register import register

    settings = Settings()
    inbox, (registry, _) = wiring.inbox(settings), wiring.registries(settings)
    for ticker, history, trend in files:
        register(inbox, registry, ticker, {"history": history, "trend": trend}, {})
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(MARKET_DATA.partition, [ticker for ticker, _, _ in files])


def _measure() -> dict[str, float]:
    """Runs the graph in a process of its own, so that its peak memory is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.measure"], stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def _show(figures: dict[str, float]) -> None:
    table = Table("figure", "value", title=f"{figures['tickers']:,} currencies", box=None)
    for name, value in figures.items():
        table.add_row(name, f"{value:,}")
    spent = figures["dagster_s"] * 1000 / figures["tickers"] / len(MARKET_DATA.layers)
    table.add_row("dagster, ms per asset and ticker", f"{spent:.1f}")
    table.add_row("tickers/s", f"{figures['tickers'] / figures['total_s']:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
