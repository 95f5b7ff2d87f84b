"""`doctor --fix` makes what loads need in Redshift, shows the SQL, and asks for nothing."""

from __future__ import annotations

import pytest

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.redshift_double import ROLE
from crypto_assets_tests.doubles.router import routing
from crypto_assets_tests.helpers.roles import SERVER_KEY

SERVER = "IAMR:server"


@pytest.fixture
def settings(ministack, credentials, account, redshift, bucket, home, monkeypatch):
    """A lake on S3 and a warehouse in Redshift, computed here; the database user is a superuser."""
    redshift.reset()
    account.namespace["defaultIamRoleArn"] = ROLE
    doubles = {"redshift-serverless": account.url, "redshift-data": redshift.url}
    with routing(ministack, doubles) as router:
        for name, value in {
            "LAKE": "s3",
            "WAREHOUSE": "redshift",
            "AWS_LAKE": f"s3://{bucket}/lake",
            "AWS_REDSHIFT_WORKGROUP": "analytics",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": router.url,
        }.items():
            monkeypatch.setenv(f"CRYPTO_ASSETS_{name}", value)
        yield


def test_the_fix_is_shown_and_made_and_then_found_fit(run, settings, redshift):
    redshift.add_user(SERVER, SERVER_KEY)
    code, out, _ = run("doctor", "--fix", "--publisher", SERVER)
    assert code == 0, out
    shown = out.splitlines()
    assert shown[0] == "CREATE SCHEMA IF NOT EXISTS market_data;"
    tables = "market_data.prices, market_data.last_verdicts"
    assert f'GRANT INSERT, DELETE ON {tables} TO "{SERVER}";' in shown
    assert "database dev of workgroup analytics: 0 rows of 0 currencies" in out
    code, out, _ = run("doctor", "--fix")
    assert (code, out.count("GRANT"), out.count("CREATE")) == (0, 0, 0)


def test_who_may_not_load_is_found_unfit_with_the_cure(run, settings, redshift, monkeypatch):
    redshift.add_user(SERVER, SERVER_KEY)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", SERVER_KEY)
    code, out, _ = run("doctor")
    assert code == 1
    assert f'a superuser runs GRANT CREATE ON DATABASE dev TO "{SERVER}"' in " ".join(out.split())
    code, _, err = run("doctor", "--fix")
    assert (code, "permission denied for database" in err) == (1, True)


def test_whom_to_let_load_is_only_for_the_fix_and_for_a_warehouse_that_has_users(run, home):
    assert run("doctor", "--publisher", SERVER)[0] == 2
    code, _, err = run("doctor", "--fix", "--publisher", SERVER)
    assert (code, "DuckDB has no users" in err) == (2, True)
