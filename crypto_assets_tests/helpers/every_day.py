"""What any warehouse shows of the days between a currency's first and last."""

from __future__ import annotations

from datetime import date

from crypto_assets.resources.warehouse.warehouse import Warehouse
from crypto_assets_tests.helpers.described import DAYS, VALUES

# The first day of XMR has no price.
ROWS: dict[str, dict[str, list]] = {
    "BTC": {"date": DAYS, **VALUES},
    "XMR": {"date": [DAYS[0], DAYS[2]], **{name: [None, 2.0] for name in VALUES}},
}


def shows_every_day(warehouse: Warehouse) -> None:
    """Asks for all days of both currencies, whose rows are loaded."""
    days = "SELECT date, price, is_carried FROM market_data.daily WHERE ticker = '{}' ORDER BY date"
    of_btc = [(1.0, False), (1.0, True), (3.0, False), (4.0, False), *[(4.0, True)] * 3]
    _, rows = warehouse.query(days.format("BTC"))
    first = DAYS[0].toordinal()
    assert rows == [(date.fromordinal(first + n), *each) for n, each in enumerate(of_btc)]
    of_xmr = [(None, False), (None, False), (2.0, False)]
    _, rows = warehouse.query(days.format("XMR"))
    assert rows == [(date.fromordinal(first + n), *each) for n, each in enumerate(of_xmr)]
    _, rows = warehouse.query("SELECT COUNT(*) FROM market_data.daily")
    assert rows == [(len(of_btc) + len(of_xmr),)]
