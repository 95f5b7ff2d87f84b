"""Customer accounts from the command line to table, warehouse, store and notice."""

from __future__ import annotations

import json
import re
import time
from collections import Counter

import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.accounts.snapshots import SnapshotRegistry
from crypto_assets.resources.accounts.tables import AccountTables
from crypto_assets.resources.errors import BusyError
from crypto_assets.resources.inbox.stored import pinned_key
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.bank import (
    check_store,
    counts,
    items,
    notices,
    plain,
    register,
    subject,
    table,
    warehouse,
)
from sample_data.accounts import Snapshot, write_snapshots


@pytest.fixture
def bank(tmp_path) -> list[Snapshot]:
    """Three snapshots in a row with every oddity, and what is true of them."""
    return write_snapshots(tmp_path / "bank", customers=60, accounts=200, seed=7)


@pytest.fixture
def deliver(run):
    """Registers a snapshot by the command and runs it; gives its name and the command's line."""

    def run_snapshot(snapshot: Snapshot, *options: str) -> tuple[str, int, str]:
        files = ("--customers", snapshot.customers, "--accounts", snapshot.accounts)
        code, out, _ = run("accounts", *files, *options)
        registered, line = out.splitlines()[:2]
        return registered.partition(":")[0], code, line

    return run_snapshot


@pytest.fixture
def snapshots(settings) -> SnapshotRegistry:
    return wiring.accounts(settings).registry


def test_three_snapshots_in_a_row_each_with_its_digest(deliver, bank, settings, snapshots, run):
    names = []
    for number, truth in enumerate(bank, 1):
        name, code, line = deliver(truth)
        names.append(name)
        assert code == 0, line
        done = subject(truth).removeprefix("customer accounts: ")
        assert line.endswith(f"{len(truth.rows):,} accounts  {done}")
        assert notices(settings)[-1] == subject(truth)
        assert len(notices(settings)) == number
        rows = plain(truth.rows)
        assert plain(table(settings), *next(iter(truth.rows.values()))) == rows
        assert plain(warehouse(settings), *next(iter(truth.rows.values()))) == rows
        check_store(settings, bank[:number], names, snapshots)
    assert names == sorted(names) == snapshots.names()
    document = json.loads(run("status", "--json")[1])["snapshots"]
    assert [d["snapshot"] for d in document] == names
    assert [d["layers"]["accounts_silver"]["state"] for d in document] == ["published"] * 3
    assert document[-1]["rows"] == len(bank[-1].rows)
    assert {name: n for name, n in document[-1]["changes"].items() if n} == counts(bank[-1])


def test_wrong_order_and_twice_end_in_the_same_state(run, bank, settings, snapshots):
    names = [register(snapshots, settings, truth) for truth in bank]
    for name in (names[2], names[0], names[1], names[2], names[0]):
        code, out, err = run("accounts", name)
        assert code == 0, err
        if name != names[2]:
            assert f"customer_accounts customer_account_store hold the newer {names[2]}" in out
    truth = bank[2]
    assert plain(table(settings), *next(iter(truth.rows.values()))) == plain(truth.rows)
    live = {key[0] for key, item in items(settings).items() if not item["deleted_at"]}
    assert live == set(truth.rows)
    assert len(items(settings)) == len(truth.rows)
    assert len(notices(settings)) == 1
    states = json.loads(run("status", "--json")[1])["snapshots"]
    assert [s["layers"]["customer_account_store"]["state"] for s in states] == [
        *("superseded", "superseded", "published")
    ]


def test_an_unchanged_snapshot_writes_and_reports_nothing(deliver, bank, settings):
    assert deliver(bank[0])[1] == 0
    before = settings.store_file.stat().st_mtime_ns, items(settings)
    _, code, line = deliver(bank[0])
    assert (code, line.rpartition("  ")[2]) == (0, "no changes")
    assert items(settings) == before[1]
    assert len(notices(settings)) == 1


