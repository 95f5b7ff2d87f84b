"""The orders a job receives and the verdicts it gives back.

One kind of order for each data set. Plain dataclasses that survive JSON, so that the same order
reaches a session in this process or a job on another machine. Nothing here knows Spark, Dagster or
where files live.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, Literal

Layer = Literal[
    "bronze",
    "silver",
    "gold",
    "warehouse",
    "accounts_bronze",
    "accounts_silver",
    "customer_accounts",
    "customer_account_store",
]
LAYERS: tuple[Layer, ...] = ("bronze", "silver", "gold", "warehouse")
ACCOUNT_LAYERS: tuple[Layer, ...] = (
    "accounts_bronze",
    "accounts_silver",
    "customer_accounts",
    "customer_account_store",
)

Kind = Literal["history", "trend"]
KINDS: tuple[Kind, ...] = ("history", "trend")

AccountKind = Literal["customers", "accounts"]
ACCOUNT_KINDS: tuple[AccountKind, ...] = ("customers", "accounts")

Missing = Literal["fill", "drop"]


@dataclass(frozen=True)
class Upload:
    """One uploaded file, pinned at the content it had when the order was written.

    `etag` is the SHA-256 of the content in hexadecimal, `name` the name its owner gave the file.
    """

    uri: str
    name: str
    etag: str


@dataclass(frozen=True)
class Currency:
    """One line of the order: a ticker, its two files and the settings its owner chose.

    `max_shrink` is the share of rows (0 to 1) a table may lose against its published version, which
    has `published_rows[table]` rows (no entry: nothing published yet).
    """

    ticker: str
    history: Upload
    trend: Upload
    missing: Missing = "fill"
    dates: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: Literal["dot", "comma"] | None = None
    accept_outliers: bool = False
    terms: tuple[str, ...] = ()
    max_shrink: float = 0.2
    published_rows: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """All that one job computes: these layers, in order.

    A layer computed here is written below `staging`; an input that is not is read from `lake`.
    """

    staging: str
    lake: str
    layers: tuple[Layer, ...]

    @property
    def partitions(self) -> tuple[str, ...]:
        """What there will be verdicts on."""
        raise NotImplementedError


@dataclass(frozen=True)
class Batch(Order):
    """The order for these currencies; `readers` uploads are read at a time."""

    currencies: tuple[Currency, ...]
    readers: int = 1

    @property
    def partitions(self) -> tuple[str, ...]:
        return tuple(currency.ticker for currency in self.currencies)


@dataclass(frozen=True)
class Snapshot(Order):
    """The order for the customer accounts of one snapshot, which `name` names.

    It came at `arrived_at` (ISO time, UTC). Rows of the customers `forgotten` (ids) are left out.
    `stored` names the snapshot whose changes were the last to go to the store, if any did.
    """

    name: str
    arrived_at: str
    customers: Upload
    accounts: Upload
    forgotten: tuple[int, ...] = ()
    stored: str | None = None

    @property
    def partitions(self) -> tuple[str, ...]:
        return (self.name,)


@dataclass(frozen=True)
class Verdict:
    """Whether one layer of one partition passed its audit, what was measured, and what is wrong.

    A partition is a currency, named by its ticker, or a snapshot. `version` names what the layer
    was made from; whoever sent the order adds it.
    """

    partition: str
    layer: Layer
    problems: tuple[str, ...] = ()
    measures: dict[str, Any] = field(default_factory=dict)
    version: str = ""

    @property
    def passed(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class LayerResult:
    """The verdicts of one layer, one for each partition that reached it, and the seconds it took.

    `staging` is below which its files stand.
    """

    layer: Layer
    seconds: float
    verdicts: tuple[Verdict, ...]
    staging: str = ""

    @property
    def passed(self) -> tuple[str, ...]:
        return tuple(v.partition for v in self.verdicts if v.passed)


def to_json(part: Order | LayerResult) -> str:
    """An order or a result as JSON; dates among the measures become ISO text."""
    return json.dumps(dataclasses.asdict(part), default=str)


def order_from_json(text: str) -> Order:
    """The order that `to_json` wrote."""
    order = json.loads(text)
    order["layers"] = tuple(order["layers"])
    return _snapshot(order) if "name" in order else _batch(order)


def _snapshot(order: dict[str, Any]) -> Snapshot:
    uploads = {name: Upload(**order[name]) for name in ("customers", "accounts")}
    return Snapshot(**{**order, **uploads, "forgotten": tuple(order["forgotten"])})


def _batch(order: dict[str, Any]) -> Batch:
    currencies = tuple(
        Currency(
            **{
                **currency,
                "history": Upload(**currency["history"]),
                "trend": Upload(**currency["trend"]),
                "terms": tuple(currency["terms"]),
            }
        )
        for currency in order["currencies"]
    )
    return Batch(**{**order, "currencies": currencies})


def result_from_json(text: str) -> LayerResult:
    """The result that `to_json` wrote."""
    result = json.loads(text)
    verdicts = tuple(
        Verdict(**{**verdict, "problems": tuple(verdict["problems"])})
        for verdict in result["verdicts"]
    )
    return LayerResult(**{**result, "verdicts": verdicts})
