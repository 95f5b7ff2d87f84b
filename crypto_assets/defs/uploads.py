"""The sensor on uploads: looks at what was delivered, registers it, and asks for runs.

A tick may die anywhere, and so may a run: what is registered stays due until it has a verdict
(`resources/data_set/due`). Which partition a file is of is in each data set's `assign`.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import dagster as dg

from crypto_assets.defs.files import (
    file_event,
    report_quarantine,
    report_registered,
    unreported,
)
from crypto_assets.defs.jobs import job_name
from crypto_assets.defs.partitions import covered, run_scopes
from crypto_assets.defs.take_over import take_over
from crypto_assets.event_log.batches import report_asset_events
from crypto_assets.resources.data_set.assign import (
    Assigned,
    Assigner,
    Proposal,
    accept,
    kept,
    propose_all,
    rivals,
)
from crypto_assets.resources.data_set.attempt import BROKE
from crypto_assets.resources.data_set.due import still_due
from crypto_assets.resources.data_set.refresh import Refresh
from crypto_assets.resources.errors import UnclearError
from crypto_assets.resources.home.instance import fail_dead_runs
from crypto_assets.resources.inbox.inbox import OVERRIDES, Inbox, News
from crypto_assets.resources.inbox.ledger import Ledger, Quarantined
from crypto_assets.resources.metrics.metrics import Metrics
from crypto_assets.resources.storage.objects import Object
from crypto_assets.spark.printable import printable

TICK_UPLOADS = 5_000
TICK_SECONDS = 20.0
SHOWN_MESSAGES = 500  # in the record of a tick; its log has them all
PROCESS = uuid.uuid4().hex  # of the code server that evaluates the sensor
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 3600.0  # seconds before a run is asked for again
# Where events name the uploads, the registries are in a bucket: to list them in each tick costs $4
# a month. Who registers uploads does so within a minute.
QUIET_AFTER_SECONDS, QUIET_SECONDS = 60.0, 600.0


@dataclass(frozen=True)
class Asked:
    """A change of a partition and how many times a run was asked for it, the last one `at` then.

    `at` is a POSIX time.
    """

    token: str
    times: int = 0
    at: float = 0.0

    @property
    def pause(self) -> float:
        """Seconds to wait before it is asked for again."""
        return min(FIRST_PAUSE * 2.0 ** (self.times - 1), LONGEST_PAUSE) if self.times else 0.0

    @property
    def key(self) -> tuple[str, float]:
        """What names the run: at first the change alone, so that a tick may be repeated."""
        return self.token, self.at if self.times > 1 else 0.0


@dataclass
class Cursor:
    """What the last tick left: by data set and partition its `Asked`, and what it applied.

    `asked_by` is the process that asked: another one begins with the shortest pauses again.
    `settings` are those of the assigners, `quarantine` what it reported. `receipts` acknowledge the
    news it worked off. POSIX times: `listed_at` is when the whole inbox was looked through,
    `looked_at` when the registries were, `came_at` when the last uploads came.
    """

    asked: dict[str, dict[str, tuple[str, int, float]]] = field(default_factory=dict)
    asked_by: str = ""
    settings: str = ""
    quarantine: str = ""
    receipts: list[str] = field(default_factory=list)
    listed_at: float = 0.0
    looked_at: float = 0.0
    came_at: float = 0.0

    def asked_of(self, data_set: str) -> dict[str, Asked]:
        """What was asked for the partitions of this data set."""
        asked = {name: Asked(*each) for name, each in self.asked.get(data_set, {}).items()}
        if self.asked_by == PROCESS:
            return asked
        return {name: Asked(each.token, 1) for name, each in asked.items()}

    def is_quiet(self, now: float) -> bool:
        """Whether a tick to which nothing came may leave the registries alone.

        So if nothing was asked for and the last uploads came a while ago. A registry that changed
        without an upload is looked at after `QUIET_SECONDS` at the latest.
        """
        nothing_asked = self.asked_by == PROCESS and not any(self.asked.values())
        after = now - self.came_at >= QUIET_AFTER_SECONDS
        return nothing_asked and after and 0 <= now - self.looked_at < QUIET_SECONDS

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
        required_resource_keys={"inbox", "metrics", *names},
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
        self._metrics: Metrics = context.resources.metrics
        self._cursor = Cursor.parse(context.cursor)
        self._messages: list[str] = []
        self._is_quiet = False

    def result(self) -> dg.SensorResult:
        fail_dead_runs(self._instance)
        self._inbox.acknowledge(self._cursor.receipts)
        cursor = self._look()
        requests = [] if self._is_quiet else self._ask(cursor)
        for message in self._messages:
            self._context.log.info(message)
        shown = self._messages[:SHOWN_MESSAGES]
        if len(self._messages) > SHOWN_MESSAGES:
            shown.append(f"and {len(self._messages) - SHOWN_MESSAGES} more")
        skipped = "; ".join(shown) or "nothing new"
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else dg.SkipReason(skipped),
            cursor=cursor.dump(),
        )

    def _ask(self, cursor: Cursor) -> list[dg.RunRequest]:
        """The runs to ask for now; the cursor gets what was asked for."""
        requests: list[dg.RunRequest] = []
        for refresh in self._refreshes:
            take_over(self._instance, refresh.registry, refresh.outcomes)
            report_registered(self._instance, refresh.registry, refresh.outcomes)
            name, now = refresh.data_set.name, time.time()
            under_way = covered(self._instance, refresh.data_set)
            asked = _asked(refresh, under_way, self._cursor.asked_of(name), now)
            cursor.asked[name] = {of: (e.token, e.times, e.at) for of, e in asked.items()}
            new = {of: each for of, each in asked.items() if each.at == now}
            requests += _requests(self._instance, refresh, new)
        return requests

    def _look(self) -> Cursor:
        """Decides on new uploads and reports what is in quarantine; the cursor of this tick."""
        began, before = time.time(), self._cursor
        assigners = [refresh.assigner(self._inbox) for refresh in self._refreshes]
        settings = " ".join(assigner.settings for assigner in assigners).strip()
        problems = [problem for assigner in assigners for problem in assigner.problems]
        self._messages += problems
        ledger = Ledger(self._inbox.objects)
        news = self._inbox.news(before.listed_at if settings == before.settings else 0.0)
        came = news.complete or bool(news.arrivals)
        self._is_quiet = not came and before.is_quiet(began)
        if settings != before.settings:
            ledger.reopen()
            self._messages += [line for each in assigners for line in each.apply_settings()]
        left = self._decide_all(assigners, ledger, news)
        waiting = [] if self._is_quiet else assigners
        overdue = [assigned for each in waiting for assigned in each.overdue(began)]
        self._report(overdue)
        self._messages += [assigned.message for assigned in overdue]
        listed = before.quarantine
        if news.arrivals or news.complete:
            listed = f"{settings} {ledger.quarantine_etag()}"
        if listed != before.quarantine:
            broken = [Quarantined(OVERRIDES, 0, problem) for problem in problems]
            report_quarantine(self._instance, [*broken, *ledger.quarantined()])
        return Cursor(
            asked_by=PROCESS,
            settings=settings,
            quarantine=listed,
            receipts=[receipt for key, receipt in news.receipts if key not in left],
            listed_at=began if news.complete and not left else before.listed_at,
            looked_at=before.looked_at if self._is_quiet else began,
            came_at=began if news.arrivals else before.came_at,
        )

    def _decide_all(self, assigners: Sequence[Assigner], ledger: Ledger, news: News) -> set[str]:
        """Decides on new uploads while the tick lasts; the keys left for another tick."""
        if news.complete:
            ledger.drop_gone(news.arrivals)
        undecided = ledger.undecided(news.arrivals) if news.arrivals else []
        left = {arrival.key for arrival in undecided}
        self._metrics.queue_looked_at(_age(undecided))
        settled = list(islice(filter(self._inbox.is_settled, undecided), TICK_UPLOADS))
        looked_at = propose_all(settled, self._inbox, assigners, time.monotonic() + TICK_SECONDS)
        proposals: dict[str, Proposal] = {}
        for arrival, found in kept(self._inbox, looked_at):
            left.remove(arrival.key)
            if isinstance(found, Proposal):
                proposals[arrival.key] = found
            else:
                self._quarantine(ledger, arrival, found)
        self._accept_all(ledger, proposals)
        if left:
            self._messages.append(f"{len(left)} more uploads wait for the next tick")
        return left

    def _accept_all(self, ledger: Ledger, proposals: Mapping[str, Proposal]) -> None:
        """Registers what excludes no other, reports it at once, and decides on it last.

        What a tick that dies has registered is known to the next one, which reports it if need be.
        """
        refused: dict[str, Exception] = {
            k: UnclearError(why) for k, why in rivals(proposals).items()
        }
        accepted: dict[str, Assigned] = {}
        try:
            for key, given in accept({k: p for k, p in proposals.items() if k not in refused}):
                if isinstance(given, Assigned):
                    accepted[key] = given
                else:
                    refused[key] = given
        finally:  # a fault at one of them does not keep the others waiting
            arrivals = {key: proposal.arrival for key, proposal in proposals.items()}
            accepted = {key: accepted[key] for key in arrivals if key in accepted}
            self._report(accepted.values())
            for key in filter(refused.get, arrivals):
                self._quarantine(ledger, arrivals[key], refused[key])
            ledger.decide_all((arrivals[key] for key in accepted), "assigned")
            self._messages += [printable(f"{k}: {each.message}") for k, each in accepted.items()]

    def _quarantine(self, ledger: Ledger, arrival: Object, error: Exception) -> None:
        """Puts an upload into quarantine: it is not certain whose it is, or its reader broke."""
        reason = str(error) if isinstance(error, UnclearError) else BROKE.format(repr(error))
        ledger.decide(arrival, "quarantine", reason)
        self._messages.append(printable(f"{arrival.key}: quarantined: {reason}"))

    def _report(self, assigned: Iterable[Assigned]) -> None:
        """Reports the files to Dagster; known ones only if a tick died before it did.

        Their partition is added with its first run: before that it could not be computed.
        """
        new: list[dg.AssetMaterialization] = []
        known: list[dg.AssetMaterialization] = []
        for each in assigned:
            for kind, upload in each.files.items():
                event = file_event(each.partition, kind, upload, each.facts)
                (known if each.known else new).append(event)
        report_asset_events(self._instance, new + unreported(self._instance, known))


def _age(waiting: Iterable[Object]) -> float:
    """Seconds since the oldest of these uploads arrived; 0 without any."""
    now = time.time()
    return max((now - each.arrived for each in waiting if 0 < each.arrived < now), default=0.0)


def _asked(
    refresh: Refresh, covered: Collection[str], before: Mapping[str, Asked], now: float
) -> dict[str, Asked]:
    """What is due, and when a run was last asked for it: now, where one is to be asked for.

    What a run covers is not looked at before that has ended. One that had its run and got no
    verdict is asked for again, with growing pauses.
    """
    asked = {name: last for name, last in before.items() if name in covered}
    for name, token in still_due(refresh.registry, refresh.outcomes, covered).items():
        last = before.get(name)
        if last is None or last.token != token:
            last = Asked(token)
        if now - last.at >= last.pause:
            last = Asked(token, last.times + 1, now)
        asked[name] = last
    return asked


def _requests(
    instance: dg.DagsterInstance, refresh: Refresh, asked: Mapping[str, Asked]
) -> Iterator[dg.RunRequest]:
    """The runs that cover what is asked for, each named by the changes it is for."""
    for names, tags in run_scopes(instance, refresh.data_set, asked):
        changes = json.dumps([(name, asked[name].key) for name in names])
        yield dg.RunRequest(
            run_key=hashlib.sha256(changes.encode()).hexdigest(),
            job_name=job_name(refresh.data_set),
            partition_key=None if refresh.data_set.batched else names[0],
            tags=tags if refresh.data_set.batched else {},
        )
