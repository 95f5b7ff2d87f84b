"""The same inputs give the same tables on Sail and on Apache Spark."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from crypto_assets_tests.helpers.waiting import HANG_S

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "sample_data"
PAIRS = {
    "DOGE": ("doge/Dogecoin Historical Data.csv", "doge/multiTimeline.csv"),
    "ETH": ("eth/ETH-USD.csv", "eth/multiTimeline (1).csv"),
    "SHIB": ("shib/shib-usd-max.csv", "shib/multiTimeline.csv"),
    "XMR": ("xmr/XMR_EUR Kraken Historical Data.csv", "xmr/interesse monero.csv"),
}
TABLES = {
    "bronze": "ticker, kind, line",
    "silver/history": "ticker, date",
    "silver/trend": "ticker, date",
    "gold": "ticker, date",
}
# A job on customer accounts takes Apache Spark ten seconds: the one in `test_job` is enough there.
SAIL_ONLY = {HERE / "spark" / "accounts" / "test_job_cases.py"}

pytestmark = pytest.mark.usefixtures("java")


def clean_environment():
    """Ours without what a Spark Connect session of this process left in it.

    Optimising code and collecting garbage for long runs cost such short ones more than they give.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    return {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC", **kept}


# Compiling code for each query takes a third of the time on such small tables. The test of the
# whole product is run with it, as EMR does.
INTERPRETED = (
    "--conf spark.sql.codegen.wholeStage=false --conf spark.sql.codegen.factoryMode=NO_CODEGEN "
    "pyspark-shell"
)


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
        timeout=HANG_S,
        check=False,
    )


def test_sail_and_apache_spark_give_equal_tables_and_the_same_verdicts(tmp_path, home, add, run):
    add("BTC", cells={5: "-1", 6: "", 20: "-"})
    add("007", level=0.01)
    add("ALL", "--missing", "drop", level=54_321.0, cells={9: "-1"})
    add("BAD", cells={7: "n.a. see mail"})
    for ticker, (history, trend) in PAIRS.items():  # five years each, in the shapes people have
        run("add", ticker, "--history", SAMPLES / history, "--trend", SAMPLES / trend)
    verdicts = {}
    for engine in ("sail", "spark"):
        shutil.copytree(home, tmp_path / engine)
        done = command(tmp_path / engine, engine, "materialize", "--all")
        assert done.returncode == 1, done.stderr
        verdicts[engine] = done.stdout
    assert verdicts["sail"] == verdicts["spark"]
    assert verdicts["sail"].count(" ok ") == 6
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


def test_the_transformations_own_tests_pass_on_apache_spark():
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "pytest", "--engine", "spark", "-p", "no:cacheprovider"),
            *sorted((HERE / "spark").glob("test_*.py")),
            *sorted((HERE / "spark" / "market_data").glob("test_*.py")),
            *sorted(set((HERE / "spark" / "accounts").glob("test_*.py")) - SAIL_ONLY),
        ],
        capture_output=True,
        text=True,
        timeout=2 * HANG_S,
        check=False,
        env={**clean_environment(), "PYSPARK_SUBMIT_ARGS": INTERPRETED},
        cwd=HERE.parent,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped" not in done.stdout
