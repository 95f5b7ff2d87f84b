"""`make bench`: how long the product takes for N currencies, next to plain DuckDB SQL.

Writes the files and registers them once. Each round then computes the floor, the product without
Dagster and the asset graph, one after the other, each on a home of its own. Prints the medians of
the rounds and writes `bench.json`. Nothing is deleted before the end: ext4 makes files slowly for a
minute after many are deleted.
"""

import argparse
import compileall
import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.children import cpu_of, measured
from bench.floor import floor
from bench.generate import DAYS, TICKERS, FilePair, generate
from bench.inbox import worked_off
from crypto_assets.spark.market_data.data_set import MARKET_DATA

FOLDER = Path(".bench")
RESULT = Path("bench.json")
ROUNDS = 3
FEW = 10  # currencies of a small home
say = Console(stderr=True).print
Figures = dict[str, float]


def main() -> None:
    """Runs the benchmark; exit code 1 if a currency failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickers", type=int, default=TICKERS)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--engine", choices=["sail", "spark"], default="sail")
    chosen = parser.parse_args()
    os.environ["CRYPTO_ASSETS_ENGINE"] = chosen.engine
    compileall.compile_dir("crypto_assets", quiet=1)  # as whoever installs it does
    FOLDER.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=FOLDER))
    say(f"writing {chosen.tickers:,} currencies of {chosen.days:,} days")
    files = generate(folder / "files", chosen.tickers, chosen.days)
    say("registering")
    _register(folder / "registered", files)
    rounds = [_round(folder / f"round{n}", files) for n in range(1, chosen.rounds + 1)]
    say("the inbox")
    figures = _medians(rounds) | _commands(folder, files) | worked_off(folder / "inbox", files)
    shown = {"tickers": chosen.tickers, "engine": chosen.engine, "rounds": chosen.rounds}
    figures = {name: round(value, 3) for name, value in figures.items()}
    RESULT.write_text(json.dumps(shown | figures, indent=1) + "\n")
    _show(f"{chosen.tickers:,} currencies", figures)
    shutil.rmtree(folder)


def _register(home: Path, files: list[FilePair]) -> None:
    """Registers without Dagster's upload events, which are no part of what is measured."""
    from crypto_assets.resources import wiring
    from crypto_assets.resources.settings import Settings
    from crypto_assets.resources.uploads.register import register

    settings = Settings(home=home)
    inbox, (registry, _) = wiring.inbox(settings), wiring.registries(settings)
    for ticker, history, trend in files:
        register(inbox, registry, ticker, {"history": history, "trend": trend}, {})


def _home(folder: Path) -> Path:
    """A home without tables, with the uploads that are registered."""
    from crypto_assets.resources import wiring
    from crypto_assets.resources.settings import Settings

    folder.mkdir(parents=True)
    wiring.outcomes(Settings(home=folder)).unreported(MARKET_DATA.name)  # a new home's, as of `add`
    (folder / "inbox").symlink_to((folder.parents[1] / "registered" / "inbox").resolve())
    return folder


def _round(folder: Path, files: list[FilePair]) -> Figures:
    """The floor, the work and the whole, without checks and with, one right after the other."""
    say(f"{folder.name}: floor, the product without Dagster, the asset graph without checks, with")
    folder.mkdir()
    floor_s = floor(files, folder / "floor.duckdb")
    work = json.loads(measured(_home(folder / "refresh"), "bench.measure", "refresh")[0])
    unchecked = json.loads(measured(_home(folder / "unchecked"), "bench.measure", "unchecked")[0])
    printed, peak_mb = measured(_home(folder / "graph"), "bench.measure", "graph")
    whole = json.loads(printed)
    dagster_s = whole["work_cpu_s"] - work["work_cpu_s"]
    return _on_spark(folder, work["work_s"]) | {
        "floor_s": floor_s,
        **{f"{layer}_s": work[f"{layer}_s"] for layer in MARKET_DATA.layers},
        "work_s": work["work_s"],
        "ratio": work["work_s"] / floor_s,
        "dagster_s": dagster_s,
        "dagster_ms": dagster_s * 1000 / len(files) / len(MARKET_DATA.layers),
        "total_s": whole["total_s"],
        "total_ratio": whole["total_s"] / floor_s,
        "checks_ratio": whole["total_s"] / unchecked["total_s"],
        "checks_cpu_ratio": whole["work_cpu_s"] / unchecked["work_cpu_s"],
        "peak_mb": peak_mb,
    }


def _on_spark(folder: Path, work_s: float) -> Figures:
    """The work on Apache Spark of this machine, its start included, where there is a Java."""
    if os.environ["CRYPTO_ASSETS_ENGINE"] == "spark" or not shutil.which("java"):
        return {}
    say(f"{folder.name}: the product without Dagster on Apache Spark")
    home = _home(folder / "spark")
    found = json.loads(measured(home, "bench.measure", "refresh", engine="spark")[0])
    return {"spark_s": found["work_s"], "spark_ratio": found["work_s"] / work_s}


def _commands(folder: Path, files: list[FilePair]) -> Figures:
    """CPU seconds of single commands, on the last round's home and on one of few currencies."""
    say("single commands")
    many = max(folder.glob("round*")) / "graph"
    few = folder / "few"
    _register(few, files[:FEW])
    ticker, history, trend = files[0]
    add = ("add", ticker, "--history", str(history), "--trend", str(trend))
    return {
        "help_cpu_s": cpu_of(few, "--help"),
        "add_cpu_s": cpu_of(folder / "added", *add),
        "one_cpu_s": cpu_of(folder / "added", "materialize", ticker),
        "few_status_cpu_s": cpu_of(few, "status"),
        "status_cpu_s": cpu_of(many, "status"),
        "sql_cpu_s": cpu_of(many, "sql", "SELECT 1"),
        "unchanged_cpu_s": cpu_of(many, "materialize", "--all", "--stale"),
    }


def _medians(rounds: list[Figures]) -> Figures:
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def _show(title: str, figures: Figures) -> None:
    table = Table("figure", "median", title=title, box=None)
    for name, value in figures.items():
        table.add_row(name, f"{value:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
