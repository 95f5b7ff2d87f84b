"""The web UI of the tests: a real webserver and daemon, and a page of headless Chromium on it.

What people do there is `test_browser`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, expect, sync_playwright

from crypto_assets_tests.test_uploads import ask, free_port, until

PAGE_MS = 60_000  # a busy machine draws a page late
WAIT_SECONDS = 240  # the daemon looks at backfills every 30 seconds


@dataclass
class Ui:
    """The page of a browser on a running `crypto-assets ui`."""

    url: str
    page: Page
    pictures: Path

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def ask(self, query: str) -> Any:
        """The only field of the answer to a GraphQL query."""
        answer = ask(f"{self.url}/graphql", f"{{ {query} }}")
        assert answer is not None, query
        (found,) = answer.values()
        return found

    def picture(self, name: str) -> None:
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.pictures / f"{name}.png", animations="disabled")


@contextmanager
def serving() -> Iterator[str]:
    """The address of a `crypto-assets ui` of this home, ended with all it started."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    # Dagster's own scratch files go where they are removed; not below `tmp_path`, whose name is too
    # long for a socket's.
    scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with (
        scratch,
        subprocess.Popen(
            [sys.executable, "-m", "crypto_assets.cli", "ui", "--port", str(port)],
            env={**os.environ, "TMPDIR": scratch.name},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process,
    ):
        try:
            until(WAIT_SECONDS, "the server", lambda: ask(f"{url}/graphql", "{ version }"))
            yield url
        finally:
            end(psutil.Process(process.pid))


def end(process: psutil.Process) -> None:
    """Ends a process and its children as Ctrl-C does; kills what does not go."""
    family = [process, *process.children(recursive=True)]
    os.killpg(process.pid, signal.SIGINT)
    _, alive = psutil.wait_procs(family, timeout=20)
    for other in alive:
        other.kill()
    psutil.wait_procs(alive, timeout=10)


@contextmanager
def chromium() -> Iterator[Browser]:
    command = shutil.which("chromium")
    assert command, "chromium is not on PATH; e.g. apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=command)
        yield started
        started.close()


@contextmanager
def page_of(url: str, last: Path) -> Iterator[Page]:
    """A page wide enough for the graph to show each asset's state; pictures are 1280 x 800.

    What it showed in the end is kept in `last`.
    """
    # Dagster's invitation to its community would come over any page, some seconds after the first.
    ask(f"{url}/graphql", "mutation { setNuxSeen }")
    with chromium() as browser:
        page = browser.new_page(
            viewport={"width": 1440, "height": 900},
            device_scale_factor=1280 / 1440,
            locale="en-US",
            timezone_id="UTC",
        )
        page.set_default_timeout(PAGE_MS)
        expect.set_options(timeout=PAGE_MS)
        yield page
        page.screenshot(path=last)
