"""The group of all commands, which imports a command's module when the command is called.

Its own help imports nothing but click. What the commands are built on is in `command`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class Commands(click.Group):
    """A group of commands by module, each with the first sentence of its help.

    Its help shows these sentences whole, over several lines.
    """

    def __init__(self, *args: Any, modules: Mapping[str, Mapping[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._module_of = {name: module for module, names in modules.items() for name in names}
        self._sentences = {name: said for names in modules.values() for name, said in names.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(self._module_of)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._module_of:
            return None
        found: click.Command = getattr(import_module(self._module_of[cmd_name]), cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self._sentences.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """As click does; wrong use is one line as well."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            from crypto_assets.cli.command import say

            of = error.ctx.command_path if error.ctx else ctx.command_path
            say(
                f"crypto-assets: {error.format_message().rstrip('.')} (see `{of} --help`)", err=True
            )
            sys.exit(error.exit_code)
