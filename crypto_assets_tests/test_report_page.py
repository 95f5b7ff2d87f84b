"""The page of `crypto-assets report` in headless Chromium: offline, on any screen, by keyboard.

The home is that of `make demo`: five currencies, one of them broken. Needs `chromium` on PATH. Its
pictures in the documentation are made here: `make test-ui SCREENSHOTS=docs`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect

from crypto_assets.cli import main
from crypto_assets.resources import wiring
from crypto_assets.resources.report import report
from crypto_assets.resources.report.known import KnownAccounts, KnownCurrency
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.browser_ui import chromium, errors_of, serious_violations
from crypto_assets_tests.helpers.waiting import HANG_S
from sample_data.demo import BROKEN, FILES

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent
HOSTILE = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[/x]", "\"'&amp;"]
SCREENS = [(1440, 900), (820, 1180), (390, 844)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of five currencies with its report."""
    root = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRYPTO_ASSETS_HOME", str(root))
        patch.setenv("DAGSTER_HOME", "")
        for ticker, (history, trend) in FILES.items():
            folder = ROOT / "sample_data" / ticker.lower()
            files = ["--history", str(folder / history), "--trend", str(folder / trend)]
            typed("add", ticker, *files, "--force")
        typed("materialize", "--all")
        typed("report")
        yield root


def typed(*words: str) -> None:
    CliRunner().invoke(main, list(words), catch_exceptions=False)


@pytest.fixture(scope="module")
def browser(home: Path) -> Iterator[Browser]:
    """Chromium, started when the home is whole: its event loop runs in this process too."""
    expect.set_options(timeout=HANG_S * 1000)
    with chromium() as started:
        yield started


class Opened:
    """A report opened in a page from which no request gets out, and what went wrong in it."""

    def __init__(self, browser: Browser, file: Path, **options: object) -> None:
        self.page: Page = browser.new_page(**options)
        self.page.set_default_timeout(HANG_S * 1000)
        self.errors = errors_of(self.page)
        self.requests: list[str] = []
        url = file.as_uri()
        self.page.route(lambda asked: asked != url, lambda route: route.abort())
        self.page.on("dialog", lambda dialog: self.errors.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)
        self.own = [url]

    def open_chart(self, ticker: str) -> None:
        self.page.get_by_role("button", name=ticker, exact=True).press("Enter")
        expect(self.page.locator("#chart[aria-busy=false] canvas").first).to_be_visible()

    def is_sound(self) -> None:
        """Nothing failed or was asked for, nothing is too wide, and axe finds nothing serious."""
        assert (self.errors, self.requests) == ([], self.own)
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert self.page.evaluate("byId('details').scrollWidth <= byId('details').clientWidth")
        assert serious_violations(self.page) == []

    @property
    def tickers(self) -> list[str]:
        return self.page.locator("tbody th").all_text_contents()


@pytest.fixture
def opened(browser: Browser, home: Path) -> Iterator[Opened]:
    found = Opened(browser, home / "report.html")
    yield found
    found.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_table_and_chart_are_sound_on_any_screen(browser, home, tmp_path, width, height, scheme):
    asked = os.environ.get("SCREENSHOTS")
    pictures = ROOT / asked if asked else tmp_path
    screen = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    found = Opened(browser, home / "report.html", **screen)
    expect(found.page.get_by_text("5 currencies: 1 failed, 4 published")).to_be_visible()
    found.is_sound()
    if (width, scheme) == (1440, "light"):
        area = {"x": 0, "y": 0, "width": 1440, "height": 470}
        found.page.screenshot(path=pictures / "report.png", animations="disabled", clip=area)
    found.open_chart("BTC")
    found.is_sound()
    if (width, scheme) == (1440, "dark"):
        found.page.screenshot(path=pictures / "report-chart.png", animations="disabled")
    found.page.close()


def test_problems_come_first_and_a_failed_currency_says_why(opened):
    assert opened.tickers == [BROKEN, "BTC", "ETH", "SHIB", "XMR"]
    expect(opened.page.locator("tr.problem")).to_contain_text("line 915: not a price")
    opened.page.get_by_role("button", name=BROKEN, exact=True).click()
    expect(opened.page.locator("dialog")).to_contain_text("none published")
    expect(opened.page.locator("#chart")).to_be_hidden()


def test_the_keyboard_reaches_sorting_rows_and_charts_and_escape_closes(opened):
    page = opened.page
    focused = "document.activeElement.textContent"
    page.locator("#verdict").focus()
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Currency"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) != "none"
    page.keyboard.press("Enter")
    assert opened.tickers == sorted(FILES)
    page.keyboard.press("Enter")
    assert opened.tickers == sorted(FILES, reverse=True)
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Currency")
    while page.evaluate(focused) != "XMR":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#chart[aria-busy=false] canvas").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    assert page.evaluate(focused) == "XMR"


