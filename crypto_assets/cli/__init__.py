"""The `crypto-assets` command: arguments in, one call, lines out.

What a command does is elsewhere (`defs/`, `resources/`). Heavy modules are imported by the command
that needs them, so that `--help` answers at once.
"""

from crypto_assets.cli import accounts, market_data  # noqa: F401 - their commands are part of it
from crypto_assets.cli.command import main

__all__ = ["main"]
