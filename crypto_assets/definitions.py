"""The table of contents: everything Dagster knows of, in the data's order.

uploads (sensor) -> history_file, trend_file -> bronze -> silver -> gold -> warehouse, by ticker;
customers_file, accounts_file -> accounts_bronze -> accounts_silver -> customer_accounts ->
customer_account_store, by snapshot; warehouse -> market_report; what is neither's -> quarantine;
what fails -> failure_notice; what is old -> prune (once a day); whose last price is old ->
late_notice, check_freshness (once a day).
"""

from collections.abc import Callable

import dagster as dg

from crypto_assets.defs.account_profile import PROFILE
from crypto_assets.defs.checks import CURRENCY_CHECKS
from crypto_assets.defs.files import file_specs, quarantine_spec
from crypto_assets.defs.fresh import fresh_job, fresh_sensor
from crypto_assets.defs.jobs import refresh_job
from crypto_assets.defs.late import late_notice
from crypto_assets.defs.layers import Shown, layers_asset
from crypto_assets.defs.market_report import market_report
from crypto_assets.defs.notices import failure_notice
from crypto_assets.defs.prune import prune_job, prune_sensor
from crypto_assets.defs.uploads import uploads
from crypto_assets.resources import wiring
from crypto_assets.resources.home.instance import run_process
from crypto_assets.resources.settings import Settings, read_settings
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets.spark.market_data.data_set import MARKET_DATA

_CONFIRM = dg.Field(
    bool,
    default_value=False,
    description="Delete however many accounts are missing from the snapshot.",
)


# In the order in which they are asked whose an upload is.
DATA_SETS = (ACCOUNTS, MARKET_DATA)


def defs_of(settings: Settings) -> dg.Definitions:
    """All assets, jobs, sensors and resources that these settings choose."""
    shown = Shown(wiring.kinds(settings), wiring.lake_uri(settings), settings.owners)
    checked = settings.checks == "on"
    layers = [
        layers_asset(ACCOUNTS, shown, options={"confirm_mass_delete": _CONFIRM}, check=PROFILE),
        layers_asset(MARKET_DATA, shown, checks=CURRENCY_CHECKS if checked else None),
    ]
    jobs = list(map(refresh_job, DATA_SETS, layers))
    files = [spec for data_set in DATA_SETS for spec in file_specs(data_set)]
    # Nothing passes between steps: takes the place of Dagster's own, whose folder can be changed.
    io_manager = dg.IOManagerDefinition(lambda _: dg.InMemoryIOManager(), config_schema={})
    fixed = {name: _fixed(make, settings) for name, make in wiring.RESOURCES.items()}
    return dg.Definitions(
        assets=[*files, quarantine_spec, *layers, market_report],
        jobs=[*jobs, prune_job, *([fresh_job()] if checked else ())],
        sensors=[
            uploads([each.name for each in DATA_SETS], jobs),
            failure_notice(DATA_SETS),
            late_notice(),
            *([fresh_sensor()] if checked else ()),
            prune_sensor(),
        ],
        executor=dg.in_process_executor,  # one step a run: another process would only take time
        resources={**fixed, "process": run_process, "io_manager": io_manager},
    )


def __getattr__(name: str) -> dg.Definitions:
    """`defs`, made once it is asked for: importing this module reads no settings.

    A real `Definitions`, so that it can be merged into a code location of one's own.
    """
    if name != "defs":
        raise AttributeError(name)
    return globals().setdefault(name, defs_of(read_settings()))


def __dir__() -> list[str]:
    """Where Dagster looks for definitions."""
    return [*globals(), "defs"]


def _fixed(make: Callable[[Settings], object], settings: Settings) -> dg.ResourceDefinition:
    """A resource that no run config can change.

    Each run and each tick gets one of its own: a new one finds the credentials that hold then.
    """
    return dg.ResourceDefinition(lambda _: make(settings), config_schema={})
