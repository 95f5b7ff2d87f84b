"""What a job on EMR Serverless asks for: workers, time and where its logs go.

What a worker may have is «Worker configurations» in the user guide of EMR Serverless.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from crypto_assets.resources.costs import Workers
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.settings import AwsSettings, variable

_OVERHEAD = 0.3  # of a worker's memory: where the Python that reads the uploads lives
_CURRENCIES = 300  # an executor more for so many
_MOST = 3  # executors of a job unless a setting says more: with the driver within 16 vCPUs
_MEMORY_GB: Mapping[int, range] = {  # by vCPUs
    1: range(2, 9),
    2: range(4, 17),
    4: range(8, 31),
    8: range(16, 61, 4),
    16: range(32, 121, 8),
}


@dataclass(frozen=True, kw_only=True)
class JobSize:
    """The workers of a job. `executors` is their number; None: by what the job has to compute."""

    driver_cores: int
    driver_memory_gb: int
    executor_cores: int
    executor_memory_gb: int
    executors: int | None
    time_limit_min: int
    log_uri: str
    python: str

    @classmethod
    def of(cls, settings: AwsSettings) -> Self:
        """As the settings `emr_…` say. Raises `UsageError` if EMR Serverless has no such worker."""
        size = cls(**{each.name: getattr(settings, f"emr_{each.name}") for each in fields(cls)})
        _check("driver", size.driver_cores, size.driver_memory_gb)
        _check("executor", size.executor_cores, size.executor_memory_gb)
        return size

    @property
    def most_executors(self) -> int:
        return self.executors or _MOST

    def executors_for(self, currencies: int | None) -> int:
        """Executors for so many currencies; None: for one large table."""
        if self.executors or currencies is None:
            return self.most_executors
        return min(_MOST, -(-currencies // _CURRENCIES))

    def workers(self, executors: int) -> Workers:
        """The driver and so many executors together."""
        computing = executors * self.executor_cores
        memory_gb = self.driver_memory_gb + executors * self.executor_memory_gb
        return Workers(self.driver_cores + computing, memory_gb, computing)

    def workers_for(self, currencies: int) -> Workers:
        """The workers of a job of so many currencies."""
        return self.workers(self.executors_for(currencies))

    def spark_conf(self, executors: int) -> dict[str, str]:
        """The Spark configuration of these workers and of their Python."""
        return {
            **_worker("driver", self.driver_cores, self.driver_memory_gb),
            **_worker("executor", self.executor_cores, self.executor_memory_gb),
            "spark.executor.instances": str(executors),
            "spark.dynamicAllocation.enabled": "false",
            "spark.emr-serverless.driverEnv.PYSPARK_PYTHON": self.python,
            "spark.executorEnv.PYSPARK_PYTHON": self.python,
            "spark.sql.shuffle.partitions": str(2 * executors * self.executor_cores),
        }

    def overrides(self) -> dict[str, Any]:
        """The part of `StartJobRun` that says where logs go; nothing if EMR keeps them."""
        if not self.log_uri:
            return {}
        logs = {"s3MonitoringConfiguration": {"logUri": self.log_uri}}
        return {"configurationOverrides": {"monitoringConfiguration": logs}}


def _check(worker: str, cores: int, memory_gb: int) -> None:
    if memory_gb not in (fitting := _MEMORY_GB.get(cores, range(0))):
        names = (variable("aws", f"emr_{worker}_{part}") for part in ("cores", "memory_gb"))
        fit = f"{fitting[0]} to {fitting[-1]} GB" if fitting else "1, 2, 4, 8 or 16 vCPUs"
        raise UsageError(
            f"EMR Serverless has no worker of {cores} vCPUs and {memory_gb} GB, but {fit}: "
            f"correct {' or '.join(names)}"
        )


def _worker(worker: str, cores: int, memory_gb: int) -> dict[str, str]:
    """Cores and memory of a worker; heap and overhead together are what it is billed for."""
    overhead = int(memory_gb * 1024 * _OVERHEAD)
    return {
        f"spark.{worker}.cores": str(cores),
        f"spark.{worker}.memory": f"{memory_gb * 1024 - overhead}m",
        f"spark.{worker}.memoryOverhead": f"{overhead}m",
    }