def test_a_snapshot_without_most_accounts_is_refused_until_confirmed(
    deliver, bank, settings, run, tmp_path
):
    deliver(bank[0])
    before = table(settings), items(settings)
    lines = bank[0].accounts.read_text(encoding="utf-8").splitlines(keepends=True)
    short = tmp_path / "accounts.csv"
    short.write_text("".join(lines[:60]), encoding="utf-8")
    files = ("--customers", bank[0].customers, "--accounts", short)
    code, out, _ = run("accounts", *files)
    assert code == 1
    assert "customer_accounts: " in out
    assert f"of {len(bank[0].rows):,} live accounts" in out
    assert "--confirm-mass-delete" in out
    assert (table(settings), items(settings)) == before
    name = out.split(":")[0]
    code, out, _ = run("accounts", name, "--confirm-mass-delete")
    assert code == 0, out
    live = {key[0] for key, item in items(settings).items() if not item["deleted_at"]}
    assert live == set(table(settings))
    assert len(live) < 60


@pytest.mark.parametrize(
    ("row", "reported"),
    [
        ("1,,checking,20240101-01-01T00:00:00.000Z", "created_at"),
        ("1,,checking,2024-02-30T10:00:00.000Z", "created_at"),
        ("1,not-a-uuid,checking,2024-02-03T10:00:00.000Z", "account_number"),
        ("12x,,checking,2024-02-03T10:00:00.000Z", "customer_id"),
        ("1,,checking", "3 cells"),
    ],
)
def test_a_row_that_cannot_be_right_fails_the_snapshot_with_its_line(
    run, bank, row, reported, tmp_path, settings
):
    content = bank[0].accounts.read_text(encoding="utf-8")
    broken = tmp_path / "accounts.csv"
    broken.write_text(f"{content}{row}\n", encoding="utf-8")
    line = len(broken.read_text(encoding="utf-8").splitlines())
    code, out, _ = run("accounts", "--customers", bank[0].customers, "--accounts", broken)
    assert code == 1
    assert f"line {line}" in out
    assert reported in out
    assert not (settings.lake_folder / "customer_accounts").exists()
    assert not settings.store_file.exists()


def test_what_a_person_names_wrongly_is_refused(run, bank, tmp_path):
    code, _, err = run("accounts")
    assert (code, "there is no snapshot yet" in err) == (2, True)
    code, _, err = run("accounts", "yesterday")
    assert (code, "there is no snapshot 'yesterday'" in err) == (2, True)
    swapped = ("--customers", bank[0].accounts, "--accounts", bank[0].customers)
    code, _, err = run("accounts", *swapped)
    assert (code, "no file of customers" in err) == (2, True)
    assert run("accounts", "--customers", bank[0].customers)[0] == 2
    assert run("profile")[0] == 2
    code, _, err = run("accounts", "--layer", "customer_accounts")
    assert code == 2


def test_a_single_layer_needs_what_is_before_it(run, bank, settings, snapshots):
    name = register(snapshots, settings, bank[0])
    code, out, _ = run("accounts", name, "--layer", "accounts_silver")
    assert (code, "its accounts_bronze is stale or missing" in out) == (1, True)
    for layer in ("accounts_bronze", "accounts_silver", "customer_accounts"):
        assert run("accounts", name, "--layer", layer)[0] == 0
    assert not settings.store_file.exists()
    code, out, _ = run("accounts", name, "--layer", "customer_account_store")
    assert code == 0, out
    assert len(items(settings)) == len(bank[0].rows)


def test_the_profile_is_shown_as_a_table_and_as_json(run, deliver, bank):
    name = deliver(bank[0])[0]
    code, out, _ = run("profile")
    assert code == 0
    assert out.splitlines()[0] == f"snapshot {name}"
    assert "New Jerse (nearest: New Jersey)" in out
    found = json.loads(run("profile", name, "--json")[1])
    assert found["snapshot"] == name
    assert found["customers"]["nulls"]["state"] > 0


