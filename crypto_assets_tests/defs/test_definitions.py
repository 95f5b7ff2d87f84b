"""The graph as Dagster sees it, and how fast it loads."""

from __future__ import annotations

import subprocess
import sys

import dagster as dg

from crypto_assets.definitions import defs
from crypto_assets.defs.launch import contiguous

LAYERS = ["bronze", "silver", "gold", "warehouse"]


def test_loading_definitions_is_quick_and_imports_no_engine_and_no_cloud_client(home):
    code = (
        "import time; started = time.monotonic()\n"
        "import sys, socket\n"
        "socket.socket.connect = None\n"
        "from crypto_assets.definitions import defs\n"
        "dg = defs()\n"
        "dg.resolve_job_def('refresh_currencies')\n"
        "heavy = {'pyspark', 'pysail', 'pandas', 'pyarrow', 'duckdb', 'boto3', 'py4j'}\n"
        "print(time.monotonic() - started, *sorted(heavy & set(sys.modules)))\n"
    )
    # The best of three: a busy machine says nothing about the code.
    seconds = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        taken, *heavy = done.stdout.split()
        assert heavy == []
        seconds.append(float(taken))
    assert min(seconds) < 2


def test_the_layers_follow_each_other_and_are_partitioned_by_ticker(home):
    graph = defs().resolve_asset_graph()
    upstream = {"history_file", "trend_file"}
    for layer in LAYERS:
        node = graph.get(dg.AssetKey(layer))
        assert node.parent_keys == {dg.AssetKey(key) for key in upstream}
        upstream = {layer}
        assert node.partitions_def.name == "ticker"
        assert node.backfill_policy == dg.BackfillPolicy.single_run()
        assert node.code_version
    assert not graph.get(dg.AssetKey("history_file")).is_materializable


def test_scattered_tickers_become_the_fewest_contiguous_stretches():
    ordered = list("ABCDEFG")
    assert list(contiguous(ordered, ["G", "A", "B", "E"])) == [["A", "B"], ["E"], ["G"]]
    assert list(contiguous(ordered, ordered)) == [ordered]
    assert list(contiguous(ordered, ["X"])) == []
