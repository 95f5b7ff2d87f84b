"""The instance: what the template gives it, and its two scripts, run in a folder for a root.

Stand-ins on PATH take the place of what needs a machine of AWS: `aws`, `dnf`, the volume, systemd.
Python, pip, hashes and files are real; the wheel has the real `setup.sh`.
"""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from crypto_assets.resources.settings import AwsSettings, read_settings, variable
from crypto_assets_tests.helpers.template import EVERYTHING, TEMPLATE, Stack, everything
from crypto_assets_tests.helpers.waiting import HANG_S
from crypto_assets_tests.helpers.wheels import make_wheel, sha256

FOLDER = TEMPLATE.parent / "instance"
USER_DATA = (FOLDER / "user-data.sh").read_text()
VOLUME = "vol-0a1b2c3d"
DEVICE = "dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0a1b2c3d"
DONE = "for word; do :; done"
RECORD = 'echo "${0##*/} $*" >>"$RECORD"'
PYTHON = shlex.quote(sys.executable)
STAND_INS = {
    "aws": 'if [ "$1" = s3 ]; then cp "$BUCKETS/${4#s3://}" "$5"; fi',
    "dnf": DONE,
    "python3.11": f'if [ "$2" = venv ]; then cp -a "$VENV/." "$3"; else {PYTHON} "$@"; fi',
    "blkid": 'if [ ! -e "$2" ]; then exit 4; elif [ ! -s "$2" ]; then exit 2; fi',
    "mkfs.xfs": 'echo xfs >"$2"',
    "mount": DONE,
    "useradd": DONE,
    "chown": DONE,
    "systemctl": DONE,
    "curl": DONE,
    "sleep": DONE,
}


def header(stack: Stack) -> tuple[list[str], str]:
    """The lines that the template puts before the script, and the script."""
    data = stack.properties("InstanceTemplate")["LaunchTemplateData"]["UserData"]
    before, shebang, after = data.rpartition("#!/bin/bash\n")
    return before.splitlines(), shebang + after


def variables(stack: Stack) -> dict[str, str]:
    """What these lines set, as bash reads them."""
    lines = "\n".join([*header(stack)[0], "printf '%s\\0' ROOT STACK VOLUME BUCKET WHEEL SETTINGS"])
    code = f'{lines} | while read -r -d "" name; do printf "%s=%s\\0" "$name" "${{!name}}"; done'
    done = subprocess.run(["bash", "-euc", code], capture_output=True, text=True, check=True)
    return dict(one.split("=", 1) for one in done.stdout.split("\0") if one)


def test_the_template_has_the_script_of_its_file():
    first, *_ = header(everything())[0]
    assert header(everything())[1] == USER_DATA
    assert first == "#!/bin/bash"


def test_the_script_gets_each_variable_that_it_uses():
    given = variables(everything())
    assert given == {
        "ROOT": "",
        "STACK": "team-blue-stack",
        "VOLUME": "vol-0123456789abcdef0",
        "BUCKET": "team-blue-lake-123456789012",
        "WHEEL": EVERYTHING["WheelKey"],
        "SETTINGS": given["SETTINGS"],
    }


@pytest.mark.parametrize(
    ("left_out", "chosen"),
    [
        ({}, ("emr-serverless", "redshift", "dynamodb")),
        ({"WithEmr": "no"}, ("sail", "redshift", "dynamodb")),
        ({"WithRedshift": "no", "WithDynamoDb": "no"}, ("emr-serverless", "duckdb", "duckdb")),
    ],
)
def test_the_settings_of_the_instance_are_the_outputs_of_its_stack(monkeypatch, left_out, chosen):
    stack = Stack({**EVERYTHING, **left_out})
    given = dict(line.split("=", 1) for line in variables(stack)["SETTINGS"].splitlines())
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert (settings.engine, settings.warehouse, settings.store) == chosen
    outputs = {variable("aws", name) for name in AwsSettings.settings()} & {
        variable("aws", snake(name)) for name in stack.outputs
    }
    assert outputs == {name for name in given if name.startswith("CRYPTO_ASSETS_AWS_")}
    assert all(value in stack.outputs.values() for name, value in given.items() if name in outputs)


def snake(name: str) -> str:
    return "".join(f"_{one}" if one.isupper() else one for one in name).strip("_")


