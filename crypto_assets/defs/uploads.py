"""The sensor on uploads: looks at what was dropped, registers it, and asks for runs.

A tick may die anywhere: what it registered stays due until a later tick knows, from the cursor
Dagster keeps with the requested runs, that its run was asked for. What becomes of a file is
`resources/uploads/assign.py`.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import dagster as dg

from crypto_assets.defs.files import (
    is_reported,
    report_file,
    report_quarantine,
    report_snapshot,
)
from crypto_assets.defs.jobs import refresh_accounts, refresh_currencies
from crypto_assets.defs.launch import contiguous, range_tags
from crypto_assets.defs.partitions import ticker_partitions
from crypto_assets.resources.accounts.snapshots import Snapshots
from crypto_assets.resources.errors import ServiceFault
from crypto_assets.resources.inbox.inbox import Inbox, News
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.instance import fail_dead_runs, quick_event_log
from crypto_assets.resources.market_data.overrides import broken, read_overrides
from crypto_assets.resources.market_data.registry import Registry
from crypto_assets.resources.storage.files import printable
from crypto_assets.resources.storage.lake import Lake
from crypto_assets.resources.storage.objects import Object
from crypto_assets.resources.uploads.assign import (
    Sorter,
    Taken,
    TakenHalf,
    Unclear,
    apply_overrides,
)

TICK_UPLOADS = 500
TICK_SECONDS = 20.0


@dataclass
class Cursor:
    """What the last tick left: the changes it asked runs for, and what it applied and reported.

    `snapshots` are those it asked runs for. `receipts` acknowledge the news it worked off,
    `listed_at` is when the whole inbox was looked through: a POSIX time.
    """

    requested: dict[str, str] = field(default_factory=dict)
    snapshots: list[str] = field(default_factory=list)
    overrides: str = ""
    quarantine: str = ""
    receipts: list[str] = field(default_factory=list)
    listed_at: float = 0.0

    @staticmethod
    def parse(text: str | None) -> "Cursor":
        """The cursor in this text; a broken one begins anew, which repeats no finished work."""
        try:
            return Cursor(**json.loads(text or "{}"))
        except (TypeError, ValueError):
            return Cursor()

    def dump(self) -> str:
        return json.dumps(self.__dict__)


@dg.sensor(
    jobs=[refresh_currencies, refresh_accounts],
    name="uploads",
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Registers uploads and refreshes the currencies and snapshots with both files.",
)
def uploads(
    context: dg.SensorEvaluationContext,
    inbox: Inbox,
    registry: Registry,
    snapshots: Snapshots,
    lake: Lake,
) -> dg.SensorResult:
    """One look at the inbox: at most `TICK_UPLOADS` files, the oldest first."""
    fail_dead_runs(context.instance)  # so that Dagster tries them again
    cursor = Cursor.parse(context.cursor)
    for ticker, token in cursor.requested.items():
        registry.settle(ticker, token)
    for name in cursor.snapshots:
        snapshots.settle(name)
    inbox.acknowledge(cursor.receipts)
    overrides, stamp = read_overrides(inbox)
    ledger = Ledger(inbox.objects)
    said = list(overrides.problems)
    began = time.time()
    news = inbox.news(cursor.listed_at if stamp == cursor.overrides else 0.0)
    if stamp != cursor.overrides:
        ledger.reopen()
        said += [f"{entry.ticker}: new settings" for entry in apply_overrides(registry, overrides)]
    with quick_event_log(context.instance):
        sorter = Sorter(inbox, registry, snapshots, overrides)
        left, told = _look(context.instance, sorter, inbox, ledger, news)
    said += told
    for snapshot in snapshots.pair_lone(time.time()):
        report_snapshot(context.instance, snapshot)
        said.append(f"snapshot {snapshot.name}: one of its files is the one that was there before")
    listed = cursor.quarantine
    if news.arrivals or news.complete:
        listed = f"{stamp} {ledger.quarantine_stamp()}"
    if listed != cursor.quarantine:
        report_quarantine(context.instance, [*broken(overrides), *ledger.quarantined()])
    due = _due(registry, lake)
    context.instance.add_dynamic_partitions(str(ticker_partitions.name), list(due))
    due_snapshots = snapshots.due()
    requests = [*_requests(context.instance, due), *map(_snapshot_request, due_snapshots)]
    for line in said:
        context.log.info(line)
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else dg.SkipReason("; ".join(said) or "nothing new"),
        cursor=Cursor(
            due,
            due_snapshots,
            stamp,
            listed,
            [receipt for key, receipt in news.receipts if key not in left],
            began if news.complete and not left else cursor.listed_at,
        ).dump(),
    )


def _look(
    instance: dg.DagsterInstance, sorter: Sorter, inbox: Inbox, ledger: Ledger, news: News
) -> tuple[set[str], list[str]]:
    """Decides on new uploads while the tick lasts.

    Gives the keys that are left for another tick, and what became of each of the others.
    """
    started = time.monotonic()
    if news.complete:
        ledger.drop_gone(news.arrivals)
    undecided = ledger.undecided(news.arrivals) if news.arrivals else []
    left = {arrival.key for arrival in undecided}
    said: list[str] = []
    for arrival in filter(inbox.is_settled, undecided):
        if len(said) == TICK_UPLOADS or time.monotonic() - started > TICK_SECONDS:
            break
        said.append(printable(_decide(instance, sorter, ledger, arrival)))
        left.discard(arrival.key)
    if left:
        said.append(f"{len(left)} more uploads wait for the next tick")
    return left, said


def _decide(instance: dg.DagsterInstance, sorter: Sorter, ledger: Ledger, arrival: Object) -> str:
    try:
        taken = sorter.take(arrival)
    except Unclear as unclear:
        ledger.note(arrival, "quarantine", str(unclear))
        return f"{arrival.key}: quarantined: {unclear}"
    except (OSError, ServiceFault):
        raise  # a full disk says nothing about the file: the next tick looks again
    except Exception as error:  # noqa: BLE001 - one file must not stop the others
        reason = f"the reader broke on this file: {error!r}; please report it"
        ledger.note(arrival, "quarantine", reason)
        return f"{arrival.key}: quarantined: {error!r}"
    if isinstance(taken, TakenHalf):
        if taken.snapshot:
            report_snapshot(instance, taken.snapshot)
        ledger.note(arrival, "taken")
        return f"{arrival.key}: {_became_half(taken)}"
    if taken is None:
        if (owner := sorter.owner_of(arrival.key)) and not is_reported(instance, *owner):
            report_file(instance, *owner, {})  # a tick died before it did
        ledger.note(arrival, "taken")
        return f"{arrival.key}: this content is registered already"
    report_file(instance, taken.ticker, taken.kind, taken.upload, taken.facts)
    ledger.note(arrival, "taken")
    return f"{arrival.key}: {_became(taken)}"


def _became(taken: Taken) -> str:
    if taken.entry:
        return f"the {taken.kind} of {taken.ticker}"
    other = "trend" if taken.kind == "history" else "history"
    return f"the {taken.kind} of {taken.ticker}, which waits for its {other}"


def _became_half(taken: TakenHalf) -> str:
    if taken.snapshot:
        return f"the {taken.kind} of snapshot {taken.snapshot.name}"
    other = "accounts" if taken.kind == "customers" else "customers"
    return f"{taken.kind}, which wait for new {other} beside them"


def _due(registry: Registry, lake: Lake) -> dict[str, str]:
    """The changed currencies that need a run; those somebody refreshed meanwhile do not."""
    changed = registry.due()
    entries, notes = registry.get_all(changed), lake.notes(changed)
    due = {
        ticker: token
        for ticker, token in changed.items()
        if ticker in entries
        and notes[ticker].versions.get("gold") != entries[ticker].version("gold")
    }
    for ticker in changed.keys() - due.keys():
        registry.settle(ticker, changed[ticker])
    return due


def _requests(instance: dg.DagsterInstance, due: dict[str, str]) -> Iterator[dg.RunRequest]:
    """A run for each stretch of partitions, named by the changes it is for."""
    registered: Sequence[str] = instance.get_dynamic_partitions(str(ticker_partitions.name))
    for stretch in contiguous(registered, due):
        changes = json.dumps([(ticker, due[ticker]) for ticker in stretch])
        yield dg.RunRequest(
            run_key=hashlib.sha256(changes.encode()).hexdigest(),
            job_name=refresh_currencies.name,
            tags=range_tags(stretch),
        )


def _snapshot_request(name: str) -> dg.RunRequest:
    return dg.RunRequest(run_key=name, job_name=refresh_accounts.name, partition_key=name)
