"""The inbox in the benchmark: a person's files in a new home, and the sensor that works them off.

`worked_off` puts the files there, with a `currencies.toml` that says whose they are, and runs this
module as a process of its own. That evaluates the sensor tick after tick, as the daemon does, and
prints its CPU seconds as JSON. No run is started: other figures say what a run takes.
"""

import json
import shutil
import sys
from pathlib import Path

from bench.children import measured
from bench.generate import FilePair
from bench.measure import cpu_s

FILES = 10_000  # to which the CPU is scaled


def worked_off(home: Path, files: list[FilePair]) -> dict[str, float]:
    """CPU seconds for each 10,000 files, and those of a tick in which nothing is new."""
    inbox = home / "inbox"
    sections = []
    for ticker, history, trend in files:
        (inbox / ticker).mkdir(parents=True)
        for file in (history, trend):
            shutil.copy2(file, inbox / ticker)
        sections.append(
            f'[{ticker}]\nhistory = "{ticker}/{history.name}"\ntrend = "{ticker}/{trend.name}"\n'
        )
    (inbox / "currencies.toml").write_text("".join(sections))
    taken = json.loads(measured(home, "bench.inbox", str(len(files)))[0])
    return {
        "inbox_s": taken["inbox"] * FILES / len(files) / 2,
        "idle_tick_s": taken["idle_tick"],
    }


def main() -> None:
    """Prints the CPU seconds until all currencies are asked for, and of a tick after their runs."""
    from crypto_assets.resources import wiring
    from crypto_assets.resources.home.instance import open_instance
    from crypto_assets.resources.settings import Settings
    from crypto_assets.spark.job_spec import Verdict
    from crypto_assets.spark.market_data.data_set import MARKET_DATA

    settings, expected = Settings(), int(sys.argv[1])
    currencies = wiring.market_data(settings)
    registry, (*_, last) = currencies.registry, MARKET_DATA.layers
    with open_instance(settings) as instance:
        sensor = _Sensor(settings, instance)
        spent = cpu_s()
        names: list[str] = []
        while len(names) < expected:
            before = len(names)
            sensor.tick()
            names = registry.names()
            if len(names) == before:
                sys.exit("a tick registered no currency: nothing is measured")
        worked = cpu_s()
        made = [
            Verdict(name, last, version=registry.version(entry, last))
            for name, entry in registry.get_all(names).items()
        ]
        currencies.outcomes.record(MARKET_DATA.name, made)
        sensor.tick()  # settles what is due no more
        settled = cpu_s()
        sensor.tick()
        json.dump({"inbox": worked - spent, "idle_tick": cpu_s() - settled}, sys.stdout)


class _Sensor:
    """The sensor of uploads, evaluated with what its last tick left."""

    def __init__(self, settings: object, instance: object) -> None:
        from crypto_assets.definitions import defs_of

        self._settings, self._instance, self._definitions = settings, instance, defs_of(settings)
        self._sensor = self._definitions.resolve_sensor_def("uploads")
        self._cursor = None

    def tick(self) -> None:
        import dagster as dg

        from crypto_assets.resources import wiring

        names = ("inbox", "metrics", "market_data", "accounts")
        context = dg.build_sensor_context(
            self._instance,
            cursor=self._cursor,
            resources={name: wiring.RESOURCES[name](self._settings) for name in names},
            definitions=self._definitions,
        )
        with context, dg.partition_loading_context(dynamic_partitions_store=self._instance):
            self._cursor = self._sensor.evaluate_tick(context).cursor


if __name__ == "__main__":
    main()
