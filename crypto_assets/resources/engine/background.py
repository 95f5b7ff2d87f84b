"""Calls that other threads make: one that keeps no process from its end, results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def begun(call: Callable[[], T]) -> Future[T]:
    """Begins a call in a thread that keeps no process from its end, unlike an executor's.

    A job that Spark is given while it stops is never answered.
    """
    future: Future[T] = Future()

    def do() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)

    Thread(target=do, daemon=True).start()
    return future


def in_order(calls: Iterable[Future[T]], ahead: int) -> Iterator[T]:
    """The results of these calls in their order, with so many begun after the one that is given."""
    under_way: deque[Future[T]] = deque()
    for call in calls:
        under_way.append(call)
        if len(under_way) > ahead:
            yield under_way.popleft().result()
    for call in under_way:
        yield call.result()
