"""The documentation as a site, built strictly, in headless Chromium: any screen, nothing from afar.

Needs `chromium` on PATH. That links lead somewhere is seen to by the build.
"""

from __future__ import annotations

import functools
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import Context
from playwright.sync_api import Browser, Page, expect

import crypto_assets
from crypto_assets.cli import main
from crypto_assets_tests.helpers.browser_ui import chromium, errors_of, serious_violations
from crypto_assets_tests.helpers.pages import ROOT
from crypto_assets_tests.helpers.waiting import HANG_S

pytestmark = pytest.mark.browser

SCREENS = [(1440, 900), (820, 1180), (390, 844)]
SCHEMES = {"light": "default", "dark": "slate"}  # as a browser and as Material name them
MAIN = ["index", "your-files", "api"]  # pictures, a wide table, code with its signature


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = Path(sys.executable).with_name("mkdocs")
    done = subprocess.run(
        [command, "build", "--site-dir", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def url(site: Path) -> Iterator[str]:
    """Where the site is served."""
    handler = functools.partial(_Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(url: str) -> Iterator[Browser]:
    expect.set_options(timeout=HANG_S * 1000)
    with chromium() as started:
        yield started


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", MAIN)
def test_a_main_page_is_sound_on_any_screen(browser, url, name):
    page = browser.new_page()
    errors, asked = errors_of(page), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{url}{name}.html")
    expect(page.locator(".md-search")).to_have_attribute("aria-label", "Search")
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        for scheme, colours in SCHEMES.items():
            page.emulate_media(color_scheme=scheme)
            expect(page.locator("body")).to_have_attribute("data-md-color-scheme", colours)
            assert (width, scheme, fits(page), serious_violations(page)) == (
                width,
                scheme,
                True,
                [],
            )
    assert errors == []
    assert [address for address in asked if not address.startswith(url)] == []
    page.close()


def test_no_page_is_wider_than_a_phone_or_shows_a_sign_of_markdown(browser, url, site):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    errors = errors_of(page)
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert len(found) > 20
    for path in found:
        page.goto(url + path)
        shown = page.locator("article").inner_text()
        signs = [sign for sign in ("\\|", "](", "**", "```", ":::") if sign in shown]
        assert (path, fits(page), signs) == (path, True, [])
    assert errors == []
    page.close()


def test_the_search_finds_a_page(browser, url):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{url}index.html")
    page.get_by_role("textbox", name="Search").fill("quarantine")
    found = page.locator(".md-search-result__link", has_text="Your own files").first
    expect(found).to_be_visible()
    found.click()
    page.wait_for_url("**/your-files.html*")
    page.close()


def test_the_reference_has_every_command_and_function_with_their_own_words(site):
    commands, api = ((site / f"{page}.html").read_text() for page in ("commands", "api"))
    assert [
        name for name in main.list_commands(Context(main)) if f'id="{name}"' not in commands
    ] == []
    assert "Usage: crypto-assets add [OPTIONS] TICKER" in commands
    assert [
        name for name in crypto_assets.__all__ if f'id="crypto_assets.api.{name}"' not in api
    ] == []
    assert "Raises <code>UsageError</code> if there is no such currency" in api
