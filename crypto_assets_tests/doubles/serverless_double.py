"""What EMR Serverless and Redshift Serverless say of an application, a workgroup, a namespace.

Answers are held against botocore's models of the services: what the tests set must be something
that AWS can say. Jobs and SQL are the matter of `emr_double` and `redshift_double`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import botocore.session

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.model_check import problems
from crypto_assets_tests.doubles.router import serving

_ARN = f"arn:aws:emr-serverless:{REGION}:123456789012:/applications/00f1abcdefgh0123"
_CREATED = 1767225600


@dataclass
class Serverless:
    """One of each; a test changes what is said of them."""

    url: str = ""
    application: dict[str, Any] = field(
        default_factory=lambda: {
            "applicationId": "00f1abcdefgh0123",
            "arn": _ARN,
            "type": "Spark",
            "releaseLabel": "emr-spark-8.1.0",
            "state": "STOPPED",
            "architecture": "X86_64",
            "createdAt": _CREATED,
            "updatedAt": _CREATED,
        }
    )
    workgroup: dict[str, Any] = field(
        default_factory=lambda: {"namespaceName": "market", "status": "AVAILABLE"}
    )
    namespace: dict[str, Any] = field(default_factory=dict)
    usage_limits: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, service: str, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        if operation.endswith(("UsageLimit", "UsageLimits")):
            answer = self._usage_limits(operation, given)
        else:
            (name,) = {"application", "workgroup", "namespace"} & {operation[3:].lower()}
            answer = {name: getattr(self, name)}
        shape = botocore.session.Session().get_service_model(service).operation_model(operation)
        assert not problems(answer, shape.output_shape), answer
        return answer

    def _usage_limits(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        if operation == "ListUsageLimits":
            return {"usageLimits": self.usage_limits} if self.usage_limits else {}
        if operation == "CreateUsageLimit":
            self.usage_limits.append({"usageLimitId": f"limit-{len(self.usage_limits)}", **given})
            return {"usageLimit": self.usage_limits[-1]}
        assert operation == "UpdateUsageLimit"
        (limit,) = (
            one for one in self.usage_limits if one["usageLimitId"] == given["usageLimitId"]
        )
        limit.update(given)
        return {"usageLimit": limit}


class _Handler(BaseHTTPRequestHandler):
    double: Serverless

    def answer(self) -> None:
        given = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        service = "redshift-serverless" if target else "emr-serverless"
        answer = self.double.answer(service, target or "GetApplication", json.loads(given or "{}"))
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815 - the base class's names

    def log_message(self, *_: object) -> None:
        """Says nothing: what was asked is in the router."""


@contextmanager
def serverless() -> Iterator[Serverless]:
    double = Serverless()
    with serving(type("Handler", (_Handler,), {"double": double})) as url:
        double.url = url
        yield double
