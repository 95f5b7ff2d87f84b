"""The tables of the customer accounts: where each stands below a lake's root, and its columns.

The one definition of paths and columns, as `spark/tables.py` is for the market data.
"""

from __future__ import annotations

from crypto_assets.spark.tables import Table

_BY_SNAPSHOT = ("snapshot",)

# Every row of the uploads as text, cell by cell, with the line it begins on; `problem` says what is
# wrong with it. The one row of line 0 is the file as a whole: `facts` (JSON) says what was counted
# in it, `problem` why it was refused, if it was.
BRONZE_CUSTOMERS = Table(
    path="accounts_bronze/customers",
    layer="accounts_bronze",
    columns=(
        "line int, customer_id string, first_name string, last_name string, gender string, "
        "state string, problem string, facts string, snapshot string"
    ),
    partitions=_BY_SNAPSHOT,
)
BRONZE_ACCOUNTS = Table(
    path="accounts_bronze/accounts",
    layer="accounts_bronze",
    columns=(
        "line int, customer_id string, account_number string, type_of_account string, "
        "created_at string, problem string, facts string, snapshot string"
    ),
    partitions=_BY_SNAPSHOT,
)
SILVER_CUSTOMERS = Table(
    path="accounts_silver/customers",
    layer="accounts_silver",
    columns=(
        "customer_id int, first_name string, last_name string, gender string, state string, "
        "snapshot string"
    ),
    partitions=_BY_SNAPSHOT,
)
SILVER_ACCOUNTS = Table(
    path="accounts_silver/accounts",
    layer="accounts_silver",
    columns=(
        "customer_id int, account_number string, type_of_account string, created_at timestamp, "
        "snapshot string"
    ),
    partitions=_BY_SNAPSHOT,
)

# One file for each year; an account whose creation time is not known has no year.
CUSTOMER_ACCOUNTS = Table(
    path="customer_accounts",
    layer="customer_accounts",
    columns=(
        "customer_id int, name string, gender string, state string, account_number string, "
        "type_of_account string, created_at timestamp, created_at_year int"
    ),
    partitions=("created_at_year",),
)

# What the store holds once a snapshot's changes are in it, deleted items too, and those changes.
# `created_at_year` is part of an item's key, so that it is 0 where it is not known;
# `previous_year` is that of the item which an account leaves behind when its year changes.
_ITEM = (
    "customer_id int, name string, gender string, state string, account_number string, "
    "type_of_account string, created_at timestamp, created_at_year int, deleted_at timestamp"
)
STORED = Table(
    path="customer_account_store/stored",
    layer="customer_account_store",
    columns=f"{_ITEM}, snapshot string",
    partitions=_BY_SNAPSHOT,
)
CHANGES = Table(
    path="customer_account_store/changes",
    layer="customer_account_store",
    columns=f"operation string, previous_year int, {_ITEM}, snapshot string",
    partitions=_BY_SNAPSHOT,
)
