"""Runs while tools in other processes read the warehouse all the time: nobody waits for anybody."""

from __future__ import annotations

import json
import shutil
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
path, how = sys.argv[1:]
connect = lambda: duckdb.connect(path, read_only=True)
kept = connect() if how == "stays connected" else None
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set())).start()
print("reading", flush=True)
seen, last = [], False
while not last:
    last = ended.wait(0.05)
    connection = kept or connect()
    seen.append(connection.execute(STATE).fetchone())
    if not kept:
        connection.close()
print(json.dumps(seen))
"""


@contextmanager
def reading(home: Path, how: str) -> Iterator[list[tuple]]:
    """A reader for as long as the block; the list then has every state that it saw."""
    seen: list[tuple] = []
    with saying("reading", READER, str(home / "warehouse.duckdb"), how) as reader:
        yield seen
        reader.stdin.close()
        seen += map(tuple, json.loads(reader.stdout.read()))
        assert reader.wait(HANG_S) == 0


@pytest.fixture
def refresh(run: Callable, add: Callable) -> Callable[[float], float]:
    """Uploads all currencies at another price and runs; gives the seconds that the run took."""

    def upload_and_run(level: float) -> float:
        for ticker in TICKERS:
            assert add(ticker, level=level)[0] == 0
        started = time.monotonic()
        code, out, err = run("materialize", "--all")
        assert code == 0, out + err
        return time.monotonic() - started

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
def test_twenty_runs_with_readers_take_as_long_as_without(home, refresh, monkeypatch, capsys):
    """The figures are printed: how long a run takes is the machine's matter, not a test's.

    Two homes take turns, so that both have the same machine. What the readers compute slows both
    alike; what a run waits for, if anything, slows that one.
    """
    quiet = Path(shutil.copytree(home, home.with_name("quiet")))

    def run_at(place: Path, level: float) -> float:
        monkeypatch.setenv("CRYPTO_ASSETS_HOME", str(place))
        return refresh(level)

    first, *levels = (100.0 + 10 * number for number in range(21))
    for place in (home, quiet):
        run_at(place, first)
    with reading(home, "stays connected") as stayed, reading(home, "comes anew") as came_anew:
        pairs = [(run_at(home, level), run_at(quiet, level)) for level in levels]
    check([first, *levels], stayed, came_anew)
    one, other = map(statistics.median, zip(*pairs, strict=True))
    more = statistics.median(one / other - 1 for one, other in pairs)
    with capsys.disabled():
        print(  # noqa: T201
            f"\na run with two readers: {one:.2f} s, without: {other:.2f} s (medians of 20); "
            f"{more:+.1%} (median of pairs); {len(stayed) + len(came_anew)} queries"
        )
