"""Proxies: the product talks to itself on loopback, and no proxy has a part in that.

All other addresses, such as AWS and a remote Spark, are left to the user's variables.
"""

from __future__ import annotations

import os

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
_GRPC = "no_grpc_proxy"


def keep_loopback_direct() -> None:
    """Adds the loopback names to `no_proxy` of this process and its children, if there is a proxy.

    Without a proxy nothing is set: Python would take that for the whole of a system's settings.
    """
    if not any(name.lower() in _PROXIES and value for name, value in os.environ.items()):
        return
    # gRPC reads lower case only; Python lets lower case win where both are set.
    direct = os.environ.get("no_proxy", os.environ.get("NO_PROXY", ""))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = _with_loopback(direct)
    # gRPC prefers its own variable, and does not understand the `*` of others.
    if _GRPC in os.environ or direct.strip() == "*":
        os.environ[_GRPC] = _with_loopback(os.environ.get(_GRPC, ""))


def _with_loopback(direct: str) -> str:
    names = [name.strip() for name in direct.split(",") if name.strip()]
    if names == ["*"]:
        return "*"  # everything is direct; beside another name Python would not see it
    return ",".join([*names, *(name for name in _LOOPBACK if name not in names)])
