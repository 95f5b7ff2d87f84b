"""Which requests are answered: literal requests in, the reason or nothing out."""

from __future__ import annotations

import asyncio

import pytest

from crypto_assets.ui.guard import Guard, refusal

ALLOWED = ("ui.example.com",)


def request(path="/", query="", method="GET", **headers):
    """The scope of a request as a server makes it."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": pairs,
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:3000"},
        {"host": "LocalHost"},
        {"host": "127.0.0.1:8080"},
        {"host": "127.9.9.9:3000"},
        {"host": "[::1]:3000"},
        {"host": "ui.example.com"},
        {"host": "UI.example.com:8443"},
        {"host": "localhost:3000", "origin": "http://localhost:3000"},
        {"host": "ui.example.com", "origin": "https://ui.example.com"},
        {"host": "[::1]:3000", "origin": "http://[::1]:3000"},
        {"host": "localhost:3000", "sec_fetch_site": "same-origin"},
        {"host": "localhost:3000", "sec_fetch_site": "none"},
    ],
)
def test_a_request_of_this_machine_is_answered(headers):
    assert refusal(request(**headers), ALLOWED) == ""


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": ""},
        {"host": "evil.example"},
        {"host": "evil.example:3000"},
        {"host": "localhost.evil.example"},
        {"host": "127.0.0.1.evil.example:3000"},
        {"host": "evil@localhost:3000"},
        {"host": "localhost:3000@evil.example"},
        {"host": "localhost, evil.example"},
        {"host": "0.0.0.0:3000"},
        {"host": "192.168.0.7:3000"},
        {"host": "[::1"},
        {"host": "[fe80::1]:3000"},
        {"host": "ui.example.com.evil.example"},
    ],
)
def test_a_host_that_is_not_of_this_machine_is_refused(headers):
    assert "not a name of this machine" in refusal(request(**headers), ALLOWED)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:3001"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "http://localhost"},
        {"origin": "null"},
        {"origin": "file://"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "http://localhost:3000", "sec_fetch_site": "cross-site"},
    ],
)
def test_a_request_of_another_page_is_refused(headers):
    assert "another web" in refusal(request(host="localhost:3000", **headers), ALLOWED)


def test_two_hosts_in_one_request_are_refused():
    doubled = request(host="localhost:3000")
    doubled["headers"].append((b"host", b"evil.example"))
    assert "not a name of this machine" in refusal(doubled, ALLOWED)


@pytest.mark.parametrize("query", ["query=mutation+{x}", "query={version}", "a=b&query=", "query"])
def test_graphql_is_not_answered_by_get(query):
    refused = refusal(request("/graphql", f"{query}&query=x", host="localhost"), ALLOWED)
    assert refused == "GraphQL queries are answered by POST only."


def test_the_page_to_try_graphql_and_a_post_are_answered():
    assert refusal(request("/graphql", host="localhost"), ALLOWED) == ""
    post = request("/graphql", "query={version}", "POST", host="localhost")
    assert refusal(post, ALLOWED) == ""


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("http", ["http.response.start", "http.response.body"]),
        ("websocket", ["websocket.close"]),
        ("lifespan", ["passed on"]),
    ],
)
def test_what_is_refused_does_not_reach_the_server(kind, sent):
    messages = []

    async def send(message):
        messages.append(message["type"])

    async def app(scope, receive, send):
        await send({"type": "passed on"})

    scope = {**request(host="evil.example"), "type": kind}
    asyncio.run(Guard(app, ())(scope, None, send))
    assert messages == sent
