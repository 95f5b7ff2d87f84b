"""A home and a lake of format 1, document by document, and what they become in format 2.

The JSON documents are as dictionaries, all else as text, each by its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Documents = Mapping[str, Any]

NOON = 1_700_049_600.0  # 2023-11-15T12:00:00Z
FIRST = "20231115T120000000Z-0f5c1e2d"
DELIVERED = 1_700_000_000 * 10**9  # when the files below were written, in nanoseconds


def upload(key: str, etag: str) -> dict[str, Any]:
    name = key.rpartition("/")[2]
    time = "2023-11-15T12:00:00+00:00"
    return {"key": key, "name": name, "etag": 64 * etag, "size": 6, "uploaded_at": time}


BTC = {"history": upload("btc.csv", "a"), "trend": upload("multiTimeline.csv", "b")}
CHOICES = {
    "missing": "drop",
    "dates": "dmy",
    "decimal": None,
    "accept_outliers": True,
    "max_shrink": 0.5,
    "names": ["gold"],
}
XMR = upload("monero.csv", "c")
PAIR = {
    "customers": upload("bank/customers.csv", "1"),
    "accounts": upload("bank/accounts.csv", "2"),
}
NEW_ACCOUNTS, UNPAIRED = upload("bank/accounts.csv", "3"), upload("other/customers.csv", "4")
DECIDED = {
    "btc.csv": "965179eb07846973632f2ff3-30b3e52dff641105d53245a6.json",
    "pizza.csv": "0ad120f9783f39c0bae1a182-361a7fc9d659ef723882f875.json",
    "old.csv": "73cb4b2d058b52cee918d7ca-7db25587c08ecd3bf95592a9.json",
}
FORGOTTEN = {"customer_id": -7, "at": "2023-11-15T12:00:00+00:00"}
UPLOADS = {"btc.csv": "prices", "pizza.csv": "pizza", "old.csv": "old", "new.csv": "new"}
CONTENTS = {"a": "prices", "b": "trend", "c": "monero", "1": "c1", "2": "a1", "3": "a2", "4": "c2"}

OLD_INBOX: Documents = {
    **UPLOADS,
    "_registry/.lock": "",
    "_registry/BTC.json": {"ticker": "BTC", **BTC, **CHOICES},
    "_waiting/trend/XMR.json": XMR,
    "_due/BTC": "8f59825504c85635 2023-11-15T12:00:00.123456+00:00",
    "_snapshots/.lock": "",
    f"_snapshots/{FIRST}.json": {
        "name": FIRST,
        "arrived_at": "2023-11-15T12:00:00.000+00:00",
        **PAIR,
    },
    "_snapshots/.pairs.json": {
        "bank": {
            "customers": {"upload": PAIR["customers"], "arrived": NOON, "used": True},
            "accounts": {"upload": NEW_ACCOUNTS, "arrived": NOON + 60, "used": False},
        },
        "other": {"customers": {"upload": UNPAIRED, "arrived": NOON + 60, "used": False}},
    },
    f"_due_snapshots/{FIRST}": "",
    "_forgotten/-7.json": FORGOTTEN,
    f"_taken/{DECIDED['btc.csv']}": {"key": "btc.csv", "size": 6, "reason": ""},
    f"_quarantine/{DECIDED['pizza.csv']}": {"key": "pizza.csv", "size": 5, "reason": "unclear"},
    f"_removed/{DECIDED['old.csv']}": {"key": "old.csv", "size": 3, "reason": ""},
    **{f"_versions/{64 * etag}": content for etag, content in CONTENTS.items()},
}
NEW_INBOX: Documents = {
    **UPLOADS,
    "_registry/format.json": {"format": 2},
    "_registry/market_data/entries/BTC.json": {
        "partition": "BTC",
        "files": BTC,
        "facts": {"choices": CHOICES},
    },
    "_registry/market_data/waiting/XMR.json": {
        "partition": "XMR",
        "files": {"trend": XMR},
        "facts": {},
    },
    "_registry/market_data/due/BTC.upgraded": OLD_INBOX["_due/BTC"],
    f"_registry/accounts/entries/{FIRST}.json": {
        "partition": FIRST,
        "files": PAIR,
        "facts": {"arrived_at": "2023-11-15T12:00:00.000+00:00"},
    },
    "_registry/accounts/waiting/folder-4381dc2ab1428516.json": {
        "partition": "folder-4381dc2ab1428516",
        "files": {"accounts": NEW_ACCOUNTS},
        "facts": {
            "arrived": {"customers": NOON, "accounts": NOON + 60},
            "paired": {"customers": PAIR["customers"]},
        },
    },
    "_registry/accounts/waiting/folder-d9298a10d1b07358.json": {
        "partition": "folder-d9298a10d1b07358",
        "files": {"customers": UNPAIRED},
        "facts": {"arrived": {"customers": NOON + 60}, "paired": {}},
    },
    f"_registry/accounts/due/{FIRST}.upgraded": "",
    "_registry/accounts/forgotten/-7.json": FORGOTTEN,
    **{
        f"_decisions/{new}/{name}": OLD_INBOX[f"{old}/{name}"]
        for old, new, name in (
            ("_taken", "assigned", DECIDED["btc.csv"]),
            ("_quarantine", "quarantine", DECIDED["pizza.csv"]),
            ("_removed", "removed", DECIDED["old.csv"]),
        )
    },
    **{f"_contents/{64 * etag}": content for etag, content in CONTENTS.items()},
}
TABLES = {
    "gold/ticker=BTC/data.parquet": "gold",
    f"accounts_silver/accounts/snapshot={FIRST}/data.parquet": "silver",
}
ROWS, ETAGS = {"gold": 40}, {"gold/ticker=BTC/data.parquet": "5d41402a"}
PROGRESS = {
    "published": FIRST,
    "publishing": False,
    "stored": FIRST,
    "stored_in": f"{FIRST}-again",
    "storing": True,
    "rows_by_year": {"2020": 3, "unknown": 1},
}
OLD_LAKE: Documents = {
    **TABLES,
    ".publishing.lock": "",
    "_versions/BTC.json": {
        "versions": {"silver": "s1", "gold": "g1"},
        "rows": ROWS,
        "stamps": ETAGS,
        "publishing": "run",
    },
    "_versions/customer_accounts.json": {
        "versions": {
            FIRST: {
                "accounts_bronze": "b1",
                "accounts_silver": "s1",
                "customer_accounts": "c1",
                "customer_account_store": "d1",
            },
            "20231114T120000000Z-00000000": {"accounts_bronze": "b0", "customer_accounts": "c0"},
        },
        **PROGRESS,
    },
    "_jobs/run/spec.json": {"currencies": []},
}
NEW_LAKE: Documents = {
    **TABLES,
    "_manifests/format.json": {"format": 2},
    "_manifests/market_data/BTC.json": {
        "versions": {"silver": "s1", "gold": "g1"},
        "rows": ROWS,
        "etags": ETAGS,
        "publishing": "run",
    },
    f"_manifests/accounts/{FIRST}.json": {
        "versions": {"accounts_bronze": "b1", "accounts_silver": "s1"}
    },
    "_manifests/accounts/20231114T120000000Z-00000000.json": {
        "versions": {"accounts_bronze": "b0"}
    },
    "_manifests/accounts.json": {
        "versions": {"customer_accounts": "c1", "customer_account_store": "d1"},
        **PROGRESS,
    },
}
