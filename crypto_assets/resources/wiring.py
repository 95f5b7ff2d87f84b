"""Which implementation each resource has: one table for each, by the word it is set to.

To add an implementation, write its file and add its line here (docs/extending.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from crypto_assets.resources.data_set.outcomes import Outcomes
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.home.state import has_history
from crypto_assets.resources.settings import Settings, variable
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets.spark.market_data.data_set import MARKET_DATA

if TYPE_CHECKING:
    from crypto_assets.resources.accounts.refresh import AccountsRefresh
    from crypto_assets.resources.accounts.snapshots import SnapshotRegistry
    from crypto_assets.resources.accounts.store import AccountStore
    from crypto_assets.resources.data_set.published import Published
    from crypto_assets.resources.engine.engine import Engine
    from crypto_assets.resources.inbox.inbox import Inbox
    from crypto_assets.resources.market_data.published_gold import PublishedGold
    from crypto_assets.resources.market_data.refresh import CurrencyRefresh
    from crypto_assets.resources.market_data.registry import CurrencyRegistry
    from crypto_assets.resources.metrics.metrics import Metrics
    from crypto_assets.resources.notifier.notifier import Notifier
    from crypto_assets.resources.storage.lake import Lake
    from crypto_assets.resources.storage.objects import Objects, Part
    from crypto_assets.resources.warehouse.warehouse import Warehouse

# Where each class is below `resources`: one that is not chosen is not imported.
OBJECTS = {"folder": "storage.local:LocalObjects", "s3": "storage.s3:S3Objects"}
INBOXES = {"folder": "inbox.inbox:Inbox", "s3": "inbox.sqs:EventInbox"}
ENGINES = {
    "sail": "engine.local:SailEngine",
    "spark": "engine.spark:SparkEngine",
    "emr-serverless": "engine.emr:EmrServerlessEngine",
}
WAREHOUSES = {
    "duckdb": "warehouse.duckdb:DuckDBWarehouse",
    "redshift": "warehouse.redshift:RedshiftWarehouse",
}
STORES = {
    "duckdb": "accounts.duckdb_store:DuckDBAccountStore",
    "dynamodb": "accounts.dynamodb:DynamoDBAccountStore",
}
METRICS = {"off": "metrics.metrics:Metrics", "otlp": "metrics.otlp:OtlpMetrics"}
NOTIFIERS = {"log": "notifier.notifier:LogNotifier", "sns": "notifier.sns:SnsNotifier"}

TABLES: Mapping[str, Mapping[str, str]] = {
    "inbox": INBOXES,
    "lake": OBJECTS,
    "engine": ENGINES,
    "warehouse": WAREHOUSES,
    "store": STORES,
    "notifier": NOTIFIERS,
    "metrics": METRICS,
}


def check(settings: Settings) -> None:
    """Raises `UsageError` if a resource is set to an unknown word, or two do not go together."""
    for name, table in TABLES.items():
        if (word := getattr(settings, name)) not in table:
            raise UsageError(f"setting {name}: {word!r} is none of {', '.join(table)}")
    engine = implementation(ENGINES[settings.engine])
    warehouse = implementation(WAREHOUSES[settings.warehouse])
    for name, storages, part in (
        ("engine", engine.storages_of(settings), "inbox"),
        ("engine", engine.storages_of(settings), "lake"),
        ("warehouse", warehouse.storages, "lake"),
    ):
        word, storage = getattr(settings, name), getattr(settings, part)
        if storage not in storages:
            raise UsageError(
                f"{name} {word} does not work with {part} {storage}: set {variable(part)} to "
                f"{' or '.join(sorted(storages))}, or {variable(name)} to another {name}"
            )


def engine(settings: Settings) -> Engine:
    return _chosen(ENGINES, settings, "engine").of(settings)


def registries(
    settings: Settings, *, writes: bool = False
) -> tuple[CurrencyRegistry, SnapshotRegistry]:
    from crypto_assets.resources.accounts.snapshots import SnapshotRegistry
    from crypto_assets.resources.market_data.registry import CurrencyRegistry

    objects = _objects(settings, "inbox", writes=writes)
    return CurrencyRegistry(MARKET_DATA, objects), SnapshotRegistry(ACCOUNTS, objects)


def inbox(settings: Settings) -> Inbox:
    return _chosen(INBOXES, settings, "inbox").of(settings, _objects(settings, "inbox"))


def lake(settings: Settings, *, writes: bool = False) -> Lake:
    from crypto_assets.resources.storage.lake import Lake

    objects = _objects(settings, "lake", writes=writes)
    return Lake(objects=objects, lock_wait_s=settings.lock_wait_s)


def warehouse(settings: Settings) -> Warehouse:
    return _chosen(WAREHOUSES, settings, "warehouse").of(settings)


def account_store(settings: Settings) -> AccountStore:
    return _chosen(STORES, settings, "store").of(settings)


def notifier(settings: Settings) -> Notifier:
    return _chosen(NOTIFIERS, settings, "notifier").of(settings)


def metrics(settings: Settings) -> Metrics:
    try:
        chosen: Metrics = _chosen(METRICS, settings, "metrics").of(settings)
    except ModuleNotFoundError as missing:
        raise UsageError(
            f"setting metrics: {missing.name} is not installed: "
            "`pip install 'crypto-assets[metrics]'`"
        ) from missing
    return chosen


def outcomes(settings: Settings) -> Outcomes:
    return Outcomes(str(settings.outcomes_file), of_new_home=not has_history(settings))


def published(settings: Settings) -> tuple[Published, Published]:
    """What is published of the market data and of the accounts."""
    from crypto_assets.resources.data_set.published import Published

    currencies, snapshots = registries(settings)
    kept, tables = outcomes(settings), lake(settings)
    is_there = _chosen(WAREHOUSES, settings, "warehouse").is_there(settings)
    *_, last = MARKET_DATA.layers  # what is made in the warehouse
    gone = () if is_there else (last,)
    return Published(currencies, kept, tables, gone), Published(snapshots, kept, tables)


def published_gold(settings: Settings) -> PublishedGold:
    from crypto_assets.resources.market_data.published_gold import PublishedGold

    return PublishedGold(lake(settings), registries(settings)[0])


def market_data(settings: Settings) -> CurrencyRefresh:
    from crypto_assets.resources.market_data.refresh import CurrencyRefresh

    currencies, _ = registries(settings, writes=True)
    return CurrencyRefresh(
        currencies,
        engine(settings),
        lake(settings, writes=True),
        outcomes(settings),
        warehouse(settings),
    )


def accounts(settings: Settings) -> AccountsRefresh:
    from crypto_assets.resources.accounts.refresh import AccountsRefresh

    _, snapshots = registries(settings, writes=True)
    return AccountsRefresh(
        snapshots,
        engine(settings),
        lake(settings, writes=True),
        outcomes(settings),
        warehouse(settings),
        account_store(settings),
        notifier(settings),
        settings.max_deleted_share,
    )


def kinds(settings: Settings) -> dict[str, set[str]]:
    """What the layers that are not Parquet alone are kept in, in Dagster's words.

    Connects to nothing: Dagster loads its definitions also while a service is away.
    """
    from crypto_assets.resources.accounts.refresh import STORE, TABLE
    from crypto_assets.resources.market_data.refresh import WAREHOUSE

    sql, store = warehouse(settings).kind, account_store(settings).kind
    return {WAREHOUSE: {sql}, TABLE: {"parquet", sql}, STORE: {store}}


def lake_uri(settings: Settings) -> str:
    """Where the lake is; connects to nothing, as `kinds`."""
    lake: Objects = _chosen(OBJECTS, settings, "lake").of(settings, "lake")
    return lake.uri("").rstrip("/")


# Every resource the assets and sensors ask for, by the name they ask with.
RESOURCES: dict[str, Callable[[Settings], object]] = {
    "inbox": inbox,
    "market_data": market_data,
    "accounts": accounts,
    "notifier": notifier,
    "metrics": metrics,
    "settings": lambda settings: settings,
}


def implementation(place: str) -> Any:
    """The class at a place of one of the tables."""
    module, _, name = place.partition(":")
    return getattr(import_module(f"{__package__}.{module}"), name)


def _chosen(table: Mapping[str, str], settings: Settings, name: str) -> Any:
    check(settings)
    return implementation(table[getattr(settings, name)])


def _objects(settings: Settings, part: Part, *, writes: bool = False) -> Objects:
    objects = _chosen(OBJECTS, settings, part).of(settings, part)
    _upgrade(objects, part, writes=writes)
    return objects


@cache  # one look a process: each is a request
def _upgrade(objects: Objects, part: Part, *, writes: bool) -> None:
    from crypto_assets.resources.data_set.upgrade import upgrade_inbox, upgrade_lake

    if writes and part == "lake":
        objects.check()
    (upgrade_inbox if part == "inbox" else upgrade_lake)(objects, writes=writes)
