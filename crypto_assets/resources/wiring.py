"""Which body each resource has: the table from settings to resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from crypto_assets.resources.accounts.refresh import AccountsPlatform
from crypto_assets.resources.accounts.snapshots import Snapshots
from crypto_assets.resources.accounts.store import AccountStore, DuckDBAccountStore
from crypto_assets.resources.aws import Aws, split_uri
from crypto_assets.resources.engine.engine import Engine, SailEngine, SparkEngine
from crypto_assets.resources.inbox.inbox import EventInbox, Inbox
from crypto_assets.resources.inbox.sqs import UploadEvents
from crypto_assets.resources.instance import RunProcess
from crypto_assets.resources.market_data.refresh import Platform
from crypto_assets.resources.market_data.registry import Registry, WrongUse
from crypto_assets.resources.notifier.notifier import LogNotifier, Notifier, SnsNotifier
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.lake import Lake
from crypto_assets.resources.storage.objects import LocalObjects, Objects
from crypto_assets.resources.warehouse.warehouse import DuckDBWarehouse, Warehouse

if TYPE_CHECKING:
    from dagster import ConfigurableResource

    from crypto_assets.resources.storage.s3 import S3Objects


def engine(settings: Settings) -> Engine:
    name = settings.engine_name
    if name != "emr-serverless":
        return SparkEngine() if name == "spark" else SailEngine()
    from crypto_assets.resources.engine.emr import EmrServerlessEngine

    return EmrServerlessEngine(
        aws=aws(settings),
        application_id=_wanted(settings, "emr_application_id"),
        role_arn=_wanted(settings, "emr_role_arn"),
        objects=_s3_objects(settings, "lake"),
        cache=str(settings.artifacts),
    )


def registry(settings: Settings) -> Registry:
    return Registry(objects=_objects(settings, "inbox"))


def inbox(settings: Settings) -> Inbox:
    objects, queue_url = _objects(settings, "inbox"), settings.aws.queue_url
    if settings.profile == "local" or not queue_url:
        return Inbox(objects=objects)
    bucket, prefix = split_uri(settings.aws.inbox)
    events = UploadEvents(aws=aws(settings), queue_url=queue_url, bucket=bucket, prefix=prefix)
    return EventInbox(objects=objects, events=events)


def snapshots(settings: Settings) -> Snapshots:
    return Snapshots(objects=_objects(settings, "inbox"))


def lake(settings: Settings) -> Lake:
    return Lake(objects=_objects(settings, "lake"), lock_wait_s=settings.lock_wait_s)


def warehouse(settings: Settings) -> Warehouse:
    if settings.profile == "local":
        return DuckDBWarehouse(path=str(settings.warehouse), lock_wait_s=settings.lock_wait_s)
    from crypto_assets.resources.warehouse.redshift import RedshiftWarehouse

    return RedshiftWarehouse(
        aws=aws(settings),
        workgroup=_wanted(settings, "redshift_workgroup"),
        database=settings.aws.redshift_database,
        role_arn=settings.aws.redshift_role_arn,
        manifests=f"{_wanted(settings, 'lake').rstrip('/')}/_manifests",
    )


def account_store(settings: Settings) -> AccountStore:
    if settings.profile == "local":
        return DuckDBAccountStore(
            path=str(settings.account_store),
            lock_wait_s=settings.lock_wait_s,
            max_deleted_share=settings.max_deleted_share,
        )
    from crypto_assets.resources.accounts.dynamodb import DynamoDBAccountStore

    return DynamoDBAccountStore(
        aws=aws(settings),
        table=settings.aws.account_table,
        max_deleted_share=settings.max_deleted_share,
    )


def notifier(settings: Settings) -> Notifier:
    if settings.profile == "aws" and settings.aws.topic_arn:
        return SnsNotifier(aws=aws(settings), topic_arn=settings.aws.topic_arn)
    return LogNotifier(path=str(settings.notices))


def platform(settings: Settings) -> Platform:
    return Platform(registry(settings), engine(settings), lake(settings), warehouse(settings))


def accounts_platform(settings: Settings) -> AccountsPlatform:
    return AccountsPlatform(
        snapshots(settings),
        engine(settings),
        lake(settings),
        warehouse(settings),
        account_store(settings),
        notifier(settings),
    )


def resources(settings: Settings) -> dict[str, ConfigurableResource]:
    """Every resource the assets ask for, by the name they ask with."""
    return {
        "engine": engine(settings),
        "inbox": inbox(settings),
        "registry": registry(settings),
        "snapshots": snapshots(settings),
        "lake": lake(settings),
        "warehouse": warehouse(settings),
        "account_store": account_store(settings),
        "notifier": notifier(settings),
        "process": RunProcess(),
    }


def _objects(settings: Settings, which: Literal["inbox", "lake"]) -> Objects:
    if settings.profile == "local":
        return LocalObjects(root=str(getattr(settings, which)))
    return _s3_objects(settings, which)


def _s3_objects(settings: Settings, which: Literal["inbox", "lake"]) -> S3Objects:
    from crypto_assets.resources.storage.s3 import S3Objects

    root = _wanted(settings, which)
    return S3Objects(aws=aws(settings), root=root, locks=str(settings.locks))


def aws(settings: Settings) -> Aws:
    """Access to AWS as the settings say."""
    chosen = settings.aws
    return Aws(
        region=chosen.region,
        profile=chosen.profile,
        key_file=str(chosen.key_file) if chosen.key_file else None,
        endpoint_url=chosen.endpoint_url,
    )


def _wanted(settings: Settings, name: str) -> str:
    """A setting that profile `aws` cannot do without. Raises `WrongUse` if it is not set."""
    value = getattr(settings.aws, name)
    if not value:
        raise WrongUse(f"profile aws needs a setting: set CRYPTO_ASSETS_AWS_{name.upper()}")
    return str(value)
