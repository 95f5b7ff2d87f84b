"""What a job on EMR Serverless asks for: by its currencies, or as the settings say."""

from __future__ import annotations

import pytest

from crypto_assets.resources.engine.emr_size import JobSize
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.settings import AwsSettings


def size(**chosen):
    return JobSize.of(AwsSettings(**chosen))


@pytest.mark.parametrize(
    ("currencies", "executors"), [(1, 1), (300, 1), (301, 2), (1_000, 3), (10_000, 3), (None, 3)]
)
def test_a_job_has_an_executor_for_each_300_currencies_and_at_most_3(home, currencies, executors):
    assert size().executors_for(currencies) == executors
    assert size(emr_executors=5).executors_for(currencies) == 5


def test_the_settings_are_what_a_job_asks_for(home):
    chosen = size(
        emr_executor_cores=8,
        emr_executor_memory_gb=20,
        emr_python="/opt/python",
        emr_log_uri="s3://logs/jobs",
        emr_time_limit_min=30,
    )
    conf = chosen.spark_conf(2)
    assert (conf["spark.executor.cores"], conf["spark.executor.memory"]) == ("8", "14336m")
    assert conf["spark.executor.memoryOverhead"] == "6144m"
    assert conf["spark.executor.instances"] == "2"
    assert conf["spark.executorEnv.PYSPARK_PYTHON"] == "/opt/python"
    assert conf["spark.emr-serverless.driverEnv.PYSPARK_PYTHON"] == "/opt/python"
    assert chosen.time_limit_min == 30
    logs = {"s3MonitoringConfiguration": {"logUri": "s3://logs/jobs"}}
    assert chosen.overrides() == {"configurationOverrides": {"monitoringConfiguration": logs}}
    assert size().overrides() == {}


@pytest.mark.parametrize(
    ("chosen", "fit"),
    [
        ({"emr_executor_cores": 3}, "3 vCPUs and 16 GB, but 1, 2, 4, 8 or 16 vCPUs"),
        ({"emr_executor_memory_gb": 64}, "4 vCPUs and 64 GB, but 8 to 30 GB"),
        ({"emr_driver_cores": 8, "emr_driver_memory_gb": 18}, "8 vCPUs and 18 GB, but 16 to 60"),
    ],
)
def test_a_worker_that_emr_serverless_does_not_have_is_refused(home, chosen, fit):
    with pytest.raises(UsageError, match=fit):
        size(**chosen)
