"""A CloudFormation that answers what a test wrote down: states that no other double comes into.

Answers are held against botocore's model of the service: a test can only write what AWS can say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.session

from crypto_assets_tests.doubles.model_check import problems
from crypto_assets_tests.doubles.router import serving

_MODEL = botocore.session.Session().get_service_model("cloudformation")


@dataclass
class StackScript:
    """The answers of each operation in their order, of which the last one stays."""

    answers: Mapping[str, list[dict[str, Any]]]
    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def answer(self, body: bytes) -> str:
        given = dict(parse_qsl(body.decode()))
        operation = given.pop("Action")
        self.asked.append((operation, given))
        answers = self.answers[operation]
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        shape = _MODEL.operation_model(operation).output_shape
        assert not (wrong := problems(said, shape) if shape else []), wrong
        inner = f"<{operation}Result>{_xml(said, shape)}</{operation}Result>"
        return f"<{operation}Response>{inner}</{operation}Response>"

    def operations(self) -> list[str]:
        """What was asked, in its order."""
        return [operation for operation, _ in self.asked]


@contextmanager
def scripted(**answers: list[dict[str, Any]]) -> Iterator[StackScript]:
    """Such a CloudFormation as long as the block lasts."""
    script = StackScript(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sent = script.answer(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with serving(Handler) as url:
        script.url = url
        yield script


def _xml(value: Any, shape: Any) -> str:
    """A value as the Query protocol writes it."""
    if isinstance(value, dict):
        parts = value.items()
        return "".join(f"<{key}>{_xml(each, shape.members[key])}</{key}>" for key, each in parts)
    if isinstance(value, list):
        return "".join(f"<member>{_xml(each, shape.member)}</member>" for each in value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else escape(str(value))
