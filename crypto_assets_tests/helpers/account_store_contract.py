"""What every implementation of `AccountStore` promises; each has its own `store` fixture."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from crypto_assets.resources.accounts.store import AccountStore
from crypto_assets.resources.progress import LOGGER
from crypto_assets_tests.helpers.account_changes import account, apply, change, written
from crypto_assets_tests.helpers.processes import saying

DELETED = datetime(2026, 11, 21, 15, 36, 27, tzinfo=UTC)
WRITER = """
import sys
from pathlib import Path
from crypto_assets.resources.accounts.duckdb_store import DuckDBAccountStore
from crypto_assets.resources.aws import Aws
from crypto_assets.resources.accounts.dynamodb import DynamoDBAccountStore
from crypto_assets_tests.helpers.account_changes import batches
def some():
    first, *others = batches(Path(sys.argv[1]), rows={rows})
    yield first
    print("half done", flush=True)
    sys.stdin.read()
    yield from others
{made}.apply(some(), {total})
"""


class AccountStoreContract:
    """The tests; a subclass has a fixture `store` and says how a process makes the same one."""

    many: ClassVar[int] = 20_000
    """So many accounts are not written at once."""

    def made(self, store: AccountStore) -> str:
        """The expression that makes this store in another process."""
        raise NotImplementedError

    def half_done(self, store: AccountStore) -> bool:
        """Whether another process has written something of the changes, or holds the store."""
        raise NotImplementedError

    @pytest.fixture
    def changes(self, tmp_path):
        """Writes these changes to a file."""
        return lambda *rows: written(tmp_path / "changes.parquet", list(rows))

    def test_a_store_without_accounts_says_so(self, store):
        assert store.get("a-1") == []
        assert store.forget(7) == 0

    def test_an_account_is_found_as_it_was_put(self, store, changes):
        whole = account("0f8fad5b-d9cb-469f-a165-70867728950e")
        bare = account("9legacy-2", year=0, customer_id=None, name="José 比特 \"x\"\n'y'")
        apply(store, changes(change("insert", whole), change("insert", bare)))
        assert store.get(whole.account_number) == [whole]
        assert store.get(bare.account_number) == [bare]
        assert store.get("no such") == []

    def test_a_changed_account_takes_the_place_of_the_old(self, store, changes):
        apply(store, changes(change("insert", account("a")), change("insert", account("b"))))
        changed = account("a", name="Ann Lee", customer_id=None)
        apply(store, changes(change("change", changed)))
        assert (store.get("a"), store.get("b")) == ([changed], [account("b")])

    def test_a_deleted_account_stays_and_says_when_until_it_is_restored(self, store, changes):
        apply(store, changes(change("insert", account("a"))))
        gone = account("a", deleted_at=DELETED)
        apply(store, changes(change("delete", gone)))
        assert store.get("a") == [gone]
        apply(store, changes(change("restore", account("a"))))
        assert store.get("a") == [account("a")]

    @pytest.mark.parametrize("operation", ["change", "restore"])
    @pytest.mark.parametrize(("before", "after"), [(2019, 2020), (2020, 0), (0, 2021)])
    def test_an_account_of_another_year_leaves_nothing_behind(
        self, store, changes, operation, before, after
    ):
        old = account("a", before, deleted_at=DELETED if operation == "restore" else None)
        apply(store, changes(change("insert", old), change("insert", account("b", before))))
        moved = changes(change(operation, account("a", after), previous_year=before))
        for _ in range(2):
            apply(store, moved)
            assert store.get("a") == [account("a", after)]
        assert store.get("b") == [account("b", before)]

    def test_no_changes_are_fine(self, store, changes):
        apply(store, changes())
        assert store.get("a") == []

    def test_changes_given_twice_do_what_they_do_once(self, store, changes):
        apply(store, changes(*(change("insert", account(f"a{n}")) for n in range(60))))
        rows = [change("change", account(f"a{n}", 2021), 2020) for n in range(30)]
        rows += [change("delete", account(f"a{n}", deleted_at=DELETED)) for n in range(30, 60)]
        for _ in range(2):
            apply(store, changes(*rows))
        for n in range(30):
            assert store.get(f"a{n}") == [account(f"a{n}", 2021)]
            assert store.get(f"a{n + 30}") == [account(f"a{n + 30}", deleted_at=DELETED)]

    def test_a_forgotten_customer_leaves_no_item_and_others_stay(self, store, changes):
        rows = [change("insert", account(f"a{n}", 2000 + n % 9)) for n in range(30)]
        rows += [change("insert", account("gone", deleted_at=DELETED))]
        rows += [change("insert", account("other", customer_id=77))]
        rows += [change("insert", account("nobody's", customer_id=None))]
        apply(store, changes(*rows))
        assert store.forget(7) == 31
        assert store.forget(7) == 0
        assert [store.get(f"a{n}") for n in range(30)] == [[]] * 30
        assert store.get("gone") == []
        assert store.get("other") == [account("other", customer_id=77)]
        assert store.get("nobody's") == [account("nobody's", customer_id=None)]

    def test_progress_is_reported_to_the_end(self, store, changes, caplog):
        LOGGER.addHandler(caplog.handler)
        try:
            with caplog.at_level("INFO", LOGGER.name):
                apply(store, changes(*(change("insert", account(f"a{n}")) for n in range(60))))
        finally:
            LOGGER.removeHandler(caplog.handler)
        steps = [record.step for record in caplog.records]
        assert {(step.name, step.total) for step in steps} == {("write to the store", 60)}
        assert sum(step.advance for step in steps) == 60

    def test_a_writer_killed_half_way_is_made_good_by_the_next(self, store, changes):
        count = self.many
        apply(store, changes(*(change("insert", account(f"a{n}")) for n in range(count))))
        path = changes(*(change("change", account(f"a{n}", 2021), 2020) for n in range(count)))
        code = WRITER.format(made=self.made(store), rows=count // 2, total=count)
        with saying("half done", code, str(path)) as writer:
            assert self.half_done(store)
        assert writer.returncode == -signal.SIGKILL
        assert all(store.get(f"a{n}") for n in range(0, count, 997)), "an account is not there"
        apply(store, path)
        assert self.held(store) == count
        for n in range(0, count, 997):
            assert store.get(f"a{n}") == [account(f"a{n}", 2021)]

    def held(self, store: AccountStore) -> int:
        """How many items there are."""
        raise NotImplementedError
