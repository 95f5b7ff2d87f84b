"""What is taken for damage of Dagster's databases, and what their errors come from."""

from __future__ import annotations

import sqlite3

import pytest

from crypto_assets.resources.doctor.home import check_databases, explained
from crypto_assets.resources.errors import RefusedError
from crypto_assets.resources.home.instance import open_instance


@pytest.mark.parametrize("name", ["history/runs/a_run.db", "history/runs.db"])
def test_a_database_whose_making_was_interrupted_is_no_damage(settings, name):
    path = settings.dagster_home / name
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE event_logs (id INTEGER)")
    connection.close()
    assert check_databases(settings).endswith("databases can be read")
    path.unlink()
    path.touch()
    assert check_databases(settings).endswith("databases can be read")
    with open_instance(settings) as instance:
        assert instance.get_runs() == []


def test_a_disk_that_was_full_is_named_although_it_has_room_again(settings, tmp_path):
    with sqlite3.connect(tmp_path / "small.db") as connection:
        connection.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as full:
            connection.execute("CREATE TABLE numbers AS SELECT zeroblob(100000)")
    connection.close()
    found = explained(settings, full.value)
    assert isinstance(found, RefusedError)
    assert str(found).startswith(f"No space left on device: {settings.root}: make some and run ")
