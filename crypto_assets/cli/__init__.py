"""The `crypto-assets` command: arguments in, one call, lines out.

What a command does is elsewhere (`defs/`, `resources/`). Heavy modules are imported by the command
that needs them, and a command's own module when it is called, so that each answers at once.
"""

import click

from crypto_assets.cli.command import Commands

_MODULES = {
    "accounts": ("accounts", "profile", "forget"),
    "export": ("export",),
    "deploy": ("deploy", "destroy"),
    "connect": ("connect",),
    "market_data": ("add", "materialize", "remove"),
    "product": ("status", "report", "sql", "ui", "prune", "doctor"),
    "uploads": ("upload", "inspect"),
}


@click.group(
    cls=Commands,
    modules={name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names},
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="crypto-assets")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
def main(debug: bool) -> None:
    """Turn two CSV files per crypto-currency into tables that SQL and BI can trust.

    Everything local lives in the folder CRYPTO_ASSETS_HOME (default: .crypto_assets).
    """
