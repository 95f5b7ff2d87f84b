"""The sensor on uploads: looks at what was delivered, registers it, and asks for runs.

A tick may die anywhere: what it registered stays due until a later tick knows, from the cursor
Dagster keeps with the requested runs, that its run was asked for. Which partition a file is of is
in each data set's `assign` (`resources/`).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from crypto_assets.defs.files import is_reported, report_file, report_quarantine
from crypto_assets.defs.jobs import job_name
from crypto_assets.defs.partitions import run_scopes
from crypto_assets.resources.data_set.assign import (
    Assigned,
    Assigner,
    Proposal,
    propose,
    rivals,
)
from crypto_assets.resources.data_set.refresh import Refresh
from crypto_assets.resources.errors import BusyError, RefusedError, UnclearError
from crypto_assets.resources.inbox.inbox import OVERRIDES, Inbox, News
from crypto_assets.resources.inbox.ledger import Ledger, Quarantined
from crypto_assets.resources.instance import fail_dead_runs, quick_event_log
from crypto_assets.resources.storage.files import printable
from crypto_assets.resources.storage.objects import Object

TICK_UPLOADS = 500
TICK_SECONDS = 20.0


@dataclass
class Cursor:
    """What the last tick left: by data set the changes it asked runs for, and what it applied.

    `settings` are those of the assigners, `quarantine` what it reported. `receipts` acknowledge the
    news it worked off, `listed_at` is when the whole inbox was looked through: a POSIX time.
    """

    requested: dict[str, dict[str, str]] = field(default_factory=dict)
    settings: str = ""
    quarantine: str = ""
    receipts: list[str] = field(default_factory=list)
    listed_at: float = 0.0

    @staticmethod
    def parse(text: str | None) -> Cursor:
        """The cursor in this text; a broken one begins anew, which repeats no finished work."""
        try:
            return Cursor(**json.loads(text or "{}"))
        except (TypeError, ValueError):
            return Cursor()

    def dump(self) -> str:
        return json.dumps(self.__dict__)


def uploads(
    names: Sequence[str], jobs: Sequence[dg.UnresolvedAssetJobDefinition]
) -> dg.SensorDefinition:
    """The sensor for the data sets of these names, which are resources too.

    The first data set that knows a file's kind decides on it.
    """

    @dg.sensor(
        jobs=jobs,
        name="uploads",
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Registers uploads and refreshes the partitions that have all their files.",
        required_resource_keys={"inbox", *names},
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        refreshes = [getattr(context.resources, name) for name in names]
        return _Tick(context, context.resources.inbox, refreshes).result()

    return sensor


class _Tick:
    """One look at the inbox: at most `TICK_UPLOADS` files, the oldest first."""

    def __init__(
        self, context: dg.SensorEvaluationContext, inbox: Inbox, refreshes: Sequence[Refresh]
    ) -> None:
        self._context, self._inbox, self._refreshes = context, inbox, refreshes
        self._instance = context.instance
        self._cursor = Cursor.parse(context.cursor)
        self._messages: list[str] = []

    def result(self) -> dg.SensorResult:
        fail_dead_runs(self._instance)  # so that Dagster tries them again
        for refresh in self._refreshes:
            refresh.registry.settle(self._cursor.requested.get(refresh.data_set.name, {}))
        self._inbox.acknowledge(self._cursor.receipts)
        cursor = self._look()
        requests: list[dg.RunRequest] = []
        for refresh in self._refreshes:
            due = _due(refresh)
            cursor.requested[refresh.data_set.name] = due
            requests += _requests(self._instance, refresh, due)
        for message in self._messages:
            self._context.log.info(message)
        skipped = "; ".join(self._messages) or "nothing new"
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else dg.SkipReason(skipped),
            cursor=cursor.dump(),
        )

    def _look(self) -> Cursor:
        """Decides on new uploads and reports what is in quarantine; the cursor of this tick."""
        began, before = time.time(), self._cursor
        assigners = [refresh.assigner(self._inbox) for refresh in self._refreshes]
        settings = " ".join(assigner.settings for assigner in assigners).strip()
        problems = [problem for assigner in assigners for problem in assigner.problems]
        self._messages += problems
        ledger = Ledger(self._inbox.objects)
        news = self._inbox.news(before.listed_at if settings == before.settings else 0.0)
        if settings != before.settings:
            ledger.reopen()
            self._messages += [line for each in assigners for line in each.apply_settings()]
        with quick_event_log(self._instance):
            left = self._decide_all(assigners, ledger, news)
            for assigner in assigners:
                for assigned in assigner.overdue(began):
                    self._report(assigned)
                    self._messages.append(assigned.message)
        listed = before.quarantine
        if news.arrivals or news.complete:
            listed = f"{settings} {ledger.quarantine_etag()}"
        if listed != before.quarantine:
            broken = [Quarantined(OVERRIDES, 0, problem) for problem in problems]
            report_quarantine(self._instance, [*broken, *ledger.quarantined()])
        return Cursor(
            settings=settings,
            quarantine=listed,
            receipts=[receipt for key, receipt in news.receipts if key not in left],
            listed_at=began if news.complete and not left else before.listed_at,
        )

    def _decide_all(self, assigners: Sequence[Assigner], ledger: Ledger, news: News) -> set[str]:
        """Decides on new uploads while the tick lasts; the keys left for another tick."""
        started = time.monotonic()
        if news.complete:
            ledger.drop_gone(news.arrivals)
        undecided = ledger.undecided(news.arrivals) if news.arrivals else []
        left = {arrival.key for arrival in undecided}
        arrivals: dict[str, Object] = {}
        proposals: dict[str, Proposal] = {}
        for done, arrival in enumerate(filter(self._inbox.is_settled, undecided)):
            if done == TICK_UPLOADS or time.monotonic() - started > TICK_SECONDS:
                break
            arrivals[arrival.key] = arrival
            with self._quarantining(ledger, arrival):
                proposals[arrival.key] = propose(arrival, self._inbox, assigners)
        excluded = rivals(proposals)
        for key, proposal in proposals.items():
            with self._quarantining(ledger, arrivals[key]):
                if key in excluded:
                    raise UnclearError(excluded[key])
                assigned = proposal.accept()
                self._report(assigned)
                ledger.decide(arrivals[key], "assigned")
                self._messages.append(printable(f"{key}: {assigned.message}"))
        left -= arrivals.keys()
        if left:
            self._messages.append(f"{len(left)} more uploads wait for the next tick")
        return left

    @contextmanager
    def _quarantining(self, ledger: Ledger, arrival: Object) -> Iterator[None]:
        """Puts an upload into quarantine if it is not certain whose it is, or its reader breaks."""
        try:
            yield
        except (OSError, BusyError, RefusedError):
            raise  # a full disk says nothing about the file: the next tick looks again
        except Exception as error:  # noqa: BLE001 - one file must not stop the others
            reason = f"the reader broke on this file: {error!r}; please report it"
            reason = str(error) if isinstance(error, UnclearError) else reason
            ledger.decide(arrival, "quarantine", reason)
            self._messages.append(printable(f"{arrival.key}: quarantined: {reason}"))

    def _report(self, assigned: Assigned) -> None:
        """Reports the files to Dagster; known ones only if a tick died before it did.

        Their partition is added with its first run: before that it could not be computed.
        """
        name = assigned.partition
        for kind, upload in assigned.files.items():
            if not (assigned.known and is_reported(self._instance, name, kind, upload)):
                report_file(self._instance, name, kind, upload, assigned.facts)


def _due(refresh: Refresh) -> dict[str, str]:
    """The changed partitions that need a run; those that somebody refreshed meanwhile do not."""
    registry = refresh.registry
    changed = registry.due()
    entries, versions = registry.get_all(changed), refresh.versions(changed)
    last = list(refresh.computed)[-1]
    due = {
        name: token
        for name, token in changed.items()
        if name in entries and versions[name].get(last) != registry.version(entries[name], last)
    }
    registry.settle({name: token for name, token in changed.items() if name not in due})
    return due


def _requests(
    instance: dg.DagsterInstance, refresh: Refresh, due: dict[str, str]
) -> Iterator[dg.RunRequest]:
    """The runs that cover what is due, each named by the changes it is for."""
    for names, tags in run_scopes(instance, refresh.data_set, due):
        changes = json.dumps([(name, due[name]) for name in names])
        yield dg.RunRequest(
            run_key=hashlib.sha256(changes.encode()).hexdigest(),
            job_name=job_name(refresh.data_set),
            partition_key=None if refresh.data_set.batched else names[0],
            tags=tags if refresh.data_set.batched else {},
        )
