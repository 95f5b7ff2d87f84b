"""The checks of currencies in Dagster: what each layer's verdict says, as an evaluation by ticker.

What is checked is `spark/market_data/rules`; when a currency is late is `freshness`. None of them
blocks: the audit does, before anything is published.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest
from typing import Any

import dagster as dg

from crypto_assets.defs.late import allowances
from crypto_assets.defs.partitions import partitions_named
from crypto_assets.event_log.batches import Target, log_asset_events, materialized_last
from crypto_assets.resources.data_set.outcomes import flat
from crypto_assets.resources.market_data.freshness import MEASURED, Late, late
from crypto_assets.resources.market_data.overrides import Overrides
from crypto_assets.resources.storage.clock import utc_day
from crypto_assets.spark.job_spec import Finding, LayerResult, Verdict
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.market_data.rules import CHECKS, PUBLISHED, Check

Targets = Mapping[tuple[dg.AssetKey, str], Target]  # what was last materialized
LogChecks = Callable[[Sequence[LayerResult]], None]
_SAID = ("expected", "found", "examples")
_COLUMNS = ("rule", "holds", "says", *_SAID)


@dataclass(frozen=True)
class PartitionChecks:
    """Checks of each partition of a data set: their specs, and what logs what they say.

    `of_run` gives what logs them in a run: it is called with results of layers once what was
    materialized is logged. It may ask for these `resources`.
    """

    specs: tuple[dg.AssetCheckSpec, ...]
    resources: tuple[str, ...]
    of_run: Callable[[dg.AssetExecutionContext], LogChecks]


def check_specs() -> Iterator[dg.AssetCheckSpec]:
    """The specs of the checks, each of them partitioned by ticker."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # the pinned version has them
        for check in CHECKS:
            rules = [f"- {name}: {says}" for name, says in check.rules.items()]
            yield dg.AssetCheckSpec(
                check.name,
                asset=check.layer,
                description="\n".join([check.says, *(rules if len(rules) > 1 else ())]),
                partitions_def=partitions_named(MARKET_DATA.partition),
            )


def checks_of_run(context: dg.AssetExecutionContext) -> LogChecks:
    """Logs what the checks of layers say, with the allowances read once for all their batches."""
    known = cache(lambda: allowances(context.resources.settings))

    def log(results: Sequence[LayerResult]) -> None:
        assets = {dg.AssetKey(result.layer) for result in results}
        partitions = {verdict.partition for result in results for verdict in result.verdicts}
        targets = materialized_last(context.instance, assets, partitions)
        events = [each for result in results for each in _of_layer(result, targets, known)]
        # Above its partitions the UI shows what a check said last: better what must be seen.
        events.sort(key=lambda each: not each.passed)
        log_asset_events(context, events)

    return log


def _of_layer(
    result: LayerResult, targets: Targets, allowed: Callable[[], Overrides]
) -> Iterator[dg.AssetCheckEvaluation]:
    """What the checks of the layer say of each of its currencies."""
    verdicts = [verdict for verdict in result.verdicts if not verdict.superseded_by]
    layer, found = dg.AssetKey(result.layer), dict[str, Late]()
    if result.layer == MEASURED:
        measures = {v.partition: flat(v.measures) for v in verdicts if v.passed}
        found = {each.ticker: each for each in late(measures, allowed(), utc_day())}
    for verdict in verdicts:
        broken = [*_broken(verdict), *late_findings(found.get(verdict.partition))]
        yield from _evaluations(verdict, broken, targets.get((layer, verdict.partition)))


def evaluation(
    check: Check, ticker: str, broken: Sequence[Finding], target: Target | None
) -> dg.AssetCheckEvaluation:
    """What the check says of a ticker of which this is found; its rules all hold without findings.

    `target` is what was last materialized of it.
    """
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(check.layer),
        check_name=check.name,
        passed=not broken,
        metadata=_metadata(check, broken) if broken else None,
        target_materialization_data=target,
        severity=dg.AssetCheckSeverity.WARN if check.warns else dg.AssetCheckSeverity.ERROR,
        description="; ".join(each.problem for each in broken) or None,
        blocking=False,
        partition=ticker,
    )


def late_findings(found: Late | None) -> list[Finding]:
    """What the check `fresh` finds of a currency that is late; nothing if it is not."""
    if found is None:
        return []
    problem = f"the last price is of {found.last_price}, {found.days} days ago"
    return [Finding("fresh", problem, f"<= {found.allowed_days} days", found.days, warns=True)]


def _evaluations(
    verdict: Verdict, broken: Sequence[Finding], target: Target | None
) -> Iterator[dg.AssetCheckEvaluation]:
    """What the checks of the layer say; where it failed, those that only warn say nothing new."""
    for check in CHECKS:
        if check.layer == verdict.layer and (verdict.passed or not check.warns):
            of_check = [each for each in broken if each.rule in check.rules]
            yield evaluation(check, verdict.partition, of_check, target)


def _broken(verdict: Verdict) -> Iterator[Finding]:
    """What was found, as the verdict says it now; a problem that is no rule's is `PUBLISHED`'s."""
    of_rules = [each for each in verdict.findings if not each.warns]
    yield from (each for each in verdict.findings if each.warns)
    for finding, problem in zip_longest(of_rules, verdict.problems):
        yield replace(finding or Finding(PUBLISHED, problem), problem=problem)


def _metadata(check: Check, broken: Sequence[Finding]) -> dict[str, Any]:
    """What was expected and found; of a check of several rules, as a table of all of them."""
    if len(check.rules) == 1:
        rows = [*map(_row, broken)]
        said = {name: "; ".join(filter(None, (row[name] for row in rows))) for name in _SAID}
        return {name: text for name, text in said.items() if text}
    names = {each.rule for each in broken}
    hold = [{"rule": n, "says": says} for n, says in check.rules.items() if n not in names]
    rows = [*map(_row, broken), *({**each, "holds": "yes"} for each in hold)]
    records = [dg.TableRecord({name: row.get(name, "") for name in _COLUMNS}) for row in rows]
    return {"rules": dg.MetadataValue.table(records)}


def _row(finding: Finding) -> dict[str, str]:
    return {
        "rule": finding.rule,
        "holds": "no",
        "says": finding.problem,
        "expected": _text(finding.expected),
        "found": _text(finding.found),
        "examples": "; ".join(finding.examples),
    }


def _text(value: object) -> str:
    return "" if value is None else str(value)


CURRENCY_CHECKS = PartitionChecks(tuple(check_specs()), ("settings",), checks_of_run)
