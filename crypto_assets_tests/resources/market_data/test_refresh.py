"""What keeps a currency's published tables although new ones passed their audit."""

from __future__ import annotations

import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.data_set.registry import Entry
from crypto_assets.resources.market_data.registry import with_choices
from crypto_assets.resources.storage.lake import Manifest
from crypto_assets.spark.job_spec import Verdict
from crypto_assets.spark.market_data.currency import Choices

SILVER = Verdict("BTC", "silver", measures={"history": {"rows": 32}, "trend": {"rows": 7}})
GOLD = Verdict("BTC", "gold", measures={"rows": 31})
CURE = (
    "if that is right, say --max-shrink SHARE (with `crypto-assets add`, or max_shrink = SHARE "
    "below [BTC] in {place})"
)


@pytest.mark.parametrize(
    ("verdict", "published", "max_shrink", "refused"),
    [
        (SILVER, {}, 0.2, ""),
        (SILVER, {"silver/history": 40, "silver/trend": 7}, 0.2, ""),
        (
            SILVER,
            {"silver/history": 41, "silver/trend": 7},
            0.2,
            f"silver/history would shrink from 41 to 32 rows, more than 20%; {CURE}",
        ),
        (
            SILVER,
            {"silver/history": 33, "silver/trend": 8},
            0.0,
            (
                "silver/history would shrink from 33 to 32 rows, more than 0%; "
                f"silver/trend would shrink from 8 to 7 rows, more than 0%; {CURE}"
            ),
        ),
        (GOLD, {"gold": 40}, 0.2, f"gold would shrink from 40 to 31 rows, more than 20%; {CURE}"),
        (GOLD, {"gold": 40}, 0.5, ""),
        (Verdict("BTC", "bronze", measures={}), {"gold": 40}, 0.0, ""),
    ],
)
def test_a_table_that_loses_more_rows_than_its_owner_allows_is_refused(
    settings, verdict, published, max_shrink, refused
):
    refresh = wiring.market_data(settings)
    entry = Entry("BTC", {}, with_choices(Choices(max_shrink=max_shrink)))
    place = settings.inbox_folder / "currencies.toml"
    wanted = refused.format(place=place)
    assert refresh.guard(verdict, entry, Manifest(rows=published)) == wanted
