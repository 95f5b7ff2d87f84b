"""A home and a lake of format 1 are taken over once, whatever breaks off meanwhile."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.accounts.refresh import AccountsRefresh
from crypto_assets.resources.accounts.snapshots import UNPAIRED_SECONDS
from crypto_assets.resources.data_set.upgrade import upgrade_inbox, upgrade_lake
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.ledger import Ledger, Quarantined
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.resources.market_data.refresh import CurrencyRefresh
from crypto_assets.resources.market_data.registry import choices_of
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.lake import Lake, Manifest
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.old_home import (
    BTC,
    DELIVERED,
    ETAGS,
    FIRST,
    NEW_ACCOUNTS,
    NEW_INBOX,
    NEW_LAKE,
    NOON,
    OLD_INBOX,
    OLD_LAKE,
    PAIR,
    ROWS,
    UNPAIRED,
    UPLOADS,
    XMR,
    Documents,
    upload,
)

FOLDERS = {key.partition("/")[0] for key in {**OLD_INBOX, **NEW_INBOX, **OLD_LAKE, **NEW_LAKE}}
CHANGES = ("write", "move", "delete", "delete_below")


class KilledError(Exception):
    """What ends a process that is killed."""


class Killed:
    """Objects whose process is killed after so many changes; a deletion of three keys is three."""

    def __init__(self, objects: Objects, changes: int) -> None:
        self._objects, self._steps = objects, itertools.count()
        self._changes = changes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._objects, name)
        return self._counted(method) if name in CHANGES else method

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._counted(self._objects.delete)([key])

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def change(*arguments: Any) -> Any:
            if next(self._steps) >= self._changes:
                raise KilledError
            return method(*arguments)

        return change


def write_all(objects: Objects, documents: Documents) -> None:
    for key, document in documents.items():
        text = document if isinstance(document, str) else json.dumps(document)
        objects.write(key, text.encode(), durable=False)


def read_all(objects: Objects) -> dict[str, Any]:
    """Every document and text but for locks, by its key."""
    found = [*objects.walk(), *(each for folder in FOLDERS for each in objects.below(folder))]
    texts = {each.key: objects.read(each.key).decode() for each in found}
    return {
        key: json.loads(text) if key.endswith(".json") else text
        for key, text in texts.items()
        if not key.endswith(".lock")
    }


@pytest.fixture
def old(settings: Settings) -> Settings:
    """The settings of a home of the old form."""
    for folder, documents in ((settings.inbox_folder, OLD_INBOX), (settings.lake_folder, OLD_LAKE)):
        for key, document in documents.items():
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            text = document if isinstance(document, str) else json.dumps(document)
            (folder / key).write_text(text)
            os.utime(folder / key, ns=(DELIVERED, DELIVERED))
    return settings


@pytest.fixture
def currencies(old: Settings) -> CurrencyRefresh:
    return wiring.market_data(old)


@pytest.fixture
def accounts(old: Settings) -> AccountsRefresh:
    return wiring.accounts(old)


def test_a_currency_keeps_its_uploads_and_choices_and_stays_due(currencies):
    registry = currencies.registry
    assert registry.names() == ["BTC"]
    entry = registry.get("BTC")
    assert entry.files == {kind: StoredUpload(**file) for kind, file in BTC.items()}
    assert choices_of(entry) == Choices(
        missing="drop", dates="dmy", accept_outliers=True, max_shrink=0.5, names=("gold",)
    )
    texts = [Path(file.uri).read_text() for file in registry.pinned(entry).values()]
    assert texts == ["prices", "trend"]
    assert list(registry.due()) == ["BTC"]
    registry.settle(registry.due())
    assert registry.due() == {}


def test_a_currency_that_waited_waits_and_is_completed_by_its_other_file(currencies):
    registry = currencies.registry
    trend = StoredUpload(**XMR)
    assert {name: entry.files for name, entry in registry.waiting().items()} == {
        "XMR": {"trend": trend}
    }
    history = StoredUpload(**upload("xmr.csv", "d"))
    assert registry.assign("XMR", "history", history, {}).files == {
        "trend": trend,
        "history": history,
    }
    assert registry.names() == ["BTC", "XMR"]
    assert registry.waiting() == {}


def test_what_was_decided_on_is_not_decided_on_again(old):
    inbox = wiring.inbox(old)
    ledger = Ledger(inbox.objects)
    assert [arrival.key for arrival in ledger.undecided(inbox.arrivals())] == ["new.csv"]
    assert ledger.quarantined() == [Quarantined("pizza.csv", 5, "unclear")]
    assert [key for key in sorted(UPLOADS) if ledger.is_open(key)] == ["old.csv", "pizza.csv"]


def test_snapshots_stay_and_who_was_forgotten_stays_out(accounts):
    registry = accounts.registry
    assert registry.names() == list(registry.due()) == [FIRST]
    assert registry.snapshot(FIRST).files == {
        kind: StoredUpload(**file) for kind, file in PAIR.items()
    }
    assert registry.forgotten() == (-7,)
    assert accounts.partition(registry.snapshot(FIRST)).facts["arrived_at"].startswith("2023-11-15")


def test_an_unpaired_file_is_paired_with_the_new_one_that_comes(accounts):
    customers = StoredUpload(**upload("bank/customers.csv", "5"))
    snapshot = accounts.registry.assign_file("customers", customers, NOON + 90)
    assert snapshot.files == {"customers": customers, "accounts": StoredUpload(**NEW_ACCOUNTS)}
    (waiting,) = accounts.registry.waiting().values()
    assert waiting.files == {"customers": StoredUpload(**UNPAIRED)}


def test_an_unpaired_file_is_paired_with_the_old_one_if_none_comes(accounts):
    assert accounts.registry.pair_overdue(NOON + 60 + UNPAIRED_SECONDS) == []
    (snapshot,) = accounts.registry.pair_overdue(NOON + 61 + UNPAIRED_SECONDS)
    assert snapshot.files == {
        "customers": StoredUpload(**PAIR["customers"]),
        "accounts": StoredUpload(**NEW_ACCOUNTS),
    }


def test_what_is_published_is_known_as_before(currencies, accounts):
    (manifest,) = currencies.lake.manifests(MARKET_DATA, ["BTC"]).values()
    assert manifest == Manifest({"silver": "s1", "gold": "g1"}, ROWS, ETAGS, publishing="run")
    with accounts.tables.working():
        before = {**NEW_LAKE["_manifests/accounts.json"], "counts": {}}
        assert vars(accounts.tables.progress) == before
        assert accounts.versions([FIRST]) == {
            FIRST: {"accounts_bronze": "b1", "accounts_silver": "s1", "customer_accounts": "c1"}
        }


@pytest.mark.parametrize("text", ["", "[]", '{"gold": "v1"}', "{"])
def test_what_cannot_be_read_of_a_currencys_tables_is_as_good_as_nothing(objects, text):
    write_all(objects, {"_versions/BTC.json": text})
    upgrade_lake(objects)
    assert Lake(objects=objects).manifests(MARKET_DATA, ["BTC"]) == {"BTC": Manifest()}


def test_a_second_opening_changes_nothing(old):
    def files() -> Iterator[tuple[str, int]]:
        for path in sorted(old.root.rglob("*")):
            if path.suffix != ".lock":
                yield str(path), path.stat().st_mtime_ns

    inbox, lake = wiring.inbox(old).objects, wiring.lake(old).objects
    before = list(files())
    upgrade_inbox(inbox)
    upgrade_lake(lake)
    assert list(files()) == before


FORMS = pytest.mark.parametrize(
    ("upgrade", "old_form", "new_form"),
    [(upgrade_inbox, OLD_INBOX, NEW_INBOX), (upgrade_lake, OLD_LAKE, NEW_LAKE)],
    ids=["inbox", "lake"],
)


@FORMS
def test_every_document_has_its_new_place(objects, upgrade, old_form, new_form):
    write_all(objects, old_form)
    upgrade(objects)
    assert read_all(objects) == new_form


@FORMS
@pytest.mark.parametrize("objects", ["local"], indirect=True)  # in a bucket it takes minutes
def test_a_process_killed_after_any_step_loses_nothing(objects, upgrade, old_form, new_form):
    for changes in itertools.count():
        for folder in FOLDERS:
            objects.delete_below(folder)
        write_all(objects, old_form)
        try:
            upgrade(Killed(objects, changes))
        except KilledError:
            upgrade(objects)
        else:
            break
        assert read_all(objects) == new_form, f"killed after {changes} changes"
    assert read_all(objects) == new_form
    assert changes > 5


def test_a_copy_that_a_killed_process_left_beside_the_old_one_counts_whatever_its_etag(objects):
    copy = {f"_contents/{64 * 'a'}": "with another etag"}
    write_all(objects, {**OLD_INBOX, **copy})
    upgrade_inbox(objects)
    assert read_all(objects) == {**NEW_INBOX, **copy}


@FORMS
def test_two_that_open_it_at_once_take_it_over_once(objects, upgrade, old_form, new_form):
    write_all(objects, old_form)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(upgrade, [objects, objects]))
    assert read_all(objects) == new_form


def test_reading_writes_nothing_where_there_is_nothing_to_take_over(objects):
    upgrade_inbox(objects, writes=False)
    upgrade_lake(objects, writes=False)
    assert read_all(objects) == {}


@FORMS
def test_reading_takes_over_what_an_earlier_version_left(objects, upgrade, old_form, new_form):
    write_all(objects, old_form)
    upgrade(objects, writes=False)
    assert read_all(objects) == new_form


def test_a_new_home_has_the_mark_of_its_format_alone(objects):
    upgrade_inbox(objects)
    upgrade_lake(objects)
    mark = {"format": 2}
    assert read_all(objects) == {"_registry/format.json": mark, "_manifests/format.json": mark}


@pytest.mark.parametrize(
    ("folder", "mark", "opened"),
    [
        ("inbox", "_registry/format.json", wiring.registries),
        ("lake", "_manifests/format.json", wiring.lake),
    ],
)
def test_what_a_newer_version_wrote_is_refused_in_one_sentence(old, folder, mark, opened):
    (old.root / folder / mark).parent.mkdir(exist_ok=True)
    (old.root / folder / mark).write_text('{"format": 3}')
    before = sorted(old.root.rglob("*"))
    with pytest.raises(UsageError) as refused:
        opened(old)
    assert str(refused.value) == (
        f"{old.root / folder} was written by a newer version (format 3, here it is 2): "
        "upgrade crypto-assets"
    )
    assert sorted(old.root.rglob("*")) == before
