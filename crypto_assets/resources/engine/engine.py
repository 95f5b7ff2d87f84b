"""The engine: what runs a job spec.

The implementations are in `local` (Sail), `spark` (Apache Spark here or elsewhere) and `emr` (EMR
Serverless). What a job spec computes is `spark/`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from crypto_assets.resources.settings import Settings

if TYPE_CHECKING:
    from crypto_assets.spark.job_spec import JobSpec, LayerResult

Execute = Callable[["JobSpec"], "Iterator[LayerResult]"]


@dataclass(frozen=True, kw_only=True)
class Engine(ABC):
    """Runs job specs."""

    storages: ClassVar[frozenset[str]] = frozenset({"folder", "s3"})
    """Where the inbox and the lake may be, whatever else is set."""

    batch_size: int = 1000  # partitions computed at a time: bounds memory, not the result
    readers: int = 1  # uploads read at a time

    @classmethod
    def of(cls, settings: Settings) -> Self:  # noqa: ARG003 - an engine may ask
        """The engine as the settings say."""
        return cls()

    @classmethod
    def storages_of(cls, settings: Settings) -> frozenset[str]:  # noqa: ARG003 - an engine may ask
        """Where the inbox and the lake may be with these settings."""
        return cls.storages

    def prepared(self, partitions: int) -> AbstractContextManager[None]:  # noqa: ARG002 - an engine may
        """Begins to start what so many partitions will need, while the run is still planned."""
        return nullcontext()

    @abstractmethod
    def running(self) -> AbstractContextManager[Execute]:
        """Starts the engine; what it gives runs a job spec and yields each layer's verdicts.

        Raises `RefusedError` if the engine cannot start.
        """

    @abstractmethod
    def abandon(self, running: Collection[str]) -> None:
        """Gives up what runs left with the engine that are not among the `running` ones."""

    @abstractmethod
    def check(self) -> str:
        """Starts the engine, runs one query and says which version answered."""
