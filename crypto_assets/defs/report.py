"""What the report says: verdicts and measures of all currencies, as `status` shows them.

Gathers what the product's own records know; the page itself is made in `resources/report`. No
Dagster is imported here: `crypto-assets report` is to answer soon.
"""

from __future__ import annotations

from pathlib import Path

from crypto_assets.defs.status import Status, statuses
from crypto_assets.defs.under_way import under_way
from crypto_assets.resources import wiring
from crypto_assets.resources.accounts.digest import HAPPENED
from crypto_assets.resources.report.known import KnownAccounts, KnownCurrency
from crypto_assets.resources.report.report import Report, write_report
from crypto_assets.resources.settings import Settings

FILE = "report.html"
_MEASURED = {"bronze": "", "gold": ""}
_STORE = "customer_account_store"


def make_report(settings: Settings, path: Path | None = None) -> Report:
    """Writes the report on all currencies, to `report.html` in the home if nothing else is said."""
    currencies, accounts = _gathered(settings)
    return write_report(path or settings.root / FILE, wiring.lake(settings), currencies, accounts)


def _gathered(settings: Settings) -> tuple[list[KnownCurrency], KnownAccounts | None]:
    """What is known of every registered currency, and of the newest snapshot of accounts."""
    published, snapshots = wiring.published(settings)
    looks = under_way(settings, [published, snapshots])
    found = statuses(published, published.registry.names(), looks[0], _MEASURED)
    newest = statuses(snapshots, snapshots.registry.names()[-1:], looks[1], {_STORE: ""})
    accounts = [_known_accounts(snapshot) for snapshot in newest]
    return list(map(_known_currency, found)), accounts[0] if accounts else None


def _known_currency(status: Status) -> KnownCurrency:
    """What the page is to say of one currency, beside what is counted on its tables."""
    bronze, gold = (status.layers[layer].metadata for layer in _MEASURED)
    warehouse = status.layers["warehouse"]
    sources = (bronze.get(f"{kind}/source") for kind in status.entry.files)
    return KnownCurrency(
        ticker=status.entry.partition,
        state=status.state,
        problems=tuple(status.problems),
        history_remarks=bronze.get("history/notes", ""),
        remarks=tuple(r for r in (bronze.get("trend/notes"), gold.get("warnings")) if r),
        files=tuple(upload.name for upload in status.entry.files.values()),
        sources=tuple(source for source in sources if source),
        rows=gold.get("rows", 0),
        published_at=None if warehouse.problem else warehouse.at,
    )


def _known_accounts(status: Status) -> KnownAccounts:
    counts = status.layers[_STORE].metadata
    return KnownAccounts(
        snapshot=status.entry.partition,
        state=status.state,
        problems=tuple(status.problems),
        counts={name: counts[name] for name in HAPPENED if name in counts},
    )
