"""What goes wrong between here and EMR Serverless, in words with a cure; waiting out a throttle.

What a job itself breaks on is told by `emr_watch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tenacity import retry, retry_if_exception, stop_after_delay, wait_random_exponential

from crypto_assets.resources.engine import EngineLost, EngineUnavailable

THROTTLED_FOR_S = 300.0
_THROTTLED = {"ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
_WHO = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_MAY_NOT = {"AccessDenied", "AccessDeniedException", "403"}
_PASSES = {"ConflictException", "ServiceQuotaExceededException", *_THROTTLED}
_RENEW = "renew them (such as `aws sso login`, or a new key file) and run again"
_SERVER_ERROR = 500


@contextmanager
def faults_told() -> Iterator[None]:
    """Says what AWS refuses: `EngineLost` where time may heal, else `EngineUnavailable`."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004 - botocore's name
        CredentialRetrievalError,
        HTTPClientError,
        NoCredentialsError,
        PartialCredentialsError,
        SSOError,
        TokenRetrievalError,
    )

    try:
        yield
    except ClientError as error:
        raise _told(error) from error
    except (
        CredentialRetrievalError,
        NoCredentialsError,
        PartialCredentialsError,
        SSOError,
        TokenRetrievalError,
    ) as error:
        raise EngineUnavailable(f"AWS knows no credentials: {error}; {_RENEW}") from error
    except (ConnectionError, HTTPClientError) as error:
        raise EngineLost(f"AWS cannot be reached: {error}") from error
    except (Boto3Error, BotoCoreError) as error:
        raise EngineUnavailable(f"AWS: {error}") from error


def until_not_throttled(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, made again as long as it is throttled, which a storm of other jobs may bring about.

    It adds to the short storms that the clients wait out by themselves.
    """
    waiting = retry(
        retry=retry_if_exception(lambda error: _code(error) in _THROTTLED),
        wait=wait_random_exponential(multiplier=1, max=30),
        stop=stop_after_delay(THROTTLED_FOR_S),
        reraise=True,
    )
    return waiting(call)


def _told(error: Any) -> Exception:
    """The service's refusal, in one line, as the kind of error that it is."""
    code, operation = _code(error), error.operation_name
    message = " ".join(error.response["Error"].get("Message", "").split())
    if code in _WHO:
        return EngineUnavailable(
            f"AWS does not take the credentials any more ({code} at {operation}): {_RENEW}"
        )
    if code in _MAY_NOT:
        return EngineUnavailable(
            f"AWS refuses {operation}: {message or code}; allow it in the policy of who asks"
        )
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    passes = code in _PASSES or status >= _SERVER_ERROR
    kind = EngineLost if passes else EngineUnavailable
    return kind(f"AWS refuses {operation}: {code}: {message}")


def _code(error: BaseException) -> str:
    response = getattr(error, "response", None) or {}  # a lost connection has None
    return str(response.get("Error", {}).get("Code", ""))