@dataclass
class Machine:
    """An instance before its first start; `run` is that start."""

    root: Path
    wheel: Path
    venv: Path

    @property
    def log(self) -> list[str]:
        """What the stand-ins were asked to do, in its order."""
        return (self.root / "asked").read_text().splitlines()

    def file(self, path: str) -> Path:
        return self.root / path

    def run(self, **given: str) -> subprocess.CompletedProcess[str]:
        """Runs the user data as cloud-init does."""
        key = given.pop("WHEEL", f"wheels/{sha256(self.wheel)}/{self.wheel.name}")
        target = self.root / "buckets/example-lake" / key
        target.parent.mkdir(parents=True)
        shutil.copy(self.wheel, target)
        script = self.root / "user-data"
        words: Mapping[str, str] = {
            "ROOT": str(self.root),
            "STACK": "example-stack",
            "VOLUME": VOLUME,
            "BUCKET": "example-lake",
            "WHEEL": key,
            "SETTINGS": "CRYPTO_ASSETS_PROFILE=aws\nCRYPTO_ASSETS_AWS_REGION=eu-central-1",
        }
        before = [f"{name}={shlex.quote(value)}" for name, value in words.items()]
        script.write_text("\n".join(["#!/bin/bash", *before, USER_DATA]))
        environment = {
            "PATH": f"{self.root / 'stand-ins'}:{os.environ['PATH']}",
            "RECORD": str(self.root / "asked"),
            "BUCKETS": str(self.root / "buckets"),
            "VENV": str(self.venv),
            "PIP_NO_INDEX": "1",
            **given,
        }
        return subprocess.run(
            ["bash", script],
            env=environment,
            capture_output=True,
            text=True,
            timeout=HANG_S,
            check=False,
        )


@pytest.fixture(scope="module")
def venv(tmp_path_factory) -> Path:
    """An environment without packages, made once: it takes seconds."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def machine(tmp_path, venv) -> Machine:
    root = tmp_path / "root"
    for folder in ("stand-ins", "etc/systemd/system", "var/lib/cloud/data", "dev/disk/by-id"):
        (root / folder).mkdir(parents=True)
    for name, code in STAND_INS.items():
        path = root / "stand-ins" / name
        path.write_text(f"#!/bin/bash\n{RECORD}\n{code}\n")
        path.chmod(0o755)
    (root / "var/lib/cloud/data/instance-id").write_text("i-0a1b\n")
    (root / DEVICE).write_text("")
    library = make_wheel(tmp_path, "library", {"library.py": "NAME = 'a dependency'\n"})
    return Machine(root, product(tmp_path, library, sha256(library)), venv)


def product(folder: Path, library: Path, checksum: str) -> Path:
    """A wheel of the product's name, whose lock file names one dependency."""
    files = {
        "crypto_assets/__init__.py": "import library\n\ndef main():\n    print(library.NAME)\n",
        "crypto_assets/setup.sh": (FOLDER / "setup.sh").read_text(),
        "crypto_assets/product.lock": f"library @ {library.as_uri()} --hash=sha256:{checksum}\n",
    }
    return make_wheel(folder, "crypto_assets", files, "crypto-assets = crypto_assets:main")


def signalled(machine: Machine) -> list[str]:
    """What was reported to the stack."""
    return [line.split()[-1] for line in machine.log if line.startswith("aws cloudformation")]


def test_a_new_instance_serves_the_home_on_its_volume(machine):
    done = machine.run()
    assert (done.returncode, done.stderr) == (0, "")
    command = [machine.file("opt/crypto-assets/bin/crypto-assets")]
    said = subprocess.run(command, env={}, capture_output=True, text=True, check=True)
    assert said.stdout == "a dependency\n"
    steps = [line.split()[:3] for line in machine.log if not line.startswith("python")]
    assert [" ".join(words).replace(f"{machine.root}/", "") for words in steps] == [
        "dnf install -y",
        "aws s3 cp",
        "aws ec2 attach-volume",
        f"blkid --probe {DEVICE}",
        f"mkfs.xfs -q {DEVICE}",
        "useradd --system --uid",
        "mount var/lib/crypto-assets",
        "chown crypto-assets: var/lib/crypto-assets",
        "systemctl daemon-reload",
        "systemctl enable --now",
        "curl --fail --silent",
        "aws cloudformation signal-resource",
    ]
    assert signalled(machine) == ["SUCCESS"]


