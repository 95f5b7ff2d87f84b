"""Child processes of the benchmark: what they print, the CPU they take, the memory they hold."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil

SAMPLE_S = 0.2


def measured(home: Path, *words: str, engine: str = "") -> tuple[str, float]:
    """What `python -m words` prints on this home, and the peak memory of its processes in MB.

    Computed by `engine`, or by the one that the environment names.
    """
    with _started(home, *words, engine=engine) as child:
        peak = _Peak(child.pid)
        peak.start()
        printed, _ = child.communicate()
        peak.ended.set()
        peak.join()
    if child.returncode:
        sys.exit(f"python -m {' '.join(words)}: exit code {child.returncode}")
    return printed, peak.megabytes


def cpu_of(home: Path, *words: str) -> float:
    """The CPU seconds of `crypto-assets words` on this home, with those of its children."""
    with _started(home, "crypto_assets.cli", *words) as child:
        if child.stdout:
            child.stdout.read()
        _, _, used = os.wait4(child.pid, 0)
        child.returncode = 0
    return used.ru_utime + used.ru_stime


def _started(home: Path, *words: str, engine: str = "") -> subprocess.Popen[str]:
    environment = {**os.environ, "CRYPTO_ASSETS_HOME": str(home)}
    # An installed program has its bytecode; a variable may keep Python from writing a checkout's.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if engine:
        environment["CRYPTO_ASSETS_ENGINE"] = engine
    return subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-m", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if words[0].startswith("crypto") else None,
        text=True,
    )


class _Peak(threading.Thread):
    """Adds up now and then what memory a process and its children share or hold alone."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self.ended = threading.Event()
        self.megabytes = 0.0

    def run(self) -> None:
        while not self.ended.wait(SAMPLE_S):
            self.megabytes = max(self.megabytes, self._now())

    def _now(self) -> float:
        total = 0
        try:
            for process in (self._process, *self._process.children(recursive=True)):
                total += process.memory_full_info().pss
        except psutil.Error:  # one has just ended
            return 0.0
        return total / 1e6
