"""Pages on other origins try to drive the web UI in real Chromium; the UI's own page may.

Every way adds a partition of the name of that way, so what came through is seen in Dagster.
Needs `chromium` on PATH.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagster as dg
import pytest
from playwright.sync_api import Page

from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.browser_ui import chromium
from crypto_assets_tests.helpers.waiting import HANG_S
from crypto_assets_tests.helpers.web_ui import REPOSITORY, serving

pytestmark = pytest.mark.browser

# Tries each way and gives what became of the WebSocket. `no-cors` and forms need no preflight.
ATTEMPTS = """
async ({ui, repository}) => {
    const mutation = (name) => `mutation { addDynamicPartition(partitionsDefName: "ticker",
        partitionKey: "${name}", repositorySelector: ${repository}) { __typename } }`;
    const asked = (name) => `${ui}/graphql?query=${encodeURIComponent(mutation(name))}`;
    const tried = (url, options) => fetch(url, options).catch(() => null);
    await tried(asked("GET"), {mode: "no-cors"});
    await tried(asked("POST"), {mode: "no-cors", method: "POST"});
    const headers = {"Content-Type": "application/json"};
    const body = JSON.stringify({query: mutation("JSON")});
    await tried(`${ui}/graphql`, {method: "POST", headers, body});
    const report = `${ui}/report_asset_materialization/gold?partition=REPORT`;
    await tried(report, {mode: "no-cors", method: "POST"});
    await new Promise((resolve) => {
        const image = new Image();
        image.onload = image.onerror = resolve;
        image.src = asked("IMAGE");
    });
    await new Promise((resolve) => {
        const frame = Object.assign(document.createElement("iframe"), {name: "frame"});
        document.body.append(frame);
        frame.onload = resolve;
        const fields = {method: "POST", action: asked("FORM"), target: "frame"};
        const form = Object.assign(document.createElement("form"), fields);
        document.body.append(form);
        form.submit();
    });
    return new Promise((resolve) => {
        const socket = new WebSocket(`${ui.replace("http", "ws")}/graphql`, "graphql-ws");
        socket.onopen = () => resolve("open");
        socket.onerror = () => resolve("refused");
    });
}
"""
# What the UI's own page can do; the image is a GET.
OWN = {"POST", "JSON", "FORM"}


class _Blank(BaseHTTPRequestHandler):
    """An empty page at every path."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html><body></body></html>")

    def log_message(self, *_):
        """Prints nothing."""


@contextmanager
def other_server() -> Iterator[int]:
    """The port of a web server that is not the UI."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Blank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def attempts(page: Page, at: str, target: str) -> str:
    page.goto(at)
    return page.evaluate(ATTEMPTS, {"ui": target, "repository": REPOSITORY})


def test_a_page_elsewhere_changes_nothing_and_the_uis_own_page_can(settings: Settings):
    instance = dg.DagsterInstance.from_config(str(settings.dagster_home))
    with (
        serving(settings) as ui,
        other_server() as port,
        chromium("--host-resolver-rules=MAP evil.example 127.0.0.1") as browser,
    ):
        page = browser.new_page()
        page.set_default_timeout(HANG_S * 1000)
        ui_port = ui.url.rpartition(":")[2]
        found = {
            "another port of this machine": attempts(page, f"http://127.0.0.1:{port}", ui.url),
            "another site": attempts(page, f"http://evil.example:{port}", ui.url),
            "a sandboxed page": attempts(page, "data:text/html,<body></body>", ui.url),
        }
        rebound = f"http://evil.example:{ui_port}"  # its name now means this machine
        found["a page whose name was rebound"] = attempts(page, rebound, rebound)
        assert set(found.values()) == {"refused"}, found
        assert instance.get_dynamic_partitions("ticker") == []
        assert not instance.fetch_materializations(dg.AssetKey("gold"), limit=1).records

        assert attempts(page, f"{ui.url}/runs", ui.url) == "open"
        assert set(instance.get_dynamic_partitions("ticker")) == OWN
        assert instance.fetch_materializations(dg.AssetKey("gold"), limit=1).records
        page.goto(f"{ui.url}/asset-groups")
        page.get_by_text("market_data").first.wait_for()