def test_the_service_has_its_own_user_the_home_and_the_settings_and_starts_again(machine):
    machine.run()
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str
    unit.read(machine.file("etc/systemd/system/crypto-assets.service"))
    home = str(machine.file("var/lib/crypto-assets"))
    service = dict(unit["Service"])
    assert service["User"] == "crypto-assets"
    assert service["Environment"] == f"CRYPTO_ASSETS_HOME={home}"
    assert service["Restart"] == "on-failure"
    assert service["ExecStart"] == f"{machine.file('opt/crypto-assets/bin/crypto-assets')} ui"
    assert unit["Unit"]["RequiresMountsFor"] == home
    assert Path(service["EnvironmentFile"]).read_text().splitlines() == [
        "CRYPTO_ASSETS_PROFILE=aws",
        "CRYPTO_ASSETS_AWS_REGION=eu-central-1",
    ]
    assert machine.file("etc/fstab").read_text().split()[1] == home


def test_a_volume_that_holds_a_home_is_mounted_as_it_is(machine):
    machine.file(DEVICE).write_text("a home")
    machine.run()
    assert machine.file(DEVICE).read_text() == "a home"
    assert [line for line in machine.log if line.startswith("mkfs")] == []
    assert signalled(machine) == ["SUCCESS"]


def test_a_volume_that_cannot_be_looked_at_is_not_formatted(machine):
    blkid = machine.file("stand-ins/blkid")
    blkid.write_text("#!/bin/bash\nexit 4\n")
    assert machine.run().returncode == 4
    assert [line for line in machine.log if line.startswith(("mkfs", "mount"))] == []
    assert signalled(machine) == ["FAILURE"]


def test_a_volume_that_another_instance_holds_is_waited_for(machine):
    aws = machine.file("stand-ins/aws")
    held = (
        'if [ "$2" = attach-volume ] && [ "$(grep -c attach "$RECORD")" -lt 3 ]; then exit 254; fi'
    )
    aws.write_text(f"{aws.read_text()}{held}\n")
    assert machine.run().returncode == 0
    attach = f"aws ec2 attach-volume --volume-id {VOLUME} --instance-id i-0a1b --device /dev/sdf"
    asked = [line for line in machine.log if "attach-volume" in line or "sleep" in line]
    assert asked == [attach, "sleep 10", attach, "sleep 10", attach]


def test_a_wheel_of_another_hash_than_its_key_says_is_not_opened(machine):
    done = machine.run(WHEEL=f"wheels/{'0a' * 32}/{machine.wheel.name}")
    assert done.returncode == 1
    assert "did NOT match" in done.stderr
    assert not machine.file("opt/crypto-assets/wheel").exists()
    assert signalled(machine) == ["FAILURE"]


def test_a_dependency_of_another_hash_than_the_lock_says_is_not_installed(machine, tmp_path):
    machine.wheel = product(tmp_path, tmp_path / "library-1.0-py3-none-any.whl", "0a" * 32)
    done = machine.run()
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr
    assert not machine.file("opt/crypto-assets/bin/crypto-assets").exists()
    assert signalled(machine) == ["FAILURE"]


def test_an_instance_that_no_update_waits_for_starts_all_the_same(machine):
    aws = machine.file("stand-ins/aws")
    aws.write_text(f'{aws.read_text()}if [ "$1" = cloudformation ]; then exit 254; fi\n')
    assert machine.run().returncode == 0


def test_only_https_leads_out_of_the_instance_and_nothing_in():
    group = everything().properties("InstanceSecurityGroup")
    (out,) = group["SecurityGroupEgress"]
    assert (out["IpProtocol"], out["FromPort"], out["ToPort"]) == ("tcp", 443, 443)
    assert "SecurityGroupIngress" not in group
    data = everything().properties("InstanceTemplate")["LaunchTemplateData"]
    assert data["SecurityGroupIds"] == ["sg-0123456789abcdef0"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert "KeyName" not in data


def test_one_instance_at_a_time_is_in_the_zone_of_its_volume():
    group, volume = everything().properties("Instance"), everything().properties("HomeVolume")
    assert (group["MinSize"], group["MaxSize"]) == ("1", "1")
    rolling = everything().resources["Instance"]["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert (rolling["MinInstancesInService"], rolling["WaitOnResourceSignals"]) == (0, True)
    assert volume["Encrypted"]
    assert volume["AvailabilityZone"] == everything().properties("Subnet")["AvailabilityZone"]


def test_the_home_is_what_snapshots_are_made_of():
    (wanted,) = everything().properties("HomeSnapshots")["PolicyDetails"]["TargetTags"]
    assert everything().properties("HomeVolume")["Tags"] == [wanted]
