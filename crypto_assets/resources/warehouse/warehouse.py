"""The warehouse: what SQL asks.

Schema `market_data` has table `prices`, a view per ticker and `currencies` with a row for each;
`accounts` has `customer_accounts`. A batch of tickers is replaced in one transaction: readers see
all old rows or all new ones. The implementations are in `duckdb` and `redshift`; how to add one is
in docs/extending.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Self

from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.spark.tables import Table

NO_VERDICTS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


class Warehouse(ABC):
    """What gold is loaded into and queried from."""

    kind: ClassVar[str]
    """What it is, as the UI shows it."""

    storages: ClassVar[frozenset[str]]
    """Where the lake may be that it loads files from: `folder`, `s3`."""

    loads: ClassVar[Table]
    """The table of the layer `gold` whose files `replace` takes."""

    @classmethod
    @abstractmethod
    def of(cls, settings: Settings) -> Self:
        """The warehouse as the settings say. Raises `UsageError` if one is missing."""

    @classmethod
    def is_there(cls, settings: Settings) -> bool:  # noqa: ARG003 - a file may be gone
        """Whether there is something to query, where that is known without asking a service."""
        return True

    @abstractmethod
    def replace(
        self,
        files: Mapping[str, LoadFile],
        verdicts: Mapping[str, Mapping[str, Any]] = NO_VERDICTS,
    ) -> tuple[dict[str, dict], dict[str, str]]:
        """Replaces the rows of these tickers by those of their files.

        `verdicts` are what `describe` would get of those of them that are loaded, by ticker: both
        become visible at once. Returns the rows, first and last date of each ticker loaded, and the
        reason for each that was not. A batch that fails is taken apart until the tickers at fault
        are alone. Raises `RefusedError` where the warehouse itself takes nothing, whoever's it is;
        what went in before may be loaded again.
        """

    @abstractmethod
    def remove(self, ticker: str) -> None:
        """Takes the ticker's rows and its view out; nothing happens if it has none."""

    @abstractmethod
    def describe(self, currencies: Sequence[Mapping[str, Any]]) -> None:
        """Replaces what `market_data.last_verdicts` says of these currencies; a mapping for each.

        What is not in a mapping becomes null. Raises `BusyError`, and `RefusedError` as `replace`.
        """

    @abstractmethod
    def load_accounts(self, files: Sequence[LoadFile]) -> str | None:
        """Replaces table `accounts.customer_accounts` by these files, one a year.

        Returns why that failed; the table then is as it was. Raises as `replace`.
        """

    @abstractmethod
    def forget_customer(self, customer_id: int) -> int:
        """Takes a customer's rows out of the accounts; how many there were."""

    @abstractmethod
    def query(self, sql: str) -> tuple[list[str], list[tuple]]:
        """The columns and rows that a query gives, which can only read.

        Raises `UsageError` if the query is wrong or there is no warehouse yet.
        """

    def check_load(self, table: Table) -> None:  # noqa: B027 - one without users needs nothing
        """Asked before a job that costs money is started for this table; a run asks once.

        Raises `RefusedError` if a load would be refused until somebody sets something up,
        `BusyError` if that cannot be asked now.
        """

    @abstractmethod
    def check(self) -> str:
        """Says how much the warehouse holds, for the doctor.

        Raises `RefusedError` if it would take no load.
        """

    @abstractmethod
    def fix(self, publishers: Sequence[str], show: Callable[[str], None]) -> None:
        """Makes what loads need, and lets these database users load as well.

        `show` gets each statement of SQL before it is run. Raises `RefusedError` if who asks may
        not, `UsageError` if the warehouse has no users.
        """
