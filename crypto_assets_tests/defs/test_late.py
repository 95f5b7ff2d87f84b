"""The daily notice of late currencies, and what `status --late` shows of them."""

from __future__ import annotations

import json
from datetime import date, timedelta

import dagster as dg
import pytest

from crypto_assets.defs.late import SHOWN, late_notice, notice
from crypto_assets.resources import wiring
from crypto_assets.resources.errors import BusyError
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.market_data.freshness import Late
from crypto_assets.resources.settings import Settings
from crypto_assets.spark.job_spec import Verdict
from crypto_assets_tests.helpers.mailbox import Mailbox

DAY = date(2026, 3, 20)
WEEK_OLD, LATER = "2026-03-13", DAY + timedelta(days=1)
LAST_LINES = (2, 3, 4)  # of a history: the newest rows come first


class Daily:
    """The sensor with a mailbox; each tick is of a day, with the cursor of the one before."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance):
        self.settings, self.instance = settings, instance
        self.mailbox = Mailbox()
        self.cursor: str | None = None

    def tick(self, day: date) -> list[tuple[str, str]]:
        """The notices that a tick on this day sends."""
        before = len(self.mailbox.notices)
        sensor = late_notice(today=lambda: day)
        resources = {"settings": self.settings, "notifier": self.mailbox}
        with dg.build_sensor_context(
            self.instance, cursor=self.cursor, resources=resources
        ) as context:
            result = sensor.evaluate_tick(context)
        self.cursor = result.cursor
        return self.mailbox.notices[before:]


@pytest.fixture
def daily(settings):
    with open_instance(settings) as instance:
        yield Daily(settings, instance)


@pytest.fixture
def made(add, settings):
    """Registers currencies and records that their last price is of this day."""

    def record(ticker: str, last: str) -> None:
        add(ticker)
        measures = {"history": {"last_observed": last}}
        verdict = Verdict(ticker, "silver", measures=measures, version="1")
        wiring.outcomes(settings).record("market_data", [verdict])

    return record


def test_all_late_currencies_are_in_one_notice_a_day(daily, made):
    made("BTC", "2026-03-10")
    made("ETH", WEEK_OLD)
    made("XMR", "2026-02-20")
    ((subject, text),) = daily.tick(DAY)
    assert subject == "2 currencies are late"
    toml = daily.settings.inbox_folder / "currencies.toml"
    assert text.splitlines() == [
        "XMR: its last price is of 2026-02-20, 28 days ago; 7 are allowed",
        "BTC: its last price is of 2026-03-10, 10 days ago; 7 are allowed",
        "Upload newer files; `crypto-assets status --late` lists all late currencies.",
        f"If a currency may be older, say how old: late_after_days = DAYS below [XMR] in {toml}",
    ]
    assert daily.tick(DAY) == []
    ((subject, _),) = daily.tick(LATER)
    assert subject == "3 currencies are late"


def test_a_sensor_that_was_started_again_says_nothing_twice_on_a_day(settings, made):
    made("BTC", "2026-03-10")
    with open_instance(settings) as instance:
        before = Daily(settings, instance)
        assert len(before.tick(DAY)) == 1
    with open_instance(settings) as instance:
        after = Daily(settings, instance)
        after.cursor = before.cursor  # Dagster keeps it with the home
        assert after.tick(DAY) == []


def test_a_notice_that_could_not_be_sent_is_sent_by_the_next_tick(daily, made):
    made("BTC", "2026-03-10")
    daily.mailbox.is_closed = True
    with pytest.raises(BusyError):
        daily.tick(DAY)
    daily.mailbox.is_closed = False
    assert len(daily.tick(DAY)) == 1


def test_an_empty_platform_sends_nothing(daily):
    assert daily.tick(DAY) == []


def test_a_platform_without_late_currencies_sends_nothing(daily, made, add):
    made("BTC", WEEK_OLD)
    add("ETH")  # not computed: it has no last price
    assert daily.tick(DAY) == []


def test_a_long_notice_has_20_names_and_a_count():
    found = [Late(f"T{n:03}", date(2026, 3, 1), 19, 7) for n in range(1_250)]
    subject, text = notice(found, "inbox/currencies.toml")
    assert subject == "1,250 currencies are late"
    assert text.count("its last price is of") == SHOWN == 20
    assert "\nand 1,230 more\n" in text


def test_one_late_currency_is_one():
    assert notice([Late("BTC", date(2026, 3, 1), 19, 7)], "x")[0] == "1 currency is late"


@pytest.fixture
def published(add, run, settings):
    """BTC and ETH; the prices of both end in January 2024. A newer upload of ETH was refused."""
    add("BTC")
    add("ETH")
    assert run("materialize", "--all")[0] == 0
    add("ETH", cells={12: "n.a. see mail"})
    assert run("materialize", "--failed", "--stale")[0] == 1
    return settings


def test_status_late_lists_the_late_ones_with_problems_first(run, published):
    code, out, err = run("status", "--late")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split("  ")[0] == "ticker"
    assert [line.split()[:2] for line in lines[1:3]] == [["ETH", "failed"], ["BTC", "published"]]
    assert lines[3].startswith("ETH: bronze: ETH Historical Data.csv: line 12: not a price")
    assert lines[4:] == ["2 of 2 currencies are late"]
    toml = published.inbox_folder / "currencies.toml"
    assert err == f"upload newer files, or allow more by late_after_days in {toml}\n"


def test_status_late_knows_the_days_of_the_owners_and_takes_tickers(run, published):
    toml = published.inbox_folder / "currencies.toml"
    toml.write_text("[ETH]\nlate_after_days = 1000000\n")
    code, out, _ = run("status", "--late", "--json")
    (found,) = json.loads(out)["currencies"]
    assert (code, found["ticker"], found["late"]["allowed_days"]) == (0, "BTC", 7)
    assert found["last_price"] == found["last_date"]
    assert run("status", "--late", "ETH")[1] == "0 of 1 currencies are late\n"


def test_a_filled_price_is_no_last_price(run, add):
    """A dead coin's export goes on with empty cells, which are filled at most 10 rows."""
    add("BTC", cells=dict.fromkeys(LAST_LINES, "-"))
    assert run("materialize", "BTC")[0] == 0
    (found,) = json.loads(run("status", "BTC", "--json")[1])["currencies"]
    assert (found["last_date"], found["last_price"]) == ("2024-03-04", "2024-03-01")
