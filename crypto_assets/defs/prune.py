"""Deleting what nothing needs any more, so that a home does not grow without end.

By the command, or once a day by a run that the sensor `prune` asks for. Which contents and
snapshots are old is the matter of `resources/`, which of Dagster's events that of `event_log/`.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import dagster as dg
from rich.filesize import decimal

from crypto_assets.resources import wiring
from crypto_assets.resources.accounts.prune import prune_layers, prune_snapshots
from crypto_assets.resources.data_set.contents import Pruned, prune_contents
from crypto_assets.resources.errors import BusyError, DataError
from crypto_assets.resources.progress import progress
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.files import size_of

NAME = "prune"
SUMMARY_TAG = "crypto_assets/summary"  # what a run did, in words
EACH_SECONDS = 24 * 3600.0
LOOK_SECONDS = 300
_AT_ONCE = 20  # runs


def prune(
    instance: dg.DagsterInstance,
    settings: Settings,
    *,
    now: datetime | None = None,
    dry_run: bool = False,
) -> Iterator[Pruned]:
    """Deletes what is old by the settings; what had to stay has a reason and comes next time.

    `dry_run` only looks.
    """
    now = now or datetime.now(UTC)
    inbox, accounts = wiring.inbox(settings), wiring.accounts(settings)
    old = now - timedelta(days=settings.keep_uploads_days)
    yield _prune_runs(instance, settings, now - timedelta(days=settings.keep_runs_days), dry_run)
    yield _unless_in_use(
        "old snapshots' bronze and silver",
        lambda: prune_layers(accounts, settings.keep_snapshots, dry_run=dry_run),
    )

    def contents() -> Pruned:
        gone = prune_snapshots(accounts, inbox, settings.keep_snapshots, old, dry_run=dry_run)
        both = wiring.registries(settings)
        return prune_contents(inbox, both, old, without=gone, dry_run=dry_run)

    yield _unless_in_use("earlier contents of uploads", contents)


def summary(pruned: Pruned, *, dry_run: bool = False) -> str:
    """What was deleted, or would be, in words."""
    if pruned.left:
        return f"{pruned.what}: left for the next time: {pruned.left}"
    size = f", {decimal(pruned.size)}" if pruned.size else ""
    return f"{pruned.what}: {pruned.count:,} {'to delete' if dry_run else 'deleted'}{size}"


def _prune_runs(
    instance: dg.DagsterInstance, settings: Settings, before: datetime, dry_run: bool
) -> Pruned:
    """Deletes runs that ended before this time, and events of then that no run reported."""
    from crypto_assets.event_log.prune import (
        delete_reported_events,
        delete_runs,
        runs_to_delete,
        vacuum,
    )

    run_ids = runs_to_delete(instance, before)
    what, folder = "old runs", settings.dagster_home
    if dry_run:
        return Pruned(what, len(run_ids))
    size = size_of(folder)
    for start in range(0, len(run_ids), _AT_ONCE):
        batch = run_ids[start : start + _AT_ONCE]
        delete_runs(instance, batch)
        progress(what, len(batch), len(run_ids))
    delete_reported_events(instance, before)
    vacuum(instance)
    return Pruned(what, len(run_ids), max(0, size - size_of(folder)))


def _unless_in_use(what: str, prune_one: Callable[[], Pruned]) -> Pruned:
    """What was pruned, or why it has to be left: nobody else is kept from being pruned."""
    try:
        return prune_one()
    except (BusyError, DataError) as error:
        return Pruned(what, left=str(error))


@dg.op(name="delete_old", config_schema={}, required_resource_keys={"settings", "process"})
def _prune(context: dg.OpExecutionContext) -> None:
    """Deletes what is old, and says what in the log and in a tag of the run."""
    settings: Settings = context.resources.settings
    lines = [summary(each) for each in prune(context.instance, settings)]
    for line in lines:
        context.log.info(line)
    context.instance.add_run_tags(context.run.run_id, {SUMMARY_TAG: "; ".join(lines)})


@dg.job(
    name=NAME,
    description="Deletes runs, contents of uploads and layers of snapshots that nothing needs.",
)
def prune_job() -> None:
    _prune()


@dataclass(frozen=True)
class Cursor:
    """When a run was last asked for, and whether its databases are still to be rewritten.

    `asked_at` is a POSIX time.
    """

    asked_at: float
    shrinks: bool = False

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """The cursor in this text; None if there is none, or it is broken."""
        try:
            return cls(**json.loads(text)) if text else None
        except (TypeError, ValueError):
            return None

    def dump(self) -> str:
        return json.dumps(asdict(self))


def prune_sensor() -> dg.SensorDefinition:
    """The sensor that has everything pruned once a day, for the first time after a day."""

    @dg.sensor(
        job_name=NAME,
        name=NAME,
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Deletes once a day what nothing needs any more.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from crypto_assets.event_log.prune import vacuum

        now = time.time()
        cursor = Cursor.parse(context.cursor) or Cursor(now)
        if not 0 <= now - cursor.asked_at < EACH_SECONDS:
            key = datetime.fromtimestamp(now, UTC).isoformat()
            cursor = Cursor(now, shrinks=True)
            return dg.SensorResult(run_requests=[dg.RunRequest(key)], cursor=cursor.dump())
        # The run itself cannot: a database is rewritten while no run is under way.
        if cursor.shrinks and vacuum(context.instance):
            cursor = Cursor(cursor.asked_at)
        return dg.SensorResult(skip_reason=dg.SkipReason("once a day"), cursor=cursor.dump())

    return sensor