def test_search_verdict_and_sorting_choose_what_is_shown(opened):
    page = opened.page
    page.get_by_role("searchbox").fill("kraken")
    assert opened.tickers == ["XMR"]
    expect(page.locator("#found")).to_have_text("1 of 5")
    page.get_by_role("searchbox").fill("no such thing")
    assert opened.tickers == []
    page.get_by_role("searchbox").fill("")
    page.locator("#verdict").select_option("published")
    page.get_by_role("button", name="Last price").click()
    prices = [float(p.replace(",", "")) for p in page.locator("td.of-price").all_text_contents()]
    assert len(prices) == 4
    assert prices == sorted(prices)


def test_the_chart_has_the_days_of_gold_and_its_mean(opened, home):
    at = opened.page.evaluate("currencies.findIndex((c) => c.ticker === 'BTC')")
    words = "({days, price, pricema}) => [[...days], [...price], [...pricema]]"
    days, price, mean = opened.page.evaluate(f"readSeries(currencies[{at}]).then({words})")
    gold = pq.ParquetFile(home / "lake/gold/ticker=BTC/data.parquet").read()
    assert days == gold["date"].cast("int32").to_pylist()
    for shown, column in ((price, "price"), (mean, "pricema")):
        known = [float("nan") if v is None else v for v in gold[column].to_pylist()]
        assert shown == pytest.approx(known, rel=1e-6, nan_ok=True)


def test_another_span_scale_or_scheme_draws_the_chart_again(opened):
    page = opened.page
    opened.open_chart("BTC")
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.get_by_role("button", name="All", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    for change in (
        lambda: page.get_by_label("Log scale").check(),
        lambda: page.emulate_media(color_scheme="dark"),
    ):
        before = page.evaluate_handle("shown.chart")
        change()
        page.wait_for_function("before => shown.chart && shown.chart !== before", arg=before)
    opened.is_sound()


def test_nothing_moves_where_people_want_less_motion(browser, home):
    found = Opened(browser, home / "report.html", reduced_motion="reduce")
    assert found.page.evaluate("document.getAnimations().length") == 0
    moving = "getComputedStyle(document.querySelector('tbody tr')).transitionDuration"
    assert found.page.evaluate(moving) == "0s"
    found.page.close()


def test_hostile_words_are_shown_as_they_are_and_do_nothing(browser, home, tmp_path):
    known = [
        KnownCurrency(
            ticker,
            "failed",
            problems=(f"{text}\u202e\x07",),
            history_remarks=text,
            files=(text,),
            sources=(text,),
        )
        for ticker, text in zip(["BTC", "ETH", *HOSTILE[:2]], HOSTILE, strict=True)
    ]
    lake = wiring.lake(Settings(home=home))
    accounts = KnownAccounts(HOSTILE[0], HOSTILE[1], problems=(HOSTILE[2],))
    report.write_report(tmp_path / "hostile.html", lake, known, accounts)
    found = Opened(browser, tmp_path / "hostile.html")
    assert sorted(found.tickers) == sorted(["BTC", "ETH", *HOSTILE[:2]])
    shown = found.page.locator("tr.problem").all_text_contents()
    assert sorted(shown) == sorted(rf"{text}\u202e\u0007" for text in HOSTILE)
    expect(found.page.locator("#accounts")).to_contain_text(HOSTILE[0])
    found.open_chart("BTC")
    expect(found.page.locator("#details-remarks")).to_have_text(HOSTILE[0])
    found.is_sound()
    found.page.close()


def test_older_days_that_are_thinned_out_are_said_on_the_page(browser, home, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "SERIES_BYTES", 1000)
    known = [KnownCurrency("BTC", "published", rows=1838)]
    report.write_report(tmp_path / "thin.html", wiring.lake(Settings(home=home)), known, None)
    found = Opened(browser, tmp_path / "thin.html")
    expect(found.page.locator("#thinned")).to_contain_text("every day of a currency's last 90 days")
    found.open_chart("BTC")
    found.is_sound()
    found.page.close()


def test_thousands_of_currencies_come_a_piece_at_a_time_and_each_is_found(browser, home, tmp_path):
    known = [KnownCurrency(f"C{number:04}", "stale") for number in range(3000)]
    report.write_report(tmp_path / "many.html", wiring.lake(Settings(home=home)), known, None)
    found = Opened(browser, tmp_path / "many.html")
    assert len(found.tickers) == 100
    found.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(found.page.locator("tbody th", has_text="C0199")).to_be_attached()
    found.page.get_by_role("searchbox").fill("c2999")
    assert found.tickers == ["C2999"]
    found.is_sound()
    found.page.close()


def test_a_report_without_currencies_says_what_to_do(browser, home, tmp_path):
    report.write_report(tmp_path / "empty.html", wiring.lake(Settings(home=home)), [], None)
    found = Opened(browser, tmp_path / "empty.html")
    expect(found.page.get_by_text("run crypto-assets add or upload")).to_be_visible()
    found.is_sound()
    found.page.close()
