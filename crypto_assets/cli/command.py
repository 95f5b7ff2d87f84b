"""What each command of `crypto-assets` is built on: group, settings, errors as one line."""

from __future__ import annotations

import functools
import sys
import tomllib
from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="crypto-assets")
def main() -> None:
    """Turn two CSV files per crypto-currency into tables that SQL and BI can trust.

    Everything local lives in the folder CRYPTO_ASSETS_HOME (default: .crypto_assets).
    """


def command(function: _Command) -> _Command:
    """Registers a command that gets the settings and whose errors become one line."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        from pydantic import ValidationError

        from crypto_assets.resources.engine.engine import EngineUnavailable
        from crypto_assets.resources.errors import ServiceFault
        from crypto_assets.resources.market_data.registry import WrongUse
        from crypto_assets.resources.settings import Settings
        from crypto_assets.resources.storage.lake import LakeBusy
        from crypto_assets.resources.warehouse.warehouse import WarehouseBusy

        try:
            return function(Settings(), *args, **kwargs)
        except ValidationError as error:
            first = error.errors()[0]
            fail(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}", 2)
        except tomllib.TOMLDecodeError as error:
            fail(f"crypto_assets.toml: {error}", 2)
        except (WarehouseBusy, LakeBusy, EngineUnavailable, ServiceFault) as error:
            fail(str(error), 1)
        except WrongUse as error:
            fail(str(error), 2)
        except OSError as error:
            fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), 1)

    return main.command()(run)  # type: ignore[return-value]


def fail(message: str, code: int) -> None:
    click.echo(f"crypto-assets: {message}", err=True)
    sys.exit(code)
