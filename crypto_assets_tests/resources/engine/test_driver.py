"""Apache Spark here: what is started for a run, when, and that nothing of it stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crypto_assets_tests.helpers.processes import printed_by

pytestmark = pytest.mark.usefixtures("java")
JOB = """
    import json
    from dataclasses import replace
    from crypto_assets.resources.engine import driver
    from crypto_assets.resources.engine.spark import SparkEngine
    from crypto_assets.spark.job_spec import JobSpec, Partition

    def spec(count):
        partitions = tuple(Partition(f"P{number}", {}, {}) for number in range(count))
        job = "crypto_assets_tests.toy.dying_job"
        return JobSpec(job, "", "", ("only",), partitions, readers=2, each=True)
"""


def output_of(code: str) -> Any:
    """The JSON that the code prints, which may use what `JOB` defines."""
    return json.loads(printed_by(JOB + code))


def test_what_a_part_made_comes_while_the_next_ones_compute_each_partition_once():
    found = output_of("""
    with SparkEngine().running() as execute:
        results = [[v.partition for v in each.verdicts] for each in execute(spec(250))]
    once = sorted(sum(results, [])) == sorted(f"P{number}" for number in range(250))
    print(json.dumps({"sizes": [len(each) for each in results], "once": once}))
    """)
    assert found == {"sizes": [100, 100, 50], "once": True}


def test_a_partition_that_kills_its_process_has_the_verdict_and_no_other():
    found = output_of("""
    facts = {"BAD": {"dies": "always"}, "A": {}, "B": {}, "WORSE": {"dies": "always"}, "C": {}}
    partitions = tuple(Partition(name, {}, facts) for name, facts in facts.items())
    with SparkEngine().running() as execute:
        (result,) = execute(replace(spec(0), partitions=partitions))
        (alone,) = execute(replace(spec(0), partitions=partitions[:1]))
    verdicts = (*result.verdicts, *alone.verdicts)
    print(json.dumps([(v.partition, list(v.problems)) for v in verdicts]))
    """)
    dead = ["the process that computed it was ended twice"]
    assert found == [["BAD", dead], ["A", []], ["B", []], ["WORSE", dead], ["C", []], ["BAD", dead]]


def test_a_job_of_single_partitions_needs_no_sql_and_another_one_gets_a_session():
    found = output_of("""
    from pyspark.sql import SparkSession
    with SparkEngine().running() as execute:
        list(execute(spec(3)))
        before = SparkSession.getActiveSession() is None
        rows = driver.sql_session(execute.args[1]).range(7).count()
        list(execute(spec(3)))
    with SparkEngine().running() as execute:
        again = sum(len(each.verdicts) for each in execute(spec(3)))
    print(json.dumps({"before": before, "rows": rows, "again": again}))
    """)
    assert found == {"before": True, "rows": 7, "again": 3}


def test_a_driver_is_started_early_once_and_one_that_nobody_wanted_ends():
    found = output_of("""
    started, start = [], driver.start_driver
    from crypto_assets.resources.engine import spark
    spark.start_driver = lambda config: started.append(1) or start(config)
    engine = SparkEngine()
    with engine.prepared(3):
        with engine.running() as execute:
            verdicts = sum(len(each.verdicts) for each in execute(spec(3)))
    used = len(started)
    with engine.prepared(3):
        pass
    with engine.prepared(0):
        pass
    unwanted = driver._ENDING[-1]
    with engine.running() as execute:
        ended = unwanted.done()
        verdicts += sum(len(each.verdicts) for each in execute(spec(3)))
    counts = {"used": used, "all": len(started), "verdicts": verdicts, "ended": ended}
    print(json.dumps(counts))
    """)
    assert found == {"used": 1, "all": 3, "verdicts": 6, "ended": True}


def test_an_interrupt_while_the_driver_starts_waits_for_nothing():
    found = output_of("""
    import threading
    engine = SparkEngine()
    SparkEngine._start = lambda self: threading.Event().wait()
    try:
        with engine.prepared(3):
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        print(json.dumps({"waits": not driver._ENDING[-1].done()}))
    """)
    assert found == {"waits": True}


def test_processes_that_compute_use_one_core_each_and_import_what_is_installed():
    found = output_of("""
    def facts(_):
        import pyarrow, pyspark
        return pyspark.__file__.endswith(".zip/pyspark/__init__.py"), pyarrow.cpu_count()

    import pyarrow
    cores = pyarrow.cpu_count()
    with SparkEngine().running() as execute:
        list(execute(spec(100)))
        tasks = execute.args[0].parallelize(range(2), 2)
        print(json.dumps([tasks.map(facts).distinct().collect(), cores, pyarrow.cpu_count()]))
    """)
    of_children, before, after = found
    assert of_children == [[False, 1]]
    assert before == after >= 1
