"""A job that computes partition by partition, and does to its process what its facts say."""

import os
import signal
import sys
import time
from pathlib import Path

from crypto_assets.spark.job_spec import Verdict


def compute(spec, partition):
    match partition.facts:
        case {"dies": "always"}:
            os.kill(os.getpid(), signal.SIGKILL)
        case {"dies": "once", "mark": mark} if not Path(mark).exists():
            Path(mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        case {"dies": "never", "waits": True}:
            time.sleep(3600)
        case {"disk": "full"}:
            raise OSError(28, "No space left on device", "somewhere")
        case {"prints": text}:
            sys.stdout.write(f"{text}\n")
    measures = {"process": os.getpid(), "niceness": os.nice(0)}
    yield Verdict(partition.name, "only", measures=measures)
