"""The double of EMR Serverless is strict: it refuses what the service refuses."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.emr_double import APPLICATION, ROLE, emr_double

CONF = (
    "--conf spark.driver.cores=2 --conf spark.driver.memory=7168m "
    "--conf spark.driver.memoryOverhead=1024m --conf spark.executor.cores=4 "
    "--conf spark.executor.memory=14336m --conf spark.executor.memoryOverhead=2048m "
    "--conf spark.executor.instances=3"
)


@pytest.fixture
def double(workers, credentials):
    with emr_double(workers, "http://127.0.0.1:9") as (double, url):
        double.url = url
        double.faults += ["at start"] * 50
        yield double


@pytest.fixture
def client(double):
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    return boto3.client("emr-serverless", REGION, endpoint_url=double.url, config=config)


def request(start="one", **changes):
    submit = {"entryPoint": "s3://bucket/main.py", "sparkSubmitParameters": CONF}
    return {
        "applicationId": APPLICATION,
        "clientToken": start,
        "executionRoleArn": ROLE,
        "jobDriver": {"sparkSubmit": {**submit, **changes.pop("submit", {})}},
        **changes,
    }


def code(call, **parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def test_the_same_token_is_the_same_job_and_other_parameters_are_a_conflict(double, client):
    first = client.start_job_run(**request())
    assert client.start_job_run(**request())["jobRunId"] == first["jobRunId"]
    assert code(client.start_job_run, **request(name="other")) == "ConflictException"
    assert client.start_job_run(**request("another"))["jobRunId"] != first["jobRunId"]
    assert len(double.jobs) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"tags": {"ticker": "BTC|ETH"}},
        {"tags": {"ticker": "x" * 257}},
        {"clientToken": "with spaces"},
        {"executionRoleArn": "arn:aws:iam::1:role/short-account"},
        {"name": "x" * 257},
        {"submit": {"entryPoint": " "}},
        {"submit": {"sparkSubmitParameters": CONF.replace("cores=4", "cores=3")}},
        {"submit": {"sparkSubmitParameters": CONF.replace("14336m", "61440m")}},
        {"executionTimeoutMinutes": 1_000_001},
    ],
    ids=str,
)
def test_a_request_that_the_service_refuses_is_refused(double, client, wrong):
    assert code(client.start_job_run, **request(**wrong)) == "ValidationException"
    assert double.jobs == {}


def test_what_is_not_there_is_not_found(client):
    assert code(client.get_application, applicationId="0none") == "ResourceNotFoundException"
    there = {"applicationId": APPLICATION, "jobRunId": "0none"}
    assert code(client.get_job_run, **there) == "ResourceNotFoundException"
    assert code(client.cancel_job_run, **there) == "ResourceNotFoundException"


def test_more_starts_than_the_rate_allows_are_throttled(double, client):
    double.burst, double.rate_per_s = 3, 0
    for number in range(3):
        client.start_job_run(**request(f"token-{number}"))
    assert code(client.start_job_run, **request("token-3")) == "ThrottlingException"
    assert len(double.jobs) == 3


def test_a_job_that_has_ended_stays_as_it_is(double, client):
    job = {"applicationId": APPLICATION, "jobRunId": client.start_job_run(**request())["jobRunId"]}
    double.jobs[job["jobRunId"]].join()
    found = client.get_job_run(**job)["jobRun"]
    assert (found["state"], found["attempt"]) == ("FAILED", 1)
    assert found["createdAt"] <= found["startedAt"] <= found["endedAt"]
    assert code(client.cancel_job_run, **job) == "ValidationException"
    assert client.get_job_run(**job)["jobRun"]["state"] == "FAILED"


def test_all_jobs_are_listed_over_several_pages(client):
    started = {client.start_job_run(**request(f"t{n}"))["jobRunId"] for n in range(3)}
    pages = client.get_paginator("list_job_runs").paginate(applicationId=APPLICATION)
    assert {job["id"] for page in pages for job in page["jobRuns"]} == started
