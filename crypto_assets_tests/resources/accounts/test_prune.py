"""Which snapshots lose bronze and silver, and which are forgotten with their uploads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crypto_assets.resources.accounts.prune import LAYERS, prune_layers, prune_snapshots
from crypto_assets.resources.data_set.contents import Pruned, prune_contents
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.resources.storage.lake import Manifest
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets.spark.job_spec import Verdict

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AFTER_ALL = datetime.now(UTC) + DAY
WHAT = "old snapshots' bronze and silver"


@pytest.fixture
def inbox(objects):
    return Inbox(objects=objects)


@pytest.fixture
def made(accounts, inbox):
    """Registers and publishes a snapshot a day; their names. `folder` is where they came."""

    def make(days: int, folder: str = "bank", first: int = 0) -> list[str]:
        return [snapshot(day, folder.format(day)) for day in range(first, first + days)]

    def snapshot(day: int, folder: str) -> str:
        files = {}
        for kind in ACCOUNTS.files:
            inbox.objects.write(key := f"{folder}/{kind}.csv", content := f"{kind}{day}".encode())
            files[kind] = inbox.pin(key, content)
        name = accounts.registry.register(files, FIRST + day * DAY).partition
        publish(accounts, name)
        return name

    return make


def publish(accounts, name: str) -> None:
    """All layers of the snapshot, as a run leaves them; it is in the tables then."""
    for table in ("accounts_bronze/customers", "accounts_silver/accounts"):
        accounts.lake.objects.write(f"{table}/snapshot={name}/data.parquet", b"four")
    versions = dict.fromkeys(LAYERS, "v1")
    accounts.lake.restate(ACCOUNTS, name, Manifest(versions), None)
    verdicts = [Verdict(name, layer, version="v1") for layer in ACCOUNTS.layers]
    accounts.outcomes.record(ACCOUNTS.name, verdicts)
    accounts.registry.settle(accounts.registry.due())
    with accounts.tables.working():
        accounts.tables.change(published=name, stored=name)


def with_layers(accounts) -> list[str]:
    """The snapshots of which there are files of bronze and silver, after a check of the others."""
    objects = accounts.lake.objects
    of_tables = [
        sorted(name.rpartition("=")[2] for name in objects.folders(table))
        for table in ("accounts_bronze/customers", "accounts_silver/accounts")
    ]
    assert of_tables[0] == of_tables[1]
    names = accounts.registry.names()
    found = accounts.lake.current(ACCOUNTS, names)
    assert sorted(found) == of_tables[0]
    known = accounts.outcomes.layers(ACCOUNTS.name, names)
    assert sorted(name for name in names if LAYERS[0] in known[name]) == of_tables[0]
    assert all("customer_accounts" in layers for layers in known.values())
    return of_tables[0]


def test_bronze_and_silver_stay_of_the_last_snapshots_and_of_those_that_are_needed(accounts, made):
    names = made(9)
    publish(accounts, names[0])  # it is in the tables
    accounts.registry.put(accounts.registry.snapshot(names[1]))  # it is due
    accounts.outcomes.begin(ACCOUNTS.name, [names[2]], "a run that broke off")
    assert prune_layers(accounts, 3) == Pruned(WHAT, 3, 24)
    assert with_layers(accounts) == [*names[:3], *names[6:]]
    assert prune_layers(accounts, 3) == Pruned(WHAT)


def test_looking_alone_deletes_no_layers_and_says_the_same(accounts, made):
    names = made(5)
    assert prune_layers(accounts, 3, dry_run=True) == Pruned(WHAT, 2, 16)
    assert with_layers(accounts) == names


def test_fewer_snapshots_than_are_kept_lose_nothing(accounts, inbox, made):
    names = made(3)
    assert prune_layers(accounts, 10) == Pruned(WHAT)
    assert prune_snapshots(accounts, inbox, 10, AFTER_ALL) == []
    assert accounts.registry.names() == names


def contents(inbox) -> set[str]:
    return {inbox.objects.read(found.key).decode() for _, found in inbox.contents()}


def test_old_snapshots_are_forgotten_and_their_uploads_go(accounts, inbox, made):
    names = made(9)
    assert prune_snapshots(accounts, inbox, 6, AFTER_ALL, dry_run=True) == names[:3]
    assert accounts.registry.names() == names
    assert prune_snapshots(accounts, inbox, 6, AFTER_ALL) == names[:3]
    assert accounts.registry.names() == names[3:]
    assert accounts.outcomes.layers(ACCOUNTS.name, names[:3]) == {name: {} for name in names[:3]}
    assert prune_contents(inbox, [accounts.registry], AFTER_ALL).count == 6
    assert contents(inbox) == {f"{kind}{day}" for kind in ACCOUNTS.files for day in range(3, 9)}


def test_snapshots_that_were_replaced_lately_stay(accounts, inbox, made):
    names = made(9)
    before = FIRST + 2 * DAY + timedelta(hours=1)  # the first two were replaced by then
    assert prune_snapshots(accounts, inbox, 6, before) == names[:2]


def test_the_last_three_contents_that_were_replaced_stay_however_few_snapshots_do(
    accounts, inbox, made
):
    names = made(9)
    assert prune_snapshots(accounts, inbox, 1, AFTER_ALL) == names[:5]


def test_a_snapshot_stays_as_long_as_its_files_lie_where_they_were_delivered(accounts, inbox, made):
    names = made(9, folder="bank/{}")
    assert prune_snapshots(accounts, inbox, 6, AFTER_ALL) == []
    inbox.objects.delete(["bank/0/customers.csv", "bank/0/accounts.csv", "bank/1/accounts.csv"])
    assert prune_snapshots(accounts, inbox, 6, AFTER_ALL) == names[:1]


def test_a_folder_to_which_nothing_comes_any_more_is_forgotten_with_its_snapshot(
    accounts, inbox, made
):
    registry = accounts.registry
    for kind in ACCOUNTS.files:
        upload = StoredUpload(f"old/{kind}.csv", kind, 64 * kind[0], 1, "")
        registry.assign_file(kind, upload, FIRST.timestamp() - 1)
    (old,) = registry.names()
    registry.settle(registry.due())
    made(9)
    folders = f"{registry.folder}/waiting"
    assert len(list(inbox.objects.below(folders))) == 1
    assert prune_snapshots(accounts, inbox, 8, AFTER_ALL)[0] == old
    assert list(inbox.objects.below(folders)) == []
