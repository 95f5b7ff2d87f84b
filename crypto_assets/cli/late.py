"""What `status --late` shows: the currencies whose last price is too old, and what helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crypto_assets.cli.command import say
from crypto_assets.cli.console import show_table, write_json
from crypto_assets.cli.market_data import (
    EVERY_MEASURE,
    chosen_tickers,
    currency_document,
    currency_statuses,
)

if TYPE_CHECKING:
    from crypto_assets.defs.status import Status
    from crypto_assets.resources.market_data.freshness import Late
    from crypto_assets.resources.settings import Settings


def show_late(settings: Settings, tickers: Sequence[str], *, as_json: bool) -> None:
    """Prints the late ones of these currencies, of all if none is named."""
    from crypto_assets.resources import wiring
    from crypto_assets.resources.inbox.inbox import OVERRIDES
    from crypto_assets.resources.market_data.freshness import MEASURED, late
    from crypto_assets.resources.market_data.overrides import read_overrides
    from crypto_assets.resources.storage.clock import utc_day

    inbox, (registry, _) = wiring.inbox(settings), wiring.registries(settings)
    chosen = chosen_tickers(registry, tickers) if tickers else registry.names()
    measures_with = EVERY_MEASURE if as_json else {MEASURED: ""}
    found = {s.entry.partition: s for s in currency_statuses(settings, chosen, measures_with)}
    measures = {ticker: each.layers[MEASURED].metadata for ticker, each in found.items()}
    overrides, _ = read_overrides(inbox)
    shown = [(each, found[each.ticker]) for each in late(measures, overrides, utc_day())]
    shown.sort(key=lambda each: not each[1].problems)  # those with problems come first
    if as_json:
        write_json({"currencies": [_document(*each) for each in shown]})
        return
    if shown:
        _show(shown)
    for problem in overrides.problems:
        say(problem, err=True)
    say(f"{len(shown)} of {len(chosen)} currencies are late")
    if shown:
        place = inbox.objects.uri(OVERRIDES)
        say(f"upload newer files, or allow more by late_after_days in {place}", err=True)


def _show(shown: Sequence[tuple[Late, Status]]) -> None:
    show_table(
        ["ticker", "state", "last price", "days ago", "allowed"],
        [
            (late.ticker, status.state, late.last_price, late.days, late.allowed_days)
            for late, status in shown
        ],
    )
    for late, status in shown:
        for problem in status.problems:
            say(f"{late.ticker}: {problem}")


def _document(late: Late, status: Status) -> dict[str, object]:
    """A late currency as `status --late --json` has it."""
    days = {"days": late.days, "allowed_days": late.allowed_days}
    return {**currency_document(status), "late": days}
