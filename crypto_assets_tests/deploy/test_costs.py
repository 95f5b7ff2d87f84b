"""What the product costs: the arithmetic, its limits, and the tables of `docs/aws.md`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crypto_assets.definitions import defs_of
from crypto_assets.defs.uploads import QUIET_SECONDS
from crypto_assets.resources import costs
from crypto_assets.resources.costs import Workers
from crypto_assets.resources.engine.emr import EmrServerlessEngine
from crypto_assets.resources.engine.emr_size import JobSize
from crypto_assets.resources.inbox.sqs import RELIST_SECONDS
from crypto_assets.resources.settings import AwsSettings, Settings, read_settings
from crypto_assets_tests.helpers.template import TEMPLATE, Stack, everything, template

PAGE = (Path(__file__).parents[2] / "docs/aws.md").read_text()
WORKERS_FOR = JobSize.of(AwsSettings()).workers_for
A_DAY = (10, 1_000, 10_000)  # currencies
MONTH = costs.MONTH_DAYS


def test_a_thousand_currencies_are_computed_for_ten_cents():
    assert costs.computed_usd(1_000, WORKERS_FOR) <= 0.10


def test_a_month_in_which_nothing_comes_costs_less_than_a_dollar():
    for currencies in (0, *A_DAY):
        assert sum(costs.idle_usd(currencies).values()) <= 1.0


def test_a_job_costs_its_workers_for_its_start_and_its_currencies():
    # 60 s + 1,000 x 0.269 s / 12 = 82.4 s; 14 vCPUs and 56 GB for that
    assert costs.job_usd(1_000, Workers(14, 56, 12)) == pytest.approx(0.024275, abs=1e-6)
    # 60 s + 1 x 0.269 s / 4 = 60.07 s; 6 vCPUs and 24 GB for that
    assert costs.job_usd(1, Workers(6, 24, 4)) == pytest.approx(0.007583, abs=1e-6)


def test_requests_cost_their_price_by_kind():
    # 11 writes at $0.005 and 14 reads at $0.0004 a thousand
    assert costs.Requests(11, 14).usd == pytest.approx(0.0000606)


def test_currencies_beyond_a_batch_are_in_jobs_of_their_own():
    def one_size(_: int) -> Workers:
        return Workers(6, 24, 4)

    def of_jobs(currencies: int) -> float:
        return costs.computed_usd(currencies, one_size) - currencies * costs.COMPUTED.usd

    batch, rest = costs.job_usd(1_000, one_size(0)), costs.job_usd(500, one_size(0))
    assert of_jobs(2_500) == pytest.approx(2 * batch + rest + 3 * costs.RUN.usd)


def test_the_workers_of_a_job_are_those_that_its_size_asks_for():
    assert WORKERS_FOR(10) == Workers(vcpus=6, memory_gb=24, executor_vcpus=4)
    assert WORKERS_FOR(1_000) == Workers(vcpus=14, memory_gb=56, executor_vcpus=12)


def test_the_parts_of_a_stack_that_cost_while_nothing_comes_are_counted():
    stack = everything()
    assert len(stack.of_type("AWS::CloudWatch::Alarm")) == costs.ALARMS
    without = Stack({"WithRedshift": "no"}).resources.values()
    costly = {"AWS::EC2::NatGateway", "AWS::KMS::Key", "AWS::SecretsManager::Secret"}
    assert costly.isdisjoint(one["Type"] for one in without)
    assert stack.value("RedshiftBaseRpus") == costs.RPUS


def test_how_often_the_sensor_looks_and_how_long_uploads_are_kept_is_what_is_counted():
    sensor = defs_of(read_settings()).resolve_sensor_def("uploads")
    assert sensor.minimum_interval_seconds == costs.TICK_S
    assert (QUIET_SECONDS, RELIST_SECONDS) == (costs.LOOK_S, costs.LISTING_S)
    rules = everything().properties("UploadBucket")["LifecycleConfiguration"]["Rules"]
    kept = [rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays") for rule in rules]
    assert {*kept} == {None, costs.VERSIONS_DAYS}
    assert Settings().keep_uploads_days == costs.VERSIONS_DAYS
    assert EmrServerlessEngine.batch_size == costs.BATCH


def test_deploy_can_say_it_in_a_sentence():
    assert costs.in_words(WORKERS_FOR) == (
        "about $0.73 a month while nothing comes, without Redshift and instance; 1,000 currencies "
        "$0.10 to compute and $0.07 to upload (us-east-1, November 2026)"
    )


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def usd(amount: float) -> str:
    """Cents where there are some, else up to two digits that say something."""
    return f"{amount:,.2f}" if amount >= 0.095 else f"{amount:.2g}"


def prices() -> list[str]:
    return [row(price.of, f"{price.usd:g}") for price in costs.PRICE_LIST]


def days() -> list[str]:
    """What so many currencies a day cost, part by part."""
    parts = {
        "jobs and requests of the run": lambda n: costs.computed_usd(n, WORKERS_FOR),
        "uploads: requests and events": costs.registered_usd,
        "a day's share of storage": lambda n: costs.stored_usd(n) / MONTH,
    }
    lines = [row(name, *(usd(part(n)) for n in A_DAY)) for name, part in parts.items()]
    totals = [sum(part(n) for part in parts.values()) for n in A_DAY]
    loads = [costs.loaded_usd(n) for n in A_DAY]
    return [
        *lines,
        row("**a day**", *(f"**{usd(total)}**" for total in totals)),
        row("Redshift, if it is the warehouse: loads", *map(usd, loads)),
    ]


def idle() -> list[str]:
    found = {n: costs.idle_usd(n) for n in A_DAY}
    lines = [row(name, *(usd(found[n][name]) for n in A_DAY)) for name in found[A_DAY[0]]]
    totals = (f"**{usd(sum(found[n].values()))}**" for n in A_DAY)
    return [*lines, row("**a month**", *totals)]


@pytest.mark.parametrize("table", [prices, days, idle])
def test_the_tables_of_the_page_are_what_the_arithmetic_gives(table):
    assert "\n".join(table()) in PAGE


def test_the_page_says_of_when_the_prices_are_and_what_an_instance_costs():
    assert costs.PRICES_OF in PAGE
    assert f"${costs.instance_usd():.2f} a month" in PAGE
    assert re.search(r"not measured on AWS", PAGE)


def test_the_instance_that_is_reckoned_with_is_that_of_the_template():
    parameters = template()["Parameters"]
    assert costs.INSTANCE_HOUR.of.endswith(f" of {parameters['InstanceType']['Default']}")
    own = re.search(r"Ebs: \{VolumeSize: (\d+),", TEMPLATE.read_text())
    assert int(own[1]) + parameters["HomeGb"]["Default"] == costs.INSTANCE_GB
