"""A third data set needs its own folder and a line in the table of contents, nothing else."""

from __future__ import annotations

import os
import time

import dagster as dg
import pyarrow.dataset as ds
import pytest

from crypto_assets.defs.files import file_specs
from crypto_assets.defs.jobs import job_name, refresh_job
from crypto_assets.defs.launch import launch
from crypto_assets.defs.layers import Shown, layers_asset
from crypto_assets.defs.status import statuses
from crypto_assets.defs.under_way import under_way
from crypto_assets.defs.uploads import uploads
from crypto_assets.resources import wiring
from crypto_assets.resources.data_set.published import Published
from crypto_assets.resources.data_set.registry import Registry
from crypto_assets.resources.home.instance import open_instance, run_process
from crypto_assets_tests.helpers.sensor_desk import tick
from crypto_assets_tests.toy.data_set import TOY
from crypto_assets_tests.toy.refresh import ToyRefresh


@pytest.fixture
def toy(settings):
    inbox = wiring.inbox(settings)
    engine, lake, outcomes = (
        make(settings) for make in (wiring.engine, wiring.lake, wiring.outcomes)
    )
    return ToyRefresh(Registry(TOY, inbox.objects), engine, lake, outcomes)


@pytest.fixture
def definitions(settings, toy):
    layers = layers_asset(TOY, Shown())
    job = refresh_job(TOY, layers)
    always = {"inbox": wiring.inbox(settings), "metrics": wiring.metrics(settings)}
    return dg.Definitions(
        assets=[*file_specs(TOY), layers],
        jobs=[job],
        sensors=[uploads([TOY.name], [job])],
        executor=dg.in_process_executor,
        resources={TOY.name: toy, "process": run_process, **always},
    )


@pytest.fixture
def deliver(settings):
    def write(language: str, kind: str, text: str) -> None:
        path = settings.inbox_folder / language / f"{kind}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        before = time.time() - 60
        os.utime(path, (before, before))

    return write


def test_uploads_of_a_third_data_set_become_its_tables_and_each_partition_fails_alone(
    settings, toy, definitions, deliver
):
    deliver("french", "words", "cat\ndog\n")
    deliver("french", "translations", "chat\nchien\n")
    deliver("german", "words", "cat\ndog\n")
    deliver("german", "translations", "Katze\n")
    deliver("latin", "words", "cat\n")
    with open_instance(settings) as instance:
        resources = {name: getattr(wiring, name)(settings) for name in ("inbox", "metrics")}
        result = tick(definitions, instance, {TOY.name: toy, **resources})
        assert [request.partition_key for request in result.run_requests] == ["french", "german"]
        assert list(toy.registry.waiting()) == ["latin"]
        job = definitions.resolve_job_def(job_name(TOY))
        outcomes = list(launch(job, instance, toy, ["french", "german"], TOY.layers))
        assert [(o.partition, list(o.passed), o.problems) for o in outcomes] == [
            ("french", ["toy_lines", "toy_pairs"], {}),
            ("german", ["toy_lines"], {"toy_pairs": "1 words without a translation"}),
        ]
        published = Published(toy.registry, toy.outcomes, toy.lake)
        (look,) = under_way(settings, [published])
        found = statuses(published, toy.registry.names(), look)
        assert [(each.entry.partition, each.state) for each in found] == [
            ("french", "published"),
            ("german", "failed"),
        ]
        assert toy.registry.due() == {}
    table = ds.dataset(settings.lake_folder / "toy_pairs", partitioning="hive").to_table()
    assert table.sort_by("word").to_pylist() == [
        {"word": "cat", "translation": "chat", "language": "french"},
        {"word": "dog", "translation": "chien", "language": "french"},
    ]
