"""Runs while tools in other processes read the warehouse all the time: nobody waits for anybody."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crypto_assets_tests.helpers.processes import saying
from crypto_assets_tests.helpers.waiting import HANG_S

TICKERS = ("AAA", "BBB", "CCC")

# The state it sees again and again: how many tickers, how many kinds of table they have (of one
# run it is 1), and the lowest price.
READER = """
import json, sys, threading, duckdb

STATE = '''
SELECT count(*), count(DISTINCT (days, low)), min(low)
FROM (SELECT count(*) AS days, min(price) AS low FROM market_data.prices GROUP BY ticker)
'''
path, how, pause_s = sys.argv[1:]
connect = lambda: duckdb.connect(path, read_only=True)
kept = connect() if how == "stays connected" else None
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set())).start()
print("reading", flush=True)
seen, last = [], False
while not last:
    last = ended.wait(float(pause_s))
    connection = kept or connect()
    seen.append(connection.execute(STATE).fetchone())
    if not kept:
        connection.close()
print(json.dumps(seen))
"""


@contextmanager
def reading(home: Path, how: str, pause_s: float = 0.05) -> Iterator[list[tuple]]:
    """A reader for as long as the block; the list then has every state that it saw."""
    seen: list[tuple] = []
    with saying("reading", READER, str(home / "warehouse.duckdb"), how, str(pause_s)) as reader:
        yield seen
        reader.stdin.close()
        seen += map(tuple, json.loads(reader.stdout.read()))
        assert reader.wait(HANG_S) == 0


@pytest.fixture
def refresh(run: Callable, add: Callable) -> Callable[[float], tuple[float, float]]:
    """Uploads all currencies at another price and runs; the run's seconds, and those of CPU."""

    def upload_and_run(level: float) -> tuple[float, float]:
        for ticker in TICKERS:
            assert add(ticker, level=level)[0] == 0
        started, cpu = time.monotonic(), time.process_time()
        code, out, err = run("materialize", "--all")
        assert code == 0, out + err
        return time.monotonic() - started, time.process_time() - cpu

    return upload_and_run


def check(levels: list[float], stayed: list[tuple], came_anew: list[tuple]) -> None:
    """Whoever stays connected sees the first state, whoever comes anew one after the other."""
    assert set(stayed) == {(len(TICKERS), 1, levels[0])}
    assert set(came_anew) <= {(len(TICKERS), 1, level) for level in levels}
    assert came_anew == sorted(came_anew)
    assert came_anew[-1] == (len(TICKERS), 1, levels[-1])


def test_runs_go_on_while_others_read_and_each_reader_sees_whole_states_only(home, refresh):
    refresh(100.0)
    with reading(home, "stays connected") as stayed, reading(home, "comes anew") as came_anew:
        for level in (200.0, 300.0, 400.0):
            refresh(level)
    check([100.0, 200.0, 300.0, 400.0], stayed, came_anew)


@pytest.mark.slow
def test_twenty_runs_with_readers_take_as_long_as_without(home, refresh, capsys):
    """The figures are printed: how long a run takes is the machine's matter, not a test's."""
    levels = iter(range(100, 1000, 10))
    refresh(next(levels))
    without = [refresh(next(levels)) for _ in range(10)]
    seen = [float(next(levels)) for _ in range(21)]
    refresh(seen[0])
    with (
        reading(home, "stays connected", pause_s=0.5) as stayed,
        reading(home, "comes anew", pause_s=0.5) as came_anew,
    ):
        with_readers = [refresh(level) for level in seen[1:]]
    check(seen, stayed, came_anew)
    without += [refresh(next(levels)) for _ in range(10)]  # both sides of the 20, as machines vary
    figures = "; ".join(
        f"{what} of a run: {one:.2f} s with readers, {other:.2f} s without, {one / other - 1:+.1%}"
        for what, one, other in zip(
            ("time", "CPU"), medians(with_readers), medians(without), strict=True
        )
    )
    with capsys.disabled():
        print(f"\n{figures}; {len(stayed) + len(came_anew)} queries, all of one state")  # noqa: T201


def medians(taken: list[tuple[float, float]]) -> list[float]:
    return [statistics.median(values) for values in zip(*taken, strict=True)]
