"""Each data set's code version depends on the files its code is made of."""

from __future__ import annotations

from pathlib import Path

from crypto_assets import spark
from crypto_assets.spark.version import code_version, sources

FOLDER = Path(spark.__file__).parent


def names(data_set):
    return {path.relative_to(FOLDER).as_posix() for path in sources(data_set)}


def test_the_customer_accounts_and_the_market_data_share_no_more_than_they_both_use():
    accounts, market = names("accounts"), names("market_data")
    assert {f"accounts/{path.name}" for path in (FOLDER / "accounts").glob("*.py")} <= accounts
    assert {"job_spec.py", "storage.py", "tables.py", "exports/numbers.py"} <= accounts
    assert (
        not {
            *(f"market_data/{n}.py" for n in ("bronze", "silver", "gold", "job")),
            "exports/trend.py",
        }
        & accounts
    )
    assert not [name for name in market if name.startswith("accounts/")]
    every = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.py")}
    assert every == accounts | market


def test_each_data_set_has_a_version_of_its_own():
    versions = {code_version("accounts"), code_version("market_data")}
    assert len(versions) == 2
    assert {len(version) for version in versions} == {12}
