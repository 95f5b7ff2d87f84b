"""Which body each resource has: the table from settings to resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto_assets.resources.engine import Engine, SailEngine, SparkEngine
from crypto_assets.resources.inbox import Inbox
from crypto_assets.resources.instance import RunProcess
from crypto_assets.resources.lake import Lake
from crypto_assets.resources.notifier import LogNotifier, Notifier
from crypto_assets.resources.objects import LocalObjects, Objects
from crypto_assets.resources.refresh import Platform
from crypto_assets.resources.registry import Registry
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.warehouse import DuckDBWarehouse, Warehouse

if TYPE_CHECKING:
    from dagster import ConfigurableResource

_ENGINES: dict[str, type[Engine]] = {"sail": SailEngine, "spark": SparkEngine}


def engine(settings: Settings) -> Engine:
    return _ENGINES[settings.engine]()


def registry(settings: Settings) -> Registry:
    return Registry(objects=_uploads(settings))


def inbox(settings: Settings) -> Inbox:
    return Inbox(objects=_uploads(settings))


def lake(settings: Settings) -> Lake:
    objects = LocalObjects(root=str(settings.lake))
    return Lake(objects=objects, lock_wait_s=settings.lock_wait_s)


def warehouse(settings: Settings) -> Warehouse:
    return DuckDBWarehouse(path=str(settings.warehouse), lock_wait_s=settings.lock_wait_s)


def notifier(settings: Settings) -> Notifier:
    return LogNotifier(path=str(settings.notices))


def platform(settings: Settings) -> Platform:
    return Platform(registry(settings), engine(settings), lake(settings), warehouse(settings))


def resources(settings: Settings) -> dict[str, ConfigurableResource]:
    """Every resource the assets ask for, by the name they ask with."""
    return {
        "engine": engine(settings),
        "inbox": inbox(settings),
        "registry": registry(settings),
        "lake": lake(settings),
        "warehouse": warehouse(settings),
        "notifier": notifier(settings),
        "process": RunProcess(),
    }


def _uploads(settings: Settings) -> Objects:
    return LocalObjects(root=str(settings.inbox))
