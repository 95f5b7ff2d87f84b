"""Calls that go on beside others, such as those that wait for Spark."""

from __future__ import annotations

from collections.abc import Callable
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
