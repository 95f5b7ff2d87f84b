"""A process that computes pieces of a job: one a line of its input, an answer a line of its output.

It ends at once with its input, so also when the process that started it is killed. It imports
neither Dagster nor PySpark nor pandas, so that it is there in a fraction of a second.
"""

from __future__ import annotations

import os
import signal
import sys
from queue import SimpleQueue
from threading import Thread

READY = "ready"
NICENESS = 5  # the process that publishes and records comes first: the end of a run waits for it


def main() -> None:
    """Answers until its input ends."""
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to the whole group, when a run is ended
        signal.signal(number, signal.SIG_IGN)  # whoever started it decides when it ends
    os.nice(NICENESS)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what others print is no answer
    from crypto_assets.spark import each
    from crypto_assets.spark.arrow import compute_on_one_core

    compute_on_one_core()
    print(READY, file=answers, flush=True)
    pieces = SimpleQueue[str]()
    Thread(target=_read, args=[pieces], daemon=True).start()
    while True:
        print(each.answer(pieces.get()), file=answers, flush=True)


def _read(pieces: SimpleQueue[str]) -> None:
    for piece in sys.stdin:
        pieces.put(piece)
    os._exit(0)  # nobody waits for the answer to what it is at


if __name__ == "__main__":
    main()
