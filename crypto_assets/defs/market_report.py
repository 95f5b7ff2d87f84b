"""The report as an asset: `crypto-assets report`, where people look at assets.

It belongs to no ticker, and nothing waits for it. What is in it, and how it is gathered, is in
`report`.
"""

import dagster as dg

from crypto_assets.resources.settings import Settings

_condition = dg.AutomationCondition
# Once for all currencies that a run refreshed, after it: `eager` would wait for those that failed.
_AFTER_RUNS = (
    _condition.any_deps_updated().since_last_handled()
    & ~_condition.any_deps_in_progress()
    & ~_condition.in_progress()
)


@dg.asset(
    deps=[dg.AssetKey("warehouse")],
    group_name="report",
    kinds={"html"},
    automation_condition=_AFTER_RUNS,
    required_resource_keys={"settings", "process"},
    config_schema={},  # without it a run could bring any
    description="One page of all currencies with verdicts and charts, as `crypto-assets report` "
    "writes it. Made when somebody materializes it; or, with the sensor "
    "`default_automation_condition_sensor` switched on, after each run that changed the "
    "warehouse. It reads every currency's table each time.",
)
def market_report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Writes the page, and says where it is and how many currencies are in which state."""
    from crypto_assets.defs.report import make_report

    settings: Settings = context.resources.settings
    made = make_report(settings)
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(made.path),
            "size_bytes": made.size,
            "currencies": sum(made.states.values()),
            **made.states,
        }
    )
