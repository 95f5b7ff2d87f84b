"""The tables of the customer accounts: columns, types and what each column holds.

What the rows mean is computed in `bronze`, `transform` and `changes`.
"""

from __future__ import annotations

from crypto_assets.spark.tables import Column, Table

_BY_SNAPSHOT = ("snapshot",)
_SNAPSHOT = Column("snapshot", "string")
_CUSTOMER_ID = Column(
    "customer_id", "int", "as given; null where an account has a number but no customer"
)
_TYPE = Column(
    "type_of_account",
    "string",
    "in lower case; `legacy` becomes `checking`; `unknown` if missing",
    required=True,
)
_NUMBER = Column(
    "account_number",
    "string",
    "as given, in lower case; without one `<customer_id><type>`, a customer's later ones of that "
    "type with `-` and the milliseconds of their creation; an account keeps its number",
    required=True,
)
_CREATED_AT = Column("created_at", "timestamp", "UTC; null if missing")


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "string") for name in names)


# The columns of the two uploaded files.
CUSTOMER_TEXTS = _texts("customer_id", "first_name", "last_name", "gender", "state")
ACCOUNT_TEXTS = _texts("customer_id", "account_number", "type_of_account", "created_at")


def _bronze(kind: str, cells: tuple[Column, ...]) -> Table:
    """Every row of an upload as text, with the line it begins on.

    `problem` says what is wrong with it. The one row of line 0 is the file as a whole: `facts`
    (JSON) says what was counted in it, `problem` why it was refused, if it was.
    """
    columns = (Column("line", "int"), *cells, *_texts("problem", "facts"), _SNAPSHOT)
    return Table(f"accounts_bronze/{kind}", "accounts_bronze", columns, _BY_SNAPSHOT)


BRONZE_CUSTOMERS = _bronze("customers", CUSTOMER_TEXTS)
BRONZE_ACCOUNTS = _bronze("accounts", ACCOUNT_TEXTS)
SILVER_CUSTOMERS = Table(
    path="accounts_silver/customers",
    layer="accounts_silver",
    columns=(_CUSTOMER_ID, *CUSTOMER_TEXTS[1:], _SNAPSHOT),
    partitions=_BY_SNAPSHOT,
)
SILVER_ACCOUNTS = Table(
    path="accounts_silver/accounts",
    layer="accounts_silver",
    columns=(_CUSTOMER_ID, _NUMBER, _TYPE, _CREATED_AT, _SNAPSHOT),
    partitions=_BY_SNAPSHOT,
)

# One file for each year; an account whose creation time is not known has no year.
CUSTOMER_ACCOUNTS = Table(
    path="customer_accounts",
    layer="customer_accounts",
    columns=(
        _CUSTOMER_ID,
        Column("name", "string", "first and last name; `unknown` for each that is missing", True),
        Column("gender", "string", "as given, or `unknown`", True),
        Column(
            "state",
            "string",
            "the full name of one of the 50 states or `Washington, D.C.`, also from two letters, "
            "in any case; else `unknown`",
            True,
        ),
        _NUMBER,
        _TYPE,
        _CREATED_AT,
        Column(
            "created_at_year",
            "int",
            "its year, and the folder: `lake/customer_accounts/created_at_year=2024/data.parquet`; "
            "null if missing",
        ),
    ),
    partitions=("created_at_year",),
    row="an account with its customer",
)
WAREHOUSE_ACCOUNTS = Table(
    "accounts.customer_accounts",
    "customer_accounts",
    CUSTOMER_ACCOUNTS.columns,
    row=CUSTOMER_ACCOUNTS.row,
)

# What the store holds once a snapshot's changes are in it, deleted items too, and those changes.
# `created_at_year` is part of an item's key, so that it is 0 where it is not known;
# `previous_year` is that of the item which an account leaves behind when its year changes.
ITEM = (*CUSTOMER_ACCOUNTS.columns, Column("deleted_at", "timestamp"))
STORED = Table(
    path="customer_account_store/stored",
    layer="customer_account_store",
    columns=(*ITEM, _SNAPSHOT),
    partitions=_BY_SNAPSHOT,
)
CHANGES = Table(
    path="customer_account_store/changes",
    layer="customer_account_store",
    columns=(Column("operation", "string"), Column("previous_year", "int"), *ITEM, _SNAPSHOT),
    partitions=_BY_SNAPSHOT,
)
