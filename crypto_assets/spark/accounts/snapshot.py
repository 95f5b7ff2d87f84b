"""A snapshot of customer accounts as its job sees it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from crypto_assets.spark.job_spec import Partition, Upload


@dataclass(frozen=True)
class Snapshot:
    """One snapshot and its two files by kind.

    It came at `arrived_at` (ISO time, UTC). Rows of the customers `forgotten` (ids) are left out.
    `stored` names the partition with what the store holds, if it holds anything.
    """

    name: str
    arrived_at: str
    files: dict[str, Upload]
    forgotten: tuple[int, ...] = ()
    stored: str | None = None

    def partition(self) -> Partition:
        """The snapshot's part of a job spec."""
        facts = {k: value for k, value in asdict(self).items() if k not in ("name", "files")}
        return Partition(self.name, self.files, facts)

    @classmethod
    def of(cls, partition: Partition) -> Snapshot:
        """The snapshot in a job spec."""
        facts = {**partition.facts, "forgotten": tuple(partition.facts["forgotten"])}
        return cls(name=partition.name, files=partition.files, **facts)
