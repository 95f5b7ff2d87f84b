"""The engine on EMR Serverless: one job a batch, whatever happens to it on the way."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace

import dagster as dg
import pytest

from crypto_assets.resources.engine.emr import tag_text
from crypto_assets.resources.engine.emr_size import JobSize
from crypto_assets.resources.engine.emr_watch import CALLS_PER_HOUR, COST_CALLS, asks
from crypto_assets.resources.engine.local import SailEngine
from crypto_assets.resources.errors import BusyError, RefusedError
from crypto_assets.resources.settings import AwsSettings
from crypto_assets.spark.job_spec import result_from_json, to_json
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.emr_double import APPLICATION, emr_double
from crypto_assets_tests.doubles.router import routing
from crypto_assets_tests.helpers.emr_scene import Scene, computed, hurry, in_a_run
from crypto_assets_tests.helpers.exports_text import history_csv
from crypto_assets_tests.helpers.waiting import until

START = {"method": "POST", "path": ".*/jobruns"}
LOOK = {"method": "GET", "path": ".*/jobruns/.*"}


@pytest.fixture
def scene(ministack, gateway, credentials, shared_bucket, workers, tmp_path_factory):
    with (
        emr_double(workers, gateway) as (double, url),
        routing(ministack, {"emr-serverless": url}) as router,
    ):
        cache = tmp_path_factory.getbasetemp() / "artifacts"
        scene = Scene(router, double, shared_bucket, cache)
        yield scene
        scene.engine().abandon(running=())
        assert scene.keys("_jobs/") == []


@pytest.fixture
def hurried(monkeypatch):
    hurry(monkeypatch)


def states(scene):
    return [job.state for job in scene.double.jobs.values()]


def emr_of(result):
    return result.verdicts[0].measures["emr"]


def test_a_batch_gives_the_verdicts_and_the_gold_of_sail_in_this_process(scene, monkeypatch):
    currencies = [
        scene.currency("BTC"),
        scene.currency("BAD", history_csv(cells={9: "n.a. see mail"})),
    ]
    remote, here = scene.batch("one", *currencies), scene.batch("two", *currencies)
    results = computed(scene.engine(), remote)
    (job,) = scene.double.jobs.values()
    assert job.state == "SUCCESS", job.output
    monkeypatch.setenv("AWS_ENDPOINT_URL", scene.router.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", REGION)
    with SailEngine().running() as run:
        expected = [result_from_json(to_json(result)) for result in run(here)]

    def plain(result):
        verdicts = [
            replace(v, seconds=0, measures={k: m for k, m in v.measures.items() if k != "emr"})
            for v in result.verdicts
        ]
        return replace(result, verdicts=tuple(verdicts), seconds=0, staging="")

    assert [result.passed for result in results] == [("BTC",)] * 3
    assert list(map(plain, results)) == list(map(plain, expected))
    assert {result.staging for result in results} == {remote.staging}
    assert scene.gold(remote.staging, "BTC").equals(scene.gold(here.staging, "BTC"))

    assert scene.router.count("emr-serverless", "POST") == 1
    assert scene.keys("_jobs/") == []
    cost = emr_of(results[-1])
    assert (cost["job_run_id"], cost["attempt"]) == (job.id, 1)
    hours = max(job.ended - job.started, 60) / 3600
    assert cost["vcpu_hours"] == pytest.approx(6 * hours, abs=0.001)
    assert cost["run_usd_estimated"] == pytest.approx(
        0.052624 * cost["vcpu_hours"] + 0.0057785 * cost["gb_hours"], abs=1e-6
    )
    assert cost["usd_estimated"] == pytest.approx(cost["run_usd_estimated"] / 2, abs=1e-6)
    assert cost["run_seconds"] >= 1
    assert cost["queue_seconds"] > 0

    code, packages, path = re.findall("^(?:code|packages|path): (.*)$", job.output, re.MULTILINE)
    assert all("/environment/" in found for found in (code, *packages.split()))
    assert "site-packages" not in path
    assert str(scene.double.workers.folder) in path


def test_the_job_of_a_killed_process_is_adopted_and_not_started_again(scene):
    currency = scene.currency("KILLED")
    before, after = scene.batch("killed", currency), scene.batch("after", currency)
    looked = scene.router.hold("emr-serverless", **LOOK)
    with subprocess.Popen(scene.command(before)) as process:
        until("a job that is recorded", lambda: looked.times == 0, by=process)
        process.kill()
    looked.release.set()
    results = computed(scene.engine(), after)
    assert states(scene) == ["SUCCESS"]
    assert [result.layer for result in results] == ["bronze", "silver", "gold"]
    assert {result.staging for result in results} == {before.staging}
    assert scene.gold(before.staging, "KILLED").num_rows == 41
    assert scene.router.count("emr-serverless", "POST") == 1


def records(scene):
    for key in scene.keys("_jobs/"):
        if "/" not in key:
            yield scene.s3.get_object(Bucket=scene.bucket, Key=f"the/lake/_jobs/{key}")[
                "Body"
            ].read()


def test_a_lost_answer_and_throttling_give_one_job_whose_results_stay_until_used_or_gone(
    scene, hurried
):
    batch = scene.batch("lost", scene.currency("LOST"), layers=("bronze",))
    scene.router.fail("emr-serverless", drop="after", **START)
    scene.router.fail("emr-serverless", 2, status=429, code="ThrottlingException", **START)

    def first(engine):
        with engine.running() as run:
            return next(run(batch))

    result = in_a_run(scene.engine(), first)
    assert scene.router.count("emr-serverless", "POST") == 4
    assert in_a_run(scene.engine(), first) == result
    assert states(scene) == ["SUCCESS"]

    for key in scene.keys("_staging/lost/"):
        scene.s3.delete_object(Bucket=scene.bucket, Key=f"the/lake/_staging/lost/{key}")
    scene.double.faults.append("at start")
    with pytest.raises(BusyError, match="ended FAILED"):
        computed(scene.engine(), batch)
    assert states(scene) == ["SUCCESS", "FAILED"]
    (record,) = records(scene)
    assert b'"attempt": 2' in record


def test_a_job_that_fails_is_reported_and_the_next_attempt_is_another_job(scene, hurried):
    batch = scene.batch("fails", scene.currency("FAILS"))
    scene.double.faults += ["at start", "at start"]
    scene.router.fail("emr-serverless", 20, status=429, code="ThrottlingException", **START)
    for _ in range(2):
        with pytest.raises(BusyError, match="ended FAILED: Job failed, please check"):
            computed(scene.engine(), batch)
    one, two = scene.double.jobs.values()
    assert one.request["clientToken"] != two.request["clientToken"]
    assert one.request["tags"] == two.request["tags"]


def test_the_role_of_a_job_writes_its_log_to_the_bucket_that_is_set(scene):
    logs = f"s3://{scene.bucket}/job-logs"
    scene.double.faults.append("at start")
    with pytest.raises(BusyError, match="ended FAILED"):
        computed(
            scene.engine(size=JobSize.of(AwsSettings(emr_log_uri=logs))),
            scene.batch("logged", scene.currency("LOGGED")),
        )
    (job,) = scene.double.jobs.values()
    found = scene.s3.list_objects_v2(Bucket=scene.bucket, Prefix="job-logs/")["Contents"]
    log = f"job-logs/applications/{APPLICATION}/jobs/{job.id}/SPARK_DRIVER/stdout.gz"
    assert [each["Key"] for each in found] == [log]


def test_what_a_job_reported_before_it_broke_off_counts(scene):
    batch = scene.batch("half", scene.currency("HALF"))
    scene.double.faults.append("half-way")
    reported = []
    with pytest.raises(BusyError, match="ended FAILED: Job failed: ExitCode: -9"):
        computed(scene.engine(), batch, reported)
    (bronze,) = reported
    assert bronze.layer == "bronze"
    assert bronze.passed == ("HALF",)


def test_a_run_that_is_terminated_cancels_its_job(scene):
    scene.double.faults.append("hang")

    def terminate():
        until("a job", lambda: "RUNNING" in states(scene))
        os.kill(os.getpid(), signal.SIGINT)

    terminating = threading.Thread(target=terminate)
    terminating.start()
    with pytest.raises(dg.DagsterExecutionInterruptedError):
        computed(scene.engine(), scene.batch("ended", scene.currency("ENDED")))
    terminating.join()
    until("its end", lambda: states(scene) == ["CANCELLED"])


def test_whoever_stops_taking_results_cancels_the_job(scene):
    scene.double.faults.append("half-way")
    batch = scene.batch("closed", scene.currency("CLOSED"))

    def first(engine):
        with engine.running() as run:
            results = run(batch)
            next(results)
            results.close()

    in_a_run(scene.engine(), first)
    assert scene.router.count("emr-serverless", "DELETE") == 1


def test_a_job_whose_start_is_never_answered_is_found_and_cancelled(scene, hurried):
    scene.double.faults.append("hang")
    scene.router.fail("emr-serverless", 8, drop="after", **START)
    batch = scene.batch("unanswered", scene.currency("SILENT"))
    with pytest.raises(BusyError, match="cannot be reached"):
        computed(scene.engine(), batch)
    until("its end", lambda: states(scene) == ["CANCELLED"])
    scene.double.faults.append("at start")
    with pytest.raises(BusyError, match="ended FAILED"):
        computed(scene.engine(), batch)
    assert states(scene) == ["CANCELLED", "FAILED"]


def test_a_job_that_gets_no_workers_is_cancelled_in_the_end(scene):
    scene.double.quota_vcpus = 4
    batch = scene.batch("waits", scene.currency("WAITS"))
    looked = scene.router.hold("emr-serverless", **LOOK)

    def let_look():
        until("a job that waits", lambda: states(scene) == ["PENDING"])
        looked.release.set()

    looking = threading.Thread(target=let_look)
    looking.start()
    with pytest.raises(RefusedError, match="for workers and is PENDING: raise the application"):
        computed(scene.engine(queue_limit_min=0.02), batch)
    looking.join()
    until("its end", lambda: states(scene) == ["CANCELLED"])


def test_a_job_over_its_time_limit_is_not_tried_again(scene):
    scene.double.minute_s = 0.2
    scene.double.faults.append("hang")
    batch = scene.batch("long", scene.currency("LONG"))
    with pytest.raises(RefusedError, match="ended CANCELLED: it ran longer than its time limit"):
        computed(scene.engine(size=JobSize.of(AwsSettings(emr_time_limit_min=5))), batch)


def test_expired_credentials_start_no_job_and_the_cure_is_reported(scene):
    scene.router.fail("s3", 20, status=400, code="ExpiredToken", method="GET")
    with pytest.raises(RefusedError, match=r"ExpiredToken at ListObjectsV2.*aws sso login"):
        computed(scene.engine(), scene.batch("expired", scene.currency("EXPIRED")))
    assert scene.double.jobs == {}
    scene.router.forget()


@contextmanager
def at_once(scene, *batches):
    """Runs of these batches, each in a thread of its own; they must end with the block."""

    def run(batch):
        with suppress(RefusedError):
            computed(scene.engine(), batch)

    threads = [threading.Thread(target=run, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def test_jobs_of_runs_that_are_no_more_are_cancelled_and_forgotten(scene):
    scene.double.faults += ["hang", "hang"]
    scene.double.quota_vcpus = 100
    batches = [scene.batch(run_id, scene.currency(run_id)) for run_id in ("ALIVE", "DEAD")]
    with at_once(scene, *batches):
        until("both jobs", lambda: states(scene) == ["RUNNING", "RUNNING"])
        scene.engine().abandon(running={"ALIVE"})
        until("the end of one", lambda: sorted(states(scene)) == ["CANCELLED", "RUNNING"])
        (left,) = records(scene)
        assert b"_staging/ALIVE" in left
        scene.engine().abandon(running=())


def test_two_runs_with_one_job_spec_at_once_start_one_job(scene):
    scene.double.faults += ["hang", "hang"]
    currency = scene.currency("TWICE")
    with at_once(scene, scene.batch("first", currency), scene.batch("second", currency)):
        until("looks of both", lambda: scene.router.count("emr-serverless", "GET") >= 4)
        until("a job", lambda: "RUNNING" in states(scene))
        assert states(scene) == ["RUNNING"]
        scene.engine().abandon(running=())


def test_the_state_of_a_job_is_asked_for_at_most_sixty_times_in_any_hour():
    for poll_seconds in (0.5, 1, 2, 5, 10, 30, 60, 120):
        for reported_end in range(0, 3600, 7):
            waits, now, reported, calls = asks(poll_seconds), 0.0, False, 1 + COST_CALLS
            while now < 3600:
                now += next(waits)
                if now > reported_end and not reported:
                    waits, now, reported = asks(poll_seconds), reported_end, True
                calls += 1
            assert calls <= CALLS_PER_HOUR, (poll_seconds, reported_end, calls)


def test_the_check_starts_nothing_and_says_what_is_there_or_missing(scene):
    engine = scene.engine()
    assert engine.check() == f"application {APPLICATION}: emr-spark-8.1.0, CREATED"
    with pytest.raises(RefusedError, match="GetApplication: ResourceNotFoundException"):
        scene.engine(application_id="0none").check()
    scene.double.state = "TERMINATED"
    with pytest.raises(RefusedError, match="a Spark application is wanted"):
        engine.check()
    assert scene.double.jobs == {}


def test_a_tag_has_only_characters_that_aws_takes():
    assert tag_text("crypto assets/Ü|{x}*") == "crypto assets/___x__"
    assert len(tag_text("a" * 300)) == 256
