"""The same inputs give the same tables on Sail and on Apache Spark."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

needs_java = pytest.mark.skipif(
    not (shutil.which("java") or os.environ.get("JAVA_HOME")),
    reason="Apache Spark needs Java and there is none here; engine `sail` is tested without it",
)
TABLES = {
    "bronze": "ticker, kind, line",
    "silver/history": "ticker, date",
    "silver/trend": "ticker, date",
    "gold": "ticker, date",
}


def clean_environment():
    """Ours without what a Spark Connect session of this process left in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}


def command(home, engine, *words):
    environment = {
        **clean_environment(),
        "CRYPTO_ASSETS_HOME": str(home),
        "CRYPTO_ASSETS_ENGINE": engine,
    }
    return subprocess.run(
        [sys.executable, "-m", "crypto_assets.cli", *map(str, words)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@needs_java
def test_sail_and_apache_spark_give_equal_tables_and_the_same_verdicts(tmp_path, pair):
    verdicts = {}
    pairs = {
        "BTC": pair("BTC", cells={5: "-1", 6: "", 20: "-"}),
        "007": pair("007", level=0.01),
        "ALL": pair("ALL", level=54_321.0, days=3),
        "BAD": pair("BAD", cells={7: "n.a. see mail"}),
    }
    for engine in ("sail", "spark"):
        for ticker, (history, trend) in pairs.items():
            done = command(
                tmp_path / engine, engine, "add", ticker, "--history", history, "--trend", trend
            )
            assert done.returncode == 0, done.stderr
        done = command(tmp_path / engine, engine, "materialize", "--all")
        assert done.returncode == 1, done.stderr
        verdicts[engine] = done.stdout
    assert verdicts["sail"] == verdicts["spark"]
    assert verdicts["sail"].count(" ok ") == 3
    for table, order in TABLES.items():
        sail, spark = (
            duckdb.sql(
                f"SELECT * FROM read_parquet('{tmp_path}/{engine}/lake/{table}/**/*.parquet', "
                f"hive_partitioning = true, hive_types_autocast = false) ORDER BY {order}"
            )
            for engine in ("sail", "spark")
        )
        assert (sail.columns, sail.types) == (spark.columns, spark.types)
        rows = sail.fetchall()
        assert rows
        assert rows == spark.fetchall()
    for engine in ("sail", "spark"):
        lines = duckdb.sql(
            f"SELECT line FROM '{tmp_path}/{engine}/lake/bronze/kind=history/ticker=BTC/*.parquet'"
        ).fetchall()
        assert [line for (line,) in lines] == list(range(1, 42))


@needs_java
def test_the_transformations_own_tests_pass_on_apache_spark():
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "pytest", "--engine", "spark", "-p", "no:cacheprovider"),
            "crypto_assets_tests/spark/test_gold.py",
            "crypto_assets_tests/spark/test_silver.py",
            "crypto_assets_tests/spark/test_job.py",
        ],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=clean_environment(),
        cwd=Path(__file__).parent.parent,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped" not in done.stdout
