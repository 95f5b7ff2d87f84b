"""The web UI of the tests: a real webserver and daemon, and a page of headless Chromium on it.

What people do there is `test_browser`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from crypto_assets_tests.helpers.waiting import HANG_S
from crypto_assets_tests.helpers.web_ui import WebUi


@dataclass
class BrowsedUi(WebUi):
    """The page of a browser on a running `crypto-assets ui`."""

    page: Page
    pictures: Path

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def picture(self, name: str) -> None:
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.pictures / f"{name}.png", animations="disabled")


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Headless Chromium, started with these arguments."""
    command = shutil.which("chromium")
    assert command, "chromium is not on PATH; e.g. apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=command, args=list(arguments), timeout=HANG_S * 1000
        )
        yield started
        started.close()


def errors_of(page: Page) -> list[str]:
    """What goes wrong in the page from now on: errors on its console, and those nobody caught."""
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


def serious_violations(page: Page) -> list[str]:
    """The rules of axe-core that the page breaks seriously, each with the first place."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [each for each in found if each["impact"] in {"serious", "critical"}]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in serious]


@contextmanager
def page_of(ui: WebUi, last: Path) -> Iterator[Page]:
    """A page wide enough for the graph to show each asset's state; pictures are 1280 x 800.

    What it showed in the end is kept in `last`.
    """
    # Dagster's invitation to its community would come over any page, some seconds after the first.
    ui.ask("setNuxSeen", "mutation")
    with chromium() as browser:
        page = browser.new_page(
            viewport={"width": 1760, "height": 1100},
            device_scale_factor=1280 / 1760,
            locale="en-US",
            timezone_id="UTC",
        )
        page.set_default_timeout(HANG_S * 1000)
        expect.set_options(timeout=HANG_S * 1000)
        yield page
        page.screenshot(path=last)
