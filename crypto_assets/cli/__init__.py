"""The `crypto-assets` command: arguments in, one call, lines out.

What a command does is elsewhere (`defs/`, `resources/`). Heavy modules are imported by the command
that needs them, and a command's own module when it is called, so that each answers at once.
"""

import click

from crypto_assets.cli.group import Commands

# The commands by the module they are in, each with the first sentence of its own help: so the help
# of all imports none of them.
_MODULES = {
    "accounts": {
        "accounts": "Bring SNAPSHOT, or the newest one, to the table of customer accounts and the "
        "store.",
        "forget": "Erase a customer from every upload, layer, store and warehouse, for good.",
        "profile": "Show what the columns of SNAPSHOT, or of the newest one with a profile, hold.",
    },
    "connect": {
        "connect": "Bring the UI of the stack's instance to this machine; end with Ctrl-C.",
    },
    "deploy": {
        "deploy": "Make or change the stack on AWS, and write its outputs into the settings.",
        "destroy": "Delete the stack on AWS; buckets, tables and namespaces with data stay unless "
        "they are named.",
    },
    "export": {
        "export": "Write the gold of currencies to a file, or to a file of each.",
    },
    "market_data": {
        "add": "Register the currency TICKER and upload both its files.",
        "materialize": "Bring currencies from their uploads to the warehouse; one line for each.",
        "remove": "Take the currency TICKER out of every layer, the warehouse and the partitions.",
    },
    "product": {
        "doctor": "Check settings, engine, lake and warehouse, and say what to fix.",
        "prune": "Delete what nothing needs any more: old runs, replaced uploads, layers of old "
        "snapshots.",
        "report": "Write a page of all currencies, with verdicts and charts, and print its path.",
        "sql": "Query the warehouse, read-only.",
        "status": "Show the files and layers of each currency and its problems, then uploads in "
        "quarantine.",
        "ui": "Serve Dagster's web UI and daemon on this home; end with Ctrl-C.",
    },
    "uploads": {
        "inspect": "Say what each file is, or why it is refused, without storing anything.",
        "upload": "Upload CSV files, or folders of them; whose they are is worked out from name "
        "and content.",
    },
}


@click.group(
    cls=Commands,
    modules={f"{__name__}.{module}": commands for module, commands in _MODULES.items()},
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="crypto-assets")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
def main(debug: bool) -> None:
    """Turn two CSV files per crypto-currency into tables that SQL and BI can trust.

    Everything local lives in the folder CRYPTO_ASSETS_HOME (default: .crypto_assets).
    """
