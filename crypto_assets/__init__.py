"""crypto_assets: two CSV files per crypto-currency in, tables that SQL and BI can trust out.

For code: `read` reads one file; `gold`, `prices` and `currencies` are the published tables as
Arrow. Each is imported when it is first asked for, so that to import this package takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crypto_assets.api import (
        CryptoAssetsError,
        Reading,
        Refused,
        currencies,
        gold,
        prices,
        read,
    )

__version__ = "0.1.0"
__all__ = ["CryptoAssetsError", "Reading", "Refused", "currencies", "gold", "prices", "read"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("crypto_assets.api"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
