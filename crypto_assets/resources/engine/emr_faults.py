"""What AWS answers, as faults of an engine; waiting out a throttle longer than clients do.

How that is told is in `aws`; what a job itself breaks on is told by `emr_watch`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tenacity import retry, retry_if_exception, stop_after_delay, wait_random_exponential

from crypto_assets.resources import aws
from crypto_assets.resources.engine.engine import EngineLost, EngineUnavailable

THROTTLED_FOR_S = 300.0

faults_told = partial(aws.faults_told, EngineLost, EngineUnavailable)


def until_not_throttled(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, made again as long as it is throttled, which a storm of other jobs may bring about.

    It adds to the short storms that the clients wait out by themselves.
    """
    waiting = retry(
        retry=retry_if_exception(lambda error: bool(aws.THROTTLED.search(aws.error_code(error)))),
        wait=wait_random_exponential(multiplier=1, max=30),
        stop=stop_after_delay(THROTTLED_FOR_S),
        reraise=True,
    )
    return waiting(call)
