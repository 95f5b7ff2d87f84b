"""`make demo`: five currencies from CSV files to SQL in a fresh home, one of them broken.

Types what a person would type, and exits 0 only if exactly the expected thing happened.
"""

import os
import shutil
import sys
from pathlib import Path

from crypto_assets.cli import main as crypto_assets

SAMPLES = Path("sample_data")
HOME = Path(os.environ.get("DEMO_HOME", ".demo"))
FILES = {
    "BTC": ("Bitcoin Historical Data.csv", "multiTimeline.csv"),
    "XMR": ("XMR_EUR Kraken Historical Data.csv", "interesse monero.csv"),
    "ETH": ("ETH-USD.csv", "multiTimeline (1).csv"),
    "SHIB": ("shib-usd-max.csv", "multiTimeline.csv"),
    "DOGE": ("Dogecoin Historical Data.csv", "multiTimeline.csv"),
}
BROKEN = "DOGE"
QUERY = """
SELECT ticker, count(*) AS days, min(date) AS first, max(date) AS last,
       round(avg(price), 8) AS mean_price, round(avg(trend_i), 2) AS mean_trend
FROM market_data.prices GROUP BY ticker ORDER BY ticker
"""


def main() -> None:
    """Runs the demo; exit code 0 if the good currencies and only they were published."""
    shutil.rmtree(HOME, ignore_errors=True)
    os.environ["CRYPTO_ASSETS_HOME"] = str(HOME)
    for ticker, (history, trend) in FILES.items():
        folder = SAMPLES / ticker.lower()
        files = ("--history", str(folder / history), "--trend", str(folder / trend))
        _type("add", ticker, *files, *(["--force"] if ticker == BROKEN else []))
    failed = _type("materialize", "--all") == 1
    _type("status")
    answered = _type("sql", " ".join(QUERY.split())) == 0
    reported = _type("report") == 0
    print(f"\nLook at it in Dagster's UI:  CRYPTO_ASSETS_HOME={HOME} make ui", flush=True)
    sys.exit(0 if failed and answered and reported and _as_expected() else 1)


def _type(*words: str) -> int:
    """Runs one command in this process; returns its exit code."""
    shown = " ".join(f'"{word}"' if " " in word else word for word in words)
    print(f"\n$ crypto-assets {shown}", flush=True)
    try:
        crypto_assets(words, standalone_mode=False)
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def _as_expected() -> bool:
    """The good currencies are published in every layer, the broken one stopped at bronze."""
    from crypto_assets.defs.status import statuses
    from crypto_assets.defs.under_way import under_way
    from crypto_assets.resources import wiring
    from crypto_assets.resources.settings import Settings

    settings = Settings()
    currencies, _ = wiring.published(settings)
    (look,) = under_way(settings, [currencies])
    found = {each.entry.partition: each for each in statuses(currencies, FILES, look)}
    states = {
        name: {layer.state for layer in status.layers.values()} for name, status in found.items()
    }
    problems = {name: status.problems for name, status in found.items() if status.problems}
    good = all(states[ticker] == {"published"} for ticker in FILES if ticker != BROKEN)
    return good and list(problems) == [BROKEN] and "line 915" in problems[BROKEN][0]


if __name__ == "__main__":
    main()