def test_a_forgotten_customer_is_nowhere_and_does_not_come_back(
    run, deliver, bank, settings, snapshots, home
):
    names = [deliver(truth)[0] for truth in bank[:2]]
    owners = Counter(row["customer_id"] for row in bank[1].rows.values() if row["customer_id"])
    customer, owned = owners.most_common(1)[0]
    numbers = {
        n for truth in bank[:2] for n, r in truth.rows.items() if r["customer_id"] == customer
    }
    assert owned > 1

    code, out, err = run("forget", customer, "--yes")
    assert code == 0, err
    erased = {line.split()[0]: int(line.split()[1]) for line in out.splitlines()}
    assert erased["warehouse"] == owned
    assert erased["store"] == len(numbers)
    assert min(erased.values()) > 0

    record = json.loads((home / f"inbox/_registry/accounts/forgotten/{customer}.json").read_bytes())
    assert record["erased"] == erased
    for place in (table(settings), warehouse(settings), items(settings)):
        assert all(row["customer_id"] != customer for row in place.values())
    given = [n for n in numbers if n.count("-") == 4]
    for path in (p for p in home.rglob("*") if p.is_file() and "dagster" not in p.parts):
        content = path.read_bytes()
        if path != settings.notices:
            assert not any(n.encode() in content for n in given), path
    held = items(settings)
    code, out, err = run("accounts", names[1])
    assert code == 0, out + err
    assert items(settings) == held
    _, code, line = deliver(bank[2])
    assert code == 0, line
    assert all(row["customer_id"] != customer for row in items(settings).values())
    assert run("forget", customer, "--yes")[0] == 0
    code, _, err = run("forget", 2**31 - 1, "--yes")
    assert (code, "nothing is known of customer" in err) == (2, True)


def test_a_store_that_is_gone_is_filled_anew_with_deleted_accounts_too(
    run, deliver, bank, settings, snapshots
):
    names = [deliver(truth)[0] for truth in bank[:2]]
    held = items(settings)
    assert any(item["deleted_at"] for item in held.values())
    settings.store_file.unlink()
    code, out, err = run("accounts", names[1])
    assert code == 0, out + err
    assert items(settings) == held
    settings.store_file.unlink()
    name, code, line = deliver(bank[2])
    assert code == 0, line
    check_store(settings, bank, [*names, name], snapshots)


def test_an_erasure_reaches_files_that_wait_and_leaves_every_layer_as_good_as_before(
    run, deliver, bank, settings, snapshots
):
    deliver(bank[0])
    inbox = wiring.inbox(settings)
    inbox.put(bank[1].customers, "delivered/customers.csv")
    content = bank[1].customers.read_bytes()
    snapshots.assign_file("customers", inbox.pin("delivered/customers.csv", content), time.time())
    owners = Counter(row["customer_id"] for row in bank[0].rows.values() if row["customer_id"])
    ((customer, _),) = owners.most_common(1)
    line = re.compile(rb"^\W*%d\W" % customer, re.MULTILINE)
    assert line.search(content)

    assert run("forget", customer, "--yes")[0] == 0

    (waiting,) = (each for each in snapshots.waiting().values() if each.files)
    kept = inbox.objects.read(pinned_key(waiting.files["customers"].etag))
    delivered = inbox.read("delivered/customers.csv", -1)
    assert kept == delivered
    assert not line.search(kept)
    (snapshot,) = json.loads(run("status", "--json")[1])["snapshots"]
    assert {layer["state"] for layer in snapshot["layers"].values()} == {"published"}


def test_a_second_run_waits_for_its_turn(home):
    settings = Settings(home=home, lock_wait_s=0.5)
    tables = AccountTables(wiring.lake(settings))
    started = time.monotonic()
    busy = pytest.raises(BusyError, match="another run has been publishing accounts")
    with tables.working(), busy, AccountTables(wiring.lake(settings)).working():
        pass
    assert time.monotonic() - started >= settings.lock_wait_s
