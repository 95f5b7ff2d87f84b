"""A proxy in the environment, as every company laptop has: loopback is reached without it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request

import pytest

from crypto_assets.resources.engine.proxies import keep_loopback_direct
from crypto_assets_tests.helpers.waiting import HANG_S

CHECK = "from crypto_assets.resources.engine.local import SailEngine as S; print(S().check())"
LOOPBACK = "localhost,127.0.0.1,::1"


@pytest.fixture
def environment(monkeypatch):
    """Sets these variables of proxies and no others; gives those there are afterwards."""
    for name in list(os.environ):
        if "proxy" in name.lower():
            monkeypatch.delenv(name)
    monkeypatch.setenv("no_proxy", "")  # restored afterwards; the product sets it
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_grpc_proxy", "")
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        os.environ.pop(name)

    def after(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        keep_loopback_direct()
        return {n: v for n, v in os.environ.items() if n.lower() in ("no_proxy", "no_grpc_proxy")}

    return after


@pytest.mark.parametrize(
    ("before", "direct", "grpc"),
    [
        ({}, LOOPBACK, None),
        ({"no_proxy": "a.com, 127.0.0.1"}, "a.com,127.0.0.1,localhost,::1", None),
        ({"NO_PROXY": "a.com"}, f"a.com,{LOOPBACK}", None),
        ({"no_proxy": "a.com", "NO_PROXY": "b.com"}, f"a.com,{LOOPBACK}", None),
        ({"no_proxy": "*"}, "*", LOOPBACK),
        ({"no_grpc_proxy": "a.com"}, LOOPBACK, f"a.com,{LOOPBACK}"),
    ],
)
def test_only_loopback_is_added_to_what_is_direct_already(environment, before, direct, grpc):
    wanted = {"no_proxy": direct, "NO_PROXY": direct}
    after = environment(HTTPS_PROXY="http://proxy:3128", **before)
    assert after == (wanted | {"no_grpc_proxy": grpc} if grpc else wanted)
    assert environment() == after


def test_all_else_keeps_the_proxy(environment):
    environment(http_proxy="http://proxy:3128")
    bypassed = {
        host: bool(urllib.request.proxy_bypass(host))
        for host in ("localhost", "127.0.0.1:4566", "sqs.eu-west-1.amazonaws.com", "spark:15002")
    }
    assert list(bypassed.values()) == [True, True, False, False]


def test_without_a_proxy_nothing_is_set(environment):
    assert environment(http_proxy="") == {}


@pytest.mark.parametrize("direct", [{}, {"NO_PROXY": "a.com"}, {"no_proxy": "*"}])
def test_the_local_engine_answers_behind_a_proxy_that_does_not(direct):
    others = {n: v for n, v in os.environ.items() if "proxy" not in n.lower()}
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = subprocess.run(
            [
                *(sys.executable, "-c"),
                CHECK,
            ],
            env={**others, "http_proxy": proxy, "https_proxy": proxy, **direct},
            capture_output=True,
            text=True,
            timeout=HANG_S,
            check=False,
        )
    assert done.stdout.startswith("Spark "), done.stderr
