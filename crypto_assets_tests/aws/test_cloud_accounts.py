"""Customer accounts under profile `aws`: S3, a job, Redshift and DynamoDB, as on a laptop."""

from __future__ import annotations

import json

import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.account_stream import make_table
from crypto_assets_tests.helpers.cloud import hasten, settings_of
from sample_data.accounts import write_snapshots

ROWS = "SELECT * FROM accounts.customer_accounts ORDER BY account_number"


@pytest.fixture
def settings(cloud, home, monkeypatch):
    hasten(monkeypatch)
    monkeypatch.setenv("CRYPTO_ASSETS_AWS_ACCOUNT_TABLE", f"accounts-{cloud.queue_url[-12:]}")
    settings = settings_of(cloud, home, monkeypatch)
    make_table(wiring.account_store(settings))
    return settings


@pytest.fixture
def bank(tmp_path):
    return write_snapshots(tmp_path / "bank", customers=40, accounts=80, seed=3)


def take(run, truth, *options):
    files = ("--customers", truth.customers, "--accounts", truth.accounts)
    code, out, err = run("accounts", *files, *options)
    assert code == 0, out + err
    return out.splitlines()[1].partition("  ")[2]


def stored(settings, bank):
    """What the store says of every account there ever was."""
    store = wiring.account_store(settings)
    numbers = sorted({number for truth in bank for number in truth.rows})
    items = [item for number in numbers for item in store.get(number)]
    return [(item, item.deleted_at is not None) for item in items]


def without_times_of_deletion(items):
    return [
        ({k: v for k, v in vars(item).items() if k != "deleted_at"}, gone) for item, gone in items
    ]


def test_three_snapshots_give_what_the_local_profile_gives(run, cloud, settings, bank, monkeypatch):
    lines = [take(run, truth) for truth in bank]
    rows = [tuple(row) for row in wiring.warehouse(settings).query(ROWS)[1]]
    items = without_times_of_deletion(stored(settings, bank))
    shown = json.loads(run("profile", "--json")[1])
    assert cloud.router.operations("emr-serverless")["POST"] == len(bank)
    assert cloud.keys("lake/_staging") == []
    assert cloud.keys("lake/_jobs") == []
    customer = next(row["customer_id"] for row in bank[2].rows.values() if row["customer_id"])
    code, out, err = run("forget", customer, "--yes")
    assert code == 0, err
    erased = out
    assert all(
        item["customer_id"] != customer
        for item, _ in without_times_of_deletion(stored(settings, bank))
    )

    monkeypatch.setenv("CRYPTO_ASSETS_PROFILE", "local")
    local = Settings()
    assert [take(run, truth) for truth in bank] == lines
    assert rows == [tuple(row) for row in wiring.warehouse(local).query(ROWS)[1]]
    assert items == without_times_of_deletion(stored(local, bank))
    expected = json.loads(run("profile", "--json")[1])
    assert {**shown, "snapshot": ""} == {**expected, "snapshot": ""}
    code, out, err = run("forget", customer, "--yes")
    assert (code, out) == (0, erased), err
