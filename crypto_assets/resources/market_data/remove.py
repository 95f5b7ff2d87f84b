"""Taking a currency out of everything, in an order in which a crash leaves what can be repeated."""

from __future__ import annotations

from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.market_data.refresh import Platform


def remove(platform: Platform, inbox: Inbox, ledger: Ledger, ticker: str, *, purge: bool) -> None:
    """Removes the currency's rows, files and entry; with `purge` its uploads too.

    The entry goes last: until then the removal can be repeated. A run under way publishes nothing
    of a currency that has no entry. Raises `LakeBusy` and `WarehouseBusy`.
    """
    registry = platform.registry
    with platform.lake.publishing():
        platform.warehouse.remove(ticker)
        platform.lake.remove(ticker)
        with registry.changing():
            uploads = list(registry.uploads())
            others = {upload.etag for name, _, upload in uploads if name != ticker}
            for upload in (upload for name, _, upload in uploads if name == ticker):
                if purge:
                    inbox.delete(upload, pinned=upload.etag not in others)
                    ledger.forget(upload.key)
                elif arrival := inbox.standing(upload):
                    ledger.note(arrival, "removed")
            registry.remove(ticker)
