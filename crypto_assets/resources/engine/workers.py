"""Processes of this machine that compute the pieces of a job (`spark/worker`).

A process that dies takes no other piece with it: the one it was at is tried once more, and then has
the verdict. They end with their input, so also when this process is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import IO, Any, Self

from crypto_assets.resources.errors import RefusedError
from crypto_assets.resources.progress import WAIT_REPORT_SECONDS, waiting
from crypto_assets.spark.job_spec import spec_from_json
from crypto_assets.spark.worker import READY

TRIES = 2  # a piece whose process dies so often is what kills it
AHEAD = 2  # pieces a process is given at a time, so that it never waits for the next one
_COMMAND = (sys.executable, "-P", "-m", "crypto_assets.spark.worker")
_ONE_CORE = {"OPENBLAS_NUM_THREADS": "1"}  # NumPy would start threads that nothing uses
OnDeath = Callable[[str, int], str]


@contextmanager
def started_early(count: int) -> Iterator[None]:
    """Starts so many processes for the first `Workers` that need some; ends what is left over."""
    _EARLY.extend(_Process() for _ in range(count))
    try:
        yield
    finally:
        while _EARLY:
            process = _EARLY.pop()
            process.kill()
            process.close()


class Workers:
    """At most `count` processes, started when they are needed, which end with the block."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._free: list[_Process] = []
        self._started: list[_Process] = []
        self._serving: list[Thread] = []
        self._closed = False
        self._files: list[Any] = []  # that are free: to make one takes longer than to write it
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        for process in self._started:
            process.kill()
        for thread in self._serving:
            thread.join()
        for process in self._started:  # with what a thread has started meanwhile
            process.kill()
            process.close()
        self._opened.close()

    def start(self, count: int) -> None:
        """Starts so many, if that many may be, so that they are there when they are needed."""
        while len(self._free) < min(count, self.count):
            self._free.append(self._new(early=True))

    def answers(self, pieces: Sequence[str], on_death: OnDeath) -> Iterator[str]:
        """The answer of each piece, in the order in which they are ready.

        `on_death` answers for a piece whose process died `TRIES` times; it is given the last exit
        code. Raises `RefusedError` if a process cannot start.
        """
        work = _Work(deque(pieces), on_death)
        self.start(len(pieces))
        running, self._free = self._free, []
        for process in running:
            self._serving.append(Thread(target=self._serve, args=[process, work], daemon=True))
            self._serving[-1].start()
        for _ in pieces:
            answer = work.answer()
            if isinstance(answer, Exception):
                raise answer
            yield answer

    def answer(self, piece: str, on_death: OnDeath) -> str:
        """The answer of one piece, as of `answers`; for as many threads as there are processes."""
        code = 0
        for _ in range(TRIES):
            try:
                process = self._free.pop()
            except IndexError:
                process = self._new(early=True)
            process.give(piece)
            if answer := process.answer():
                self._free.append(process)
                return answer
            code = process.kill()
            process.close()
            if code == -signal.SIGPROF:  # its own time has run out, as it would once more
                break
        return on_death(piece, code)

    @contextmanager
    def file_of(self, content: bytes) -> Iterator[str]:
        """The path of a temporary file of this content, which the next one may get."""
        try:
            file = self._files.pop()
        except IndexError:
            file = self._opened.enter_context(tempfile.NamedTemporaryFile())  # noqa: SIM115 - it is
        file.seek(0)
        file.write(content)
        file.truncate()
        file.flush()
        yield file.name
        self._files.append(file)

    def _serve(self, process: _Process, work: _Work) -> None:
        """Gives a process its pieces until none waits; another one takes its place if it dies."""
        at = work.begun()
        try:
            while not self._closed:
                while len(at) < AHEAD and (piece := work.next()):
                    at.append(piece)
                    process.give(piece)
                if not at:
                    self._free.append(process)
                    return
                if answer := process.answer():
                    at.popleft()
                    work.answers.put(answer)
                elif not self._closed:
                    work.died(at, process.kill())
                    process.close()
                    process = self._new()
        except Exception as error:  # noqa: BLE001 - raised where the answers are asked for
            work.answers.put(error)

    def _new(self, *, early: bool = False) -> _Process:
        process = _EARLY.pop() if early and _EARLY else _Process()
        self._started.append(process)
        return process


@dataclass(frozen=True)
class _Work:
    """The pieces that wait, and the answers there are."""

    waiting: deque[str]
    on_death: OnDeath
    answers: SimpleQueue[str | Exception] = field(default_factory=SimpleQueue)
    deaths: Counter[str] = field(default_factory=Counter)
    at: list[deque[str]] = field(default_factory=list)

    def begun(self) -> deque[str]:
        """The pieces that one process is given, of which it is at the first."""
        self.at.append(deque())
        return self.at[-1]

    def answer(self) -> str | Exception:
        """The next answer. Says now and then what is computed, where that takes long."""
        while True:
            try:
                return self.answers.get(timeout=WAIT_REPORT_SECONDS)
            except Empty:
                first = [piece for given in self.at for piece in list(given)[:1]]
                names = (spec_from_json(piece).partitions[0].name for piece in first)
                waiting(f"still computing {' and '.join(names)}")

    def next(self) -> str:
        """The next piece; empty if none waits."""
        try:
            return self.waiting.popleft()
        except IndexError:
            return ""

    def died(self, at: deque[str], exit_code: int) -> None:
        """A process has died at the first of these pieces, before the others."""
        piece = at.popleft()
        self.waiting.extendleft(reversed(at))
        at.clear()
        self.deaths[piece] += 1
        if self.deaths[piece] < TRIES:
            self.waiting.appendleft(piece)
        else:
            self.answers.put(self.on_death(piece, exit_code))


class _Process:
    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - a constant
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **_ONE_CORE}
        )
        self._ready = False

    def give(self, piece: str) -> None:
        with suppress(BrokenPipeError):  # that it is dead shows where its answer is read
            _piped(self._process.stdin).write(piece.encode() + b"\n")
            _piped(self._process.stdin).flush()

    def answer(self) -> str:
        """The next answer; empty if the process has died."""
        answers = _piped(self._process.stdout)
        if not self._ready:
            if answers.readline().strip() != READY.encode():
                raise RefusedError(
                    f"a process that computes cannot start (exit code {self.kill()}): "
                    f"{' '.join(_COMMAND)} says why"
                )
            self._ready = True
        return answers.readline().decode()

    def kill(self) -> int:
        """Ends it, if it has not ended; gives its exit code, minus the signal that ended it."""
        self._process.kill()
        return self._process.wait()

    def close(self) -> None:
        with suppress(BrokenPipeError):
            _piped(self._process.stdin).close()
        _piped(self._process.stdout).close()


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("not a pipe")
    return stream


_EARLY: list[_Process] = []
