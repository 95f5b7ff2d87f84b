"""The way to the UI of a stack's instance: a session of Systems Manager that forwards a port.

AWS CLI and its Session Manager plugin keep the session, whose protocol no library speaks. The tag
that instances are found by is the template's. What answers behind the port is not looked at here.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from crypto_assets.resources.aws import Aws, aws_errors
from crypto_assets.resources.errors import RefusedError

TAG = "crypto-assets-stack"
UI_PORT = 3000
_DOCUMENT = "AWS-StartPortForwardingSession"
_ENDING_S = 10.0
_CURES = {
    "aws": "install AWS CLI, see «Installing the AWS CLI» in its user guide",
    "session-manager-plugin": (
        "install it, see «Install the Session Manager plugin for the AWS CLI» in the user guide of "
        "AWS Systems Manager"
    ),
}


def instance_of(aws: Aws, stack: str) -> str:
    """The id of the stack's instance. Raises `RefusedError` if none runs."""
    running = [
        {"Name": f"tag:{TAG}", "Values": [stack]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    with aws_errors(permission="give who asks the policy in docs/aws.md"):
        found = aws.client("ec2").describe_instances(Filters=running)["Reservations"]
    for reservation in found:
        return str(reservation["Instances"][0]["InstanceId"])
    raise RefusedError(
        f"no instance of stack {stack} runs here: deploy it with WithInstance=yes, or look at the "
        "region of the settings; a new one takes some minutes"
    )


@dataclass(frozen=True)
class Session:
    """A session that AWS CLI keeps; what that says goes to `said`."""

    process: subprocess.Popen[bytes]
    said: IO[bytes]

    def check(self) -> None:
        """Raises `RefusedError` with what AWS CLI says if the session has ended."""
        if self.process.poll() is None:
            return
        self.said.seek(0)
        lines = self.said.read().decode(errors="backslashreplace").split("\n")
        said = [line.strip() for line in lines if line.strip()] or ["AWS CLI gave no reason"]
        raise RefusedError(f"the session has ended: {said[-1]}")

    def end(self) -> None:
        """Ends it as Ctrl-C does, which the plugin reports to AWS; in the end, by force."""
        for number in (signal.SIGINT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_ENDING_S)
                return


@contextmanager
def forwarded(aws: Aws, instance: str, port: int) -> Iterator[Session]:
    """Forwards this port of loopback to the UI of the instance meanwhile.

    Raises `RefusedError` if AWS CLI or its plugin is missing.
    """
    for program, cure in _CURES.items():
        if not shutil.which(program):
            raise RefusedError(f"{program} is not on PATH: {cure}")
    parameters = f"portNumber={UI_PORT},localPortNumber={port}"
    command = ["aws", "ssm", "start-session", "--target", instance, "--document-name", _DOCUMENT]
    command += ["--parameters", parameters, *(["--region", aws.region] if aws.region else [])]
    with tempfile.TemporaryFile() as said:
        session = Session(
            subprocess.Popen(  # noqa: S603 - our own words, no shell
                command,
                env={**os.environ, **aws.environment()},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C is for this process, which ends the session
            ),
            said,
        )
        try:
            yield session
        finally:
            session.end()
