"""`crypto-assets connect`: with a real EC2 API and a stand-in for AWS CLI and its plugin.

The stand-in `aws` is a program on PATH that prints what AWS CLI prints and really forwards the port
on loopback, to what stands for the UI of the instance. That SSM itself lets it is not shown here.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.request import urlopen

import pytest

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.router import serving
from crypto_assets_tests.helpers.aws_fixtures import give_keys
from crypto_assets_tests.helpers.loopback import answers, free_port
from crypto_assets_tests.helpers.processes import COMMAND, kill_family
from crypto_assets_tests.helpers.roles import ADMIN, keys_of
from crypto_assets_tests.helpers.waiting import HANG_S, until

pytestmark = pytest.mark.aws
STAND_IN = """#!{python}
import os, signal, socket, sys, threading
from pathlib import Path

words = dict(zip(sys.argv[3::2], sys.argv[4::2]))
Path(os.environ["ASKED"]).write_text(repr((sys.argv[1:3], words)))
ports = dict(part.split("=") for part in words["--parameters"].split(","))

def pump(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)

with socket.create_server(("127.0.0.1", int(ports["localPortNumber"]))) as listening:
    print("Starting session with SessionId: ann-0a1b", flush=True)
    while True:
        here, _ = listening.accept()
        there = socket.create_connection(("127.0.0.1", int(os.environ["UI"])))
        for pair in ((here, there), (there, here)):
            threading.Thread(target=pump, args=pair, daemon=True).start()
"""


class Ui(BaseHTTPRequestHandler):
    """What stands for the UI of the instance."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"asked as {self.headers['Host']}".encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def tools(home, tmp_path, monkeypatch, ministack) -> Path:
    """A folder first on PATH with AWS CLI and its plugin; the keys are an administrator's."""
    give_keys(monkeypatch, keys_of(ADMIN))
    monkeypatch.setenv("CRYPTO_ASSETS_AWS_REGION", REGION)
    monkeypatch.setenv("CRYPTO_ASSETS_AWS_ENDPOINT_URL", ministack)
    monkeypatch.setenv("PATH", str(tmp_path / "tools"))
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.chdir(tmp_path)
    program(tmp_path / "tools/aws", STAND_IN.format(python=sys.executable))
    program(tmp_path / "tools/session-manager-plugin", "")
    return tmp_path / "tools"


def program(path: Path, code: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(code)
    path.chmod(0o755)


@pytest.fixture
def environment(tools, admin) -> str:
    """An environment whose stack has an instance that runs, and one that is stopped."""
    name = f"e{uuid.uuid4().hex[:8]}"
    started(admin, f"crypto-{name}")
    ec2, stopped = admin.client("ec2"), started(admin, f"crypto-{name}")
    ec2.stop_instances(InstanceIds=[stopped])
    return name


def started(admin, stack: str) -> str:
    tags = [{"Key": "crypto-assets-stack", "Value": stack}]
    made = admin.client("ec2").run_instances(
        ImageId="ami-0a1b",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    return made["Instances"][0]["InstanceId"]


def test_the_ui_of_the_instance_is_on_this_machine_until_ctrl_c(
    tools, environment, admin, tmp_path, monkeypatch
):
    port = free_port()
    with serving(Ui) as ui:
        monkeypatch.setenv("UI", ui.rpartition(":")[2])
        command = [*COMMAND, "connect", "--env", environment, "--port", str(port)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            try:
                first, second = (process.stdout.readline() for _ in range(2))
                with urlopen(f"http://127.0.0.1:{port}/") as response:
                    seen = response.read().decode()
                process.send_signal(signal.SIGINT)
                rest = process.communicate(timeout=HANG_S)[0]
            finally:
                kill_family(process)
    asked, words = eval((tmp_path / "asked").read_text())  # noqa: S307 - the stand-in wrote it
    instance = words.pop("--target")
    assert (first, second) == (f"connecting to {instance}\n", f"ready: http://127.0.0.1:{port}\n")
    assert seen == f"asked as 127.0.0.1:{port}"
    assert (process.returncode, rest) == (0, "ended\n")
    assert not answers(f"http://127.0.0.1:{port}/")
    assert asked == ["ssm", "start-session"]
    assert words == {
        "--document-name": "AWS-StartPortForwardingSession",
        "--parameters": f"portNumber=3000,localPortNumber={port}",
        "--region": REGION,
    }
    described = admin.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
    assert described[0]["Instances"][0]["State"]["Name"] == "running"


def test_an_environment_without_an_instance_is_said_at_once(tools, run):
    code, _, err = run("connect", "--env", "none", "--port", free_port())
    assert code == 1
    assert "no instance of stack crypto-none runs here: deploy it with WithInstance=yes" in err


@pytest.mark.parametrize("name", ["aws", "session-manager-plugin"])
def test_a_missing_program_is_named_with_where_to_get_it(tools, environment, run, name):
    (tools / name).unlink()
    code, out, err = run("connect", "--env", environment, "--port", free_port())
    assert (code, out) == (1, "")
    assert f"{name} is not on PATH: install" in err


def test_a_session_that_ends_says_what_aws_said(tools, environment, run):
    said = "An error occurred (TargetNotConnected) when calling StartSession: not connected."
    program(tools / "aws", f"#!/bin/sh\necho '\n{said}\n' >&2\nexit 254\n")
    code, _, err = run("connect", "--env", environment, "--port", free_port())
    assert (code, err) == (1, f"crypto-assets: the session has ended: {said}\n")


def test_a_port_in_use_is_said_before_anything_is_asked(tools, run, tmp_path):
    with serving(Ui) as here:
        port = here.rpartition(":")[2]
        code, _, err = run("connect", "--port", port)
    assert code == 1
    assert "name another --port" in err
    assert not (tmp_path / "asked").exists()


def test_a_session_that_does_not_end_on_ctrl_c_is_ended_by_force(tools, tmp_path, monkeypatch):
    from crypto_assets.resources.aws import Aws
    from crypto_assets.resources.deploy import session

    program(
        tools / "aws", "#!/bin/sh\ntrap '' INT\necho started >\"$ASKED\"\nexec /bin/sleep 600\n"
    )
    monkeypatch.setattr(session, "_ENDING_S", 0.1)
    with session.forwarded(Aws(region=REGION), "i-0a1b", free_port()) as opened:
        until("the stand-in", (tmp_path / "asked").exists, by=opened.process)
    assert opened.process.returncode == -signal.SIGKILL
