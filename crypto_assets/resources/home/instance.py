"""The Dagster instance of a home folder: its configuration, and the runs whose process is gone.

Anything that needs to know how Dagster stores its state on disk is here, or in `state` where no
Dagster is imported.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from crypto_assets.resources.home.state import CONFIGURATION, KILLED, make_home
from crypto_assets.resources.storage import process_lock
from crypto_assets.resources.storage.files import write_atomically

if TYPE_CHECKING:
    from crypto_assets.resources.settings import Settings

PROCESS_TAG = "crypto_assets/process"
EVENT_BATCH_SIZE = 1000  # whoever else writes waits for one batch, some 0.1 s
UNRECORDED_SECONDS = 60  # a run records its process in the first second
UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.CANCELING,
]


def prepare_home(settings: Settings) -> dict[str, str]:
    """Writes `dagster.yaml` into Dagster's home and returns the environment that selects it."""
    make_home(settings)
    configuration = (package_files("crypto_assets") / CONFIGURATION).read_bytes()
    target = settings.dagster_home / CONFIGURATION
    if not target.exists() or target.read_bytes() != configuration:
        write_atomically(target, configuration)
    return {
        "DAGSTER_HOME": str(settings.dagster_home),
        "CRYPTO_ASSETS_HOME": str(settings.root),
        "DAGSTER_EVENT_BATCH_SIZE": str(EVENT_BATCH_SIZE),
    }


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The instance of this home, with runs of dead processes marked as failed."""
    os.environ.update(prepare_home(settings))
    with dg.DagsterInstance.get() as instance:
        _keep_modules()
        fail_dead_runs(instance)
        yield instance


@dg.resource(config_schema={})
def run_process(context: dg.InitResourceContext) -> str:
    """Records as a run begins which process it is in, long before it gets its turn in the pool."""
    if not (context.run and context.instance):
        return ""
    name = process_name(context.instance, context.run.run_id)
    context.instance.add_run_tags(context.run.run_id, {PROCESS_TAG: name})
    return name


def process_name(instance: dg.DagsterInstance, run_id: str = "") -> str:
    """Names this process so that another one can tell whether it still lives.

    A repeated run has the tags of the run before it: its id tells whose process is meant.
    """
    return f"{process_lock.hold(_processes(instance))}:{run_id}"


def fail_dead_runs(instance: dg.DagsterInstance) -> None:
    """Marks runs as failed whose process was killed, and gives back the pool slots they hold."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED)):
        if _is_dead(instance, record):
            run = record.dagster_run
            # The slots first: nobody would look at those of a run that has ended.
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            instance.report_run_failed(run, KILLED)


def waited_for(instance: dg.DagsterInstance, run_id: str, pool: str) -> str:
    """Whom this run waits for before it may compute, in words; empty if it does not wait."""
    found = instance.event_log_storage.get_concurrency_info(pool)
    waiting = [step for step in found.pending_steps if not step.assigned_timestamp]
    if run_id not in {step.run_id for step in waiting}:
        return ""
    holders = {slot.run_id for slot in found.claimed_slots}
    runs = instance.get_runs(dg.RunsFilter(run_ids=list(holders))) if holders else []
    return " and ".join(f"run {run.run_id} ({_described(run)})" for run in runs) or "its turn"


def running_runs(instance: dg.DagsterInstance) -> set[str]:
    """The ids of the runs that may still write, and of those that waiting runs repeat."""
    statuses = [dg.DagsterRunStatus.QUEUED, *UNFINISHED]
    runs = instance.get_runs(dg.RunsFilter(statuses=statuses))
    return {run_id for run in runs for run_id in (run.run_id, run.parent_run_id) if run_id}


@cache
def _keep_modules() -> None:
    """Spares Dagster's modules the search for garbage, which takes a second as Python ends.

    Not where DuckDB is loaded already: its library complains if its own objects are spared.
    """
    if "_duckdb" not in sys.modules:
        gc.freeze()


def _is_dead(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    process = _process_of(record.dagster_run)
    if not process:  # it has recorded no process of its own
        changed = max(record.create_timestamp, record.update_timestamp).timestamp()
        return time.time() - changed > UNRECORDED_SECONDS
    return process_lock.state(_processes(instance), process) == "dead"


def _process_of(run: dg.DagsterRun) -> str:
    """The name of the run's own process; empty if it has recorded none."""
    process, _, run_id = run.tags.get(PROCESS_TAG, "").rpartition(":")
    return process if process.count(":") == 2 and run_id in ("", run.run_id) else ""  # noqa: PLR2004 - parts


def _described(run: dg.DagsterRun) -> str:
    process = _process_of(run)
    return process_lock.described(process) if process else "not begun"


def _processes(instance: dg.DagsterInstance) -> Path:
    """Where the processes of this home hold their locks."""
    return Path(instance.storage_directory()).parent / "processes"
