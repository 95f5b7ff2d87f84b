"""The tables of a job against the DataFrame code of `oracle`, on whatever engine the session is.

Every value is compared as it is, bit for bit: both add up in the same order.
"""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from crypto_assets.spark import each
from crypto_assets.spark.job_spec import JobSpec, Upload
from crypto_assets.spark.market_data.currency import Choices, Currency
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.market_data.tables import BRONZE, GOLD, SILVER_HISTORY, SILVER_TREND
from crypto_assets.spark.run import run
from crypto_assets.spark.tables import staged_name
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv
from crypto_assets_tests.oracle import gold, silver
from crypto_assets_tests.spark.exports.mutations import damaged
from crypto_assets_tests.spark.exports.real_shapes import window

LAYERS = ("bronze", "silver", "gold")
SAMPLES = Path(__file__).parents[3] / "sample_data"
DAMAGED, SEED = 300, 990_000
OPTIONS = (
    {},
    {"missing": "drop"},
    {"dates": "mdy"},
    {"decimal": "dot"},
    {"day": "stated"},
    {"duplicates": "last"},
    {"accept_outliers": True},
)


@pytest.fixture
def upload(tmp_path):
    numbers = itertools.count()

    def write(content):
        path = tmp_path / f"{next(numbers)}.csv"
        path.write_bytes(content)
        return Upload(str(path), path.name, hashlib.sha256(content).hexdigest())

    return write


def samples(upload):
    """The files that people are shown, by every option of `add` that has a default."""
    pairs = []
    for folder in sorted(path for path in SAMPLES.iterdir() if path.is_dir()):
        files = [path.read_bytes() for path in sorted(folder.glob("*.csv"))]
        pairs += itertools.permutations(files, 2)
    for number, ((history, trend), choices) in enumerate(itertools.product(pairs, OPTIONS)):
        yield Currency(
            f"S{number}", {"history": upload(history), "trend": upload(trend)}, Choices(**choices)
        )


def damaged_ones(upload):
    """Real shapes with a random damage each; what is read of them has gaps, doubles and ends."""
    for number in range(DAMAGED):
        chance = Random(SEED + number)
        content, _ = damaged(window(chance), chance)
        interest = trend_csv("x", [chance.randrange(101) for _ in range(chance.randrange(1, 60))])
        files = {"history": upload(content), "trend": upload(interest.encode())}
        yield Currency(f"D{number}", files, Choices(missing=("fill", "drop")[number % 2]))


def odd_ones(upload):
    """Series that hardly meet, of one value, with marks, words and `<1` at their ends."""
    histories = [
        history_csv(cells=dict.fromkeys(rows, mark))
        for mark in ("-1", "0", "null", "")
        for rows in (range(2, 30), range(3, 14), range(3, 13), (2, 41), range(12, 41))
    ]
    trends = [trend_csv("x", values) for values in (["<1"], [0, "<1", 100], [5] * 40, ["", 7, ""])]
    for number, (history, trend) in enumerate(itertools.product(histories, trends)):
        files = {"history": upload(history.encode()), "trend": upload(trend.encode())}
        for missing in ("fill", "drop"):
            yield Currency(f"O{number}{missing[0].upper()}", files, Choices(missing=missing))


def computed(currencies, root):
    """What the job staged of the currencies that passed: rows by table, with their ticker."""
    spec = JobSpec(
        MARKET_DATA.job,
        str(root / "staging"),
        str(root / "lake"),
        LAYERS,
        tuple(currency.partition() for currency in currencies),
    )
    results = {r.layer: r for r in each.results(spec, map(each.answer, each.pieces(spec)), 1)}
    passed = results["gold"].passed
    assert [v.problems for layer in ("silver", "gold") for v in results[layer].verdicts] == [()] * (
        2 * len(passed)
    )
    folders = {"history": 0, "trend": 1}
    lines = {kind: _staged(root, BRONZE, passed, place) for kind, place in folders.items()}
    tables = {table: _staged(root, table, passed) for table in (SILVER_HISTORY, SILVER_TREND, GOLD)}
    return lines, tables, passed


def _staged(root, table, tickers, place=0):
    parts = []
    for ticker in tickers:
        rows = pq.read_table(root / "staging" / staged_name(table.folders(ticker)[place]))
        parts.append(rows.append_column("ticker", pa.repeat(pa.scalar(ticker), len(rows))))
    return pa.concat_tables(parts)


def by_day(rows):
    return rows.sort_by([("ticker", "ascending"), ("date", "ascending")])


@pytest.mark.parametrize("made", [samples, odd_ones, damaged_ones])
def test_every_row_is_the_oracles(made, upload, session, tmp_path):
    currencies = list(made(upload))
    lines, tables, passed = computed(currencies, tmp_path)
    assert len(passed) > len(currencies) / 10
    settings = session.createDataFrame(
        pa.table(
            {
                "ticker": [currency.ticker for currency in currencies],
                "missing": [currency.choices.missing for currency in currencies],
            }
        )
    )
    frames = {kind: session.createDataFrame(_data(rows)) for kind, rows in lines.items()}
    history = silver.history(silver.prices(frames["history"]), settings)
    trend = silver.trend(silver.trends(frames["trend"]))
    wanted = {SILVER_HISTORY: history, SILVER_TREND: trend, GOLD: gold.gold(history, trend)}
    for table, frame in wanted.items():
        found = by_day(tables[table])
        oracle = by_day(frame.toArrow()).select(found.column_names).cast(found.schema)
        assert len(oracle) == len(found)
        assert oracle.equals(found), table.path


def _data(rows):
    return rows.filter(pc.equal(rows["role"], "data")).select(["ticker", "role", "date", "value"])


def test_a_session_gives_the_same_verdicts_as_the_processes(upload, session, tmp_path):
    partitions = tuple(c.partition() for c in itertools.islice(damaged_ones(upload), 40))
    found = []
    for name in ("session", "processes"):
        spec = JobSpec(
            MARKET_DATA.job,
            str(tmp_path / name),
            str(tmp_path / "lake"),
            LAYERS,
            partitions,
            each=True,
        )
        if name == "session":
            results = run(session, spec)
        else:
            results = each.results(spec, map(each.answer, each.pieces(spec)), 1)
        verdicts = (v for result in results for v in result.verdicts)
        found.append({(v.partition, v.layer): (v.problems, v.measures, v.files) for v in verdicts})
    assert found[0] == found[1]
    files = [
        sorted(p.name for p in (tmp_path / name).iterdir()) for name in ("session", "processes")
    ]
    assert files[0] == files[1] != []
