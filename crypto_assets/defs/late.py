"""The daily notice of late currencies: which ones, for how long, and what helps.

When a currency is late is in `resources/market_data/freshness`; `status --late` lists them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import date

import dagster as dg

from crypto_assets.resources import wiring
from crypto_assets.resources.inbox.inbox import OVERRIDES
from crypto_assets.resources.market_data.freshness import MEASURED, Late, late
from crypto_assets.resources.market_data.overrides import Overrides, read_overrides
from crypto_assets.resources.notifier.notifier import Notifier
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.clock import utc_day
from crypto_assets.spark.market_data.data_set import MARKET_DATA

NAME = "late_notice"
LOOK_SECONDS = 300
SHOWN = 20


def late_notice(today: Callable[[], date] = utc_day) -> dg.SensorDefinition:
    """The sensor that sends one notice a day (UTC) of all late currencies, if there are any.

    Its cursor is the day of the last look. A tick that is killed behind the notice sends it again.
    """

    @dg.sensor(
        name=NAME,
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends one notice a day of the currencies whose last price is too old.",
    )
    def sensor(
        context: dg.SensorEvaluationContext,
        settings: dg.ResourceParam[Settings],
        notifier: dg.ResourceParam[Notifier],
    ) -> dg.SensorResult:
        day = today()
        if context.cursor == day.isoformat():
            return dg.SensorResult(skip_reason=dg.SkipReason("once a day"), cursor=context.cursor)
        found = late_now(settings, day)
        if found:
            place = wiring.inbox(settings).objects.uri(OVERRIDES)
            notifier.notify(*notice(found, place), level=logging.WARNING)
        said = dg.SkipReason(f"{_counted(len(found))} late")
        return dg.SensorResult(skip_reason=said, cursor=day.isoformat())

    return sensor


def late_now(settings: Settings, today: date) -> list[Late]:
    """The late currencies, by the home's own records: one query, however many there are."""
    names = wiring.registries(settings)[0].names()
    known = wiring.outcomes(settings).layers(MARKET_DATA.name, names, {MEASURED: ""})
    measures = {name: of[MEASURED].measures for name, of in known.items() if MEASURED in of}
    return late(measures, allowances(settings), today)


def allowances(settings: Settings) -> Overrides:
    """What owners say in `currencies.toml`, with how old a last price may be."""
    overrides, _ = read_overrides(wiring.inbox(settings))
    return overrides


def notice(found: Sequence[Late], place: str) -> tuple[str, str]:
    """The subject and the text; `place` is where `currencies.toml` is, or belongs."""
    return f"{_counted(len(found))} late", "\n".join(_lines(found, place))


def _lines(found: Sequence[Late], place: str) -> Iterator[str]:
    for each in found[:SHOWN]:
        yield (
            f"{each.ticker}: its last price is of {each.last_price}, {each.days} days ago; "
            f"{each.allowed_days} are allowed"
        )
    if len(found) > SHOWN:
        yield f"and {len(found) - SHOWN:,} more"
    yield "Upload newer files; `crypto-assets status --late` lists all late currencies."
    example = f"late_after_days = DAYS below [{found[0].ticker}]"
    yield f"If a currency may be older, say how old: {example} in {place}"


def _counted(count: int) -> str:
    return "1 currency is" if count == 1 else f"{count:,} currencies are"
