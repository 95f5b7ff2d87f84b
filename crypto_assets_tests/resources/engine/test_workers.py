"""The processes that compute: none takes another's work with it, and none is left behind."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from crypto_assets.resources.engine import local, workers
from crypto_assets.resources.engine.local import SailEngine
from crypto_assets.resources.engine.workers import Workers
from crypto_assets.resources.errors import RefusedError
from crypto_assets.spark import each, worker
from crypto_assets.spark.job_spec import JobSpec, Partition
from crypto_assets_tests.helpers.processes import in_a_child, printed_by
from crypto_assets_tests.helpers.waiting import until


def spec(**partitions):
    """A job of these partitions, each with the facts that say what it does to its process."""
    found = tuple(Partition(name, {}, facts) for name, facts in partitions.items())
    job = "crypto_assets_tests.toy.dying_job"
    return JobSpec(job, "staging", "lake", ("only",), found, each=True)


def computed(job):
    with SailEngine().running() as execute:
        return [verdict for result in execute(job) for verdict in result.verdicts]


def children():
    return {process.pid for process in psutil.Process().children(recursive=True)}


def test_every_partition_is_answered_by_some_process_and_all_have_ended_after_it():
    before = children()
    found = computed(spec(**{f"P{number}": {} for number in range(50)}))
    assert sorted(v.partition for v in found) == sorted(f"P{number}" for number in range(50))
    assert 1 <= len({v.measures["process"] for v in found}) <= (local.os.cpu_count() or 1)
    assert children() == before


def test_a_partition_that_kills_its_process_twice_has_the_verdict_and_no_other(tmp_path):
    others = {f"P{number}": {} for number in range(20)}
    once = {"dies": "once", "mark": str(tmp_path / "mark")}
    found = computed(spec(BAD={"dies": "always"}, ONCE=once, **others, WORSE={"dies": "always"}))
    problems = {v.partition: v.problems for v in found if v.problems}
    assert problems == dict.fromkeys(
        ("BAD", "WORSE"), ("the process that computed it was ended twice (exit code -9)",)
    )
    assert len(found) == 23


def test_the_process_that_publishes_comes_before_those_that_compute():
    (found,) = computed(spec(A={}))
    assert found.measures["niceness"] == min(os.nice(0) + worker.NICENESS, 19)


def test_what_a_job_prints_is_no_answer():
    assert [v.problems for v in computed(spec(LOUD={"prints": '{"verdicts": []}'}))] == [()]


def test_a_full_disk_ends_the_job_and_is_no_verdict():
    with pytest.raises(OSError, match="No space left") as caught:
        computed(spec(**{f"P{number}": {"disk": "full"} for number in range(3)}))
    assert (caught.value.errno, caught.value.filename) == (28, "somewhere")


def test_a_process_that_cannot_start_is_one_line_with_its_command(monkeypatch):
    monkeypatch.setattr(workers, "_COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(RefusedError, match=r"cannot start \(exit code .*says why"):
        computed(spec(A={}))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_is_no_death_of_a_partitions_process(number):
    with Workers(1) as pool:
        answers = pool.answers(each.pieces(spec(A={}, B={}, C={})), lambda _, code: str(code))
        next(answers)
        (process,) = pool._started
        process._process.send_signal(number)
        assert all("verdicts" in answer for answer in answers)
        assert pool._started == [process]


def test_processes_that_wait_for_work_end_with_the_block():
    before = children()
    with Workers(2) as pool:
        pool.start(2)
        assert len(children() - before) == 2
    assert children() == before


def test_a_temporary_file_has_the_content_it_is_for_and_is_gone_with_the_block():
    with Workers(2) as pool:
        with pool.file_of(b"long content") as path, pool.file_of(b"") as other:
            assert (Path(path).read_bytes(), Path(other).read_bytes()) == (b"long content", b"")
        with pool.file_of(b"short") as one, pool.file_of(b"other") as two:
            assert {one, two} == {path, other}
            assert (Path(one).read_bytes(), Path(two).read_bytes()) == (b"short", b"other")
    assert not Path(path).exists()
    assert not Path(other).exists()


def test_processes_end_when_the_one_that_started_them_is_killed():
    code = """
        import os, psutil, signal
        from crypto_assets.resources.engine.local import SailEngine
        from crypto_assets.spark.job_spec import JobSpec, Partition
        waits = {"dies": "never", "waits": True}
        job = JobSpec("crypto_assets_tests.toy.dying_job", "", "", ("only",),
                      (Partition("A", {}, {}), Partition("B", {}, {}), Partition("C", {}, waits)),
                      each=True)
        from crypto_assets.resources.engine import local
        local.AT_A_TIME = 2
        with SailEngine().running() as execute:
            next(execute(job))
            print(*(child.pid for child in psutil.Process().children()), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = in_a_child(code)
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) >= 1, done.stderr
    until("the end of the processes", lambda: not any(map(psutil.pid_exists, pids)))


def test_a_process_imports_neither_dagster_nor_spark_nor_pandas():
    code = """
        import sys
        from crypto_assets.spark import each, worker
        from crypto_assets.spark.arrow import keep_pandas_out
        keep_pandas_out()
        import crypto_assets.spark.market_data.job
        import pyarrow as pa
        pa.array([1, 2])
        print([n for n in ("dagster", "pyspark", "pandas", "boto3", "duckdb") if n in sys.modules])
    """
    assert printed_by(code) == "[]"


def test_processes_that_were_started_early_are_the_first_that_work():
    before = children()
    with SailEngine().prepared(2):
        early = children() - before
        assert {v.measures["process"] for v in computed(spec(A={}))} < early
        assert len(children() - before) == 1  # nothing needed it
    assert children() == before


def test_what_is_computed_for_long_is_reported(monkeypatch):
    def heard(message: str) -> None:
        if message == "still computing SLOW":
            raise InterruptedError(message)

    monkeypatch.setattr(workers, "WAIT_REPORT_SECONDS", 0.01)
    monkeypatch.setattr(workers, "waiting", heard)
    slow = each.pieces(spec(SLOW={"dies": "never", "waits": True}))
    with Workers(1) as pool, pytest.raises(InterruptedError):
        next(pool.answers(slow, lambda _, code: str(code)))
