"""The measured part of the benchmark: the graph over every registered currency, as `--all` does it.

A process of its own, so that its peak memory is its own; prints its figures as JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

STARTED = time.monotonic()


def main() -> None:
    """Prints seconds by layer, for the engine's start and for Dagster, and the peak memory."""
    from crypto_assets.cli.console import showing_progress
    from crypto_assets.definitions import defs
    from crypto_assets.defs.launch import launch
    from crypto_assets.resources import wiring
    from crypto_assets.resources.engine.local import SailEngine, SparkEngine
    from crypto_assets.resources.instance import open_instance
    from crypto_assets.resources.settings import Settings
    from crypto_assets.spark.market_data.data_set import MARKET_DATA

    settings = Settings()
    opening: list[float] = []
    for engine in (SailEngine, SparkEngine):
        engine.session = _timed(engine.session, opening)
    with open_instance(settings) as instance, showing_progress():
        job = defs().resolve_job_def("refresh_currencies")
        currencies = wiring.market_data(settings)
        names = currencies.registry.names()
        outcomes = list(launch(job, instance, currencies, names, MARKET_DATA.layers))
    total = time.monotonic() - STARTED
    if failed := [outcome for outcome in outcomes if outcome.failed]:
        sys.exit(f"{len(failed)} tickers failed, e.g. {failed[0]}")
    layers = {
        f"{name}_s": sum(
            outcome.passed[name]["batch_seconds"] / outcome.passed[name]["batch_partitions"]
            for outcome in outcomes
        )
        for name in MARKET_DATA.layers
    }
    peaks = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    figures = {
        **layers,
        "engine_start_s": sum(opening),
        "dagster_s": total - sum(layers.values()) - sum(opening),
        "total_s": total,
        "peak_mb": sum(resource.getrusage(who).ru_maxrss for who in peaks) / 1024,
    }
    json.dump(figures, sys.stdout)


def _timed(
    opens: Callable[..., AbstractContextManager], seconds: list[float]
) -> Callable[..., AbstractContextManager]:
    """The same session, with the time noted that it takes to open."""

    @contextmanager
    def session(self: object) -> Iterator[object]:
        started = time.monotonic()
        with opens(self) as opened:
            seconds.append(time.monotonic() - started)
            yield opened

    return session


if __name__ == "__main__":
    main()
