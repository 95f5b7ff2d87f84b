"""The `crypto-assets` command: arguments in, one call, lines out.

What a command does is elsewhere (`defs/`, `resources/`). Heavy modules are imported by the command
that needs them, so that `--help` answers at once.
"""

import click

from crypto_assets.cli import accounts, market_data, product, uploads
from crypto_assets.cli.command import WholeSentences


@click.group(cls=WholeSentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="crypto-assets")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
def main(debug: bool) -> None:
    """Turn two CSV files per crypto-currency into tables that SQL and BI can trust.

    Everything local lives in the folder CRYPTO_ASSETS_HOME (default: .crypto_assets).
    """


for each in (
    *(market_data.add, uploads.upload, uploads.inspect, market_data.materialize),
    *(market_data.remove, accounts.accounts, accounts.profile, accounts.forget),
    *(product.status, product.sql, product.ui, product.prune, product.doctor),
):
    main.add_command(each)
