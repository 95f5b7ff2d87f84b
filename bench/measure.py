"""The measured part of the benchmark, in a process of its own; prints its figures as JSON.

`refresh` computes, publishes and loads every registered currency without Dagster; `graph` runs the
asset graph over them, as `crypto-assets materialize --all` does; `unchecked` is `graph` without the
checks.
"""

import json
import os
import resource
import sys
import time
from functools import partial
from itertools import chain

STARTED = time.monotonic()


def main() -> None:
    """Prints wall and CPU seconds of the work and of the whole process, and seconds by layer."""
    started, spent, layers = MEASURED[sys.argv[1]]()
    figures = {
        **{f"{name}_s": seconds for name, seconds in layers.items()},
        "work_s": time.monotonic() - started,
        "work_cpu_s": cpu_s() - spent,
        "total_s": time.monotonic() - STARTED,
    }
    json.dump(figures, sys.stdout)


Measured = tuple[float, float, dict[str, float]]  # when the work began, its CPU then, the layers


def refresh() -> Measured:
    """The work alone."""
    from crypto_assets.resources import wiring
    from crypto_assets.resources.settings import Settings
    from crypto_assets.spark.market_data.data_set import MARKET_DATA

    settings = Settings()
    layers: dict[str, float] = dict.fromkeys(MARKET_DATA.layers, 0.0)
    with wiring.engine(settings).prepared(os.cpu_count() or 1):  # as the command does
        currencies = wiring.market_data(settings)
        names = currencies.registry.names()
        started, spent = time.monotonic(), cpu_s()
        for result in chain.from_iterable(
            currencies.run(names, MARKET_DATA.layers, "bench", lambda _: None)
        ):
            _stop_if(not all(verdict.passed for verdict in result.verdicts))
            layers[result.layer] += result.seconds
    return started, spent, layers


def graph(checks: str = "on") -> Measured:
    """The work as a run of Dagster's."""
    from crypto_assets.cli.console import showing_progress
    from crypto_assets.definitions import defs_of
    from crypto_assets.defs.launch import launch
    from crypto_assets.resources import wiring
    from crypto_assets.resources.home.instance import open_instance
    from crypto_assets.resources.settings import Settings
    from crypto_assets.spark.market_data.data_set import MARKET_DATA

    settings = Settings(checks=checks)
    with open_instance(settings) as instance, showing_progress():
        job = defs_of(settings).resolve_job_def("refresh_currencies")
        currencies = wiring.market_data(settings)
        names = currencies.registry.names()
        started, spent = time.monotonic(), cpu_s()
        outcomes = list(launch(job, instance, currencies, names, MARKET_DATA.layers))
    _stop_if(any(outcome.failed for outcome in outcomes))
    return started, spent, {}


def cpu_s() -> float:
    """The CPU seconds of this process and of those it has started that have ended."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _stop_if(failed: bool) -> None:
    if failed:
        sys.exit("a currency failed: nothing is measured")


MEASURED = {"refresh": refresh, "graph": graph, "unchecked": partial(graph, "off")}

if __name__ == "__main__":
    main()
