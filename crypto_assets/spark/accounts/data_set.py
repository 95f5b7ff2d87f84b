"""The customer accounts as one value: two files per snapshot, and the layers made of them."""

from __future__ import annotations

from crypto_assets.spark.accounts import tables
from crypto_assets.spark.data_set import DataSet

ACCOUNTS = DataSet(
    name="accounts",
    noun="accounts",
    partition="snapshot",
    command="accounts",
    files={
        "customers": "All customers of the bank at one time, as it delivered them.",
        "accounts": "All accounts of the bank at one time, as it delivered them.",
    },
    layers={
        "accounts_bronze": "Every line of both files, cell by cell as text.",
        "accounts_silver": "Typed and cleaned customers and accounts.",
        "customer_accounts": (
            "One row per account with its customer, by year of creation; also in SQL."
        ),
        "customer_account_store": (
            "The key-value table that applications read; only changes go to it."
        ),
    },
    tables=(
        *(tables.BRONZE_CUSTOMERS, tables.BRONZE_ACCOUNTS),
        *(tables.SILVER_CUSTOMERS, tables.SILVER_ACCOUNTS),
        *(tables.CUSTOMER_ACCOUNTS, tables.STORED, tables.CHANGES),
    ),
    job="crypto_assets.spark.accounts.job",
    sql={"customer_accounts": tables.WAREHOUSE_ACCOUNTS},
)
