"""The workflow of GitHub: its steps are targets of the Makefile, and no key is stored.

That it is valid, and safe in itself, `actionlint` and `zizmor` see to in `make lint`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from crypto_assets.cli.deploy import deploy
from crypto_assets_tests.helpers.template import everything

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
NAMES = [path.stem for path in WORKFLOWS]
MAKEFILE = (ROOT / "Makefile").read_text()
GITHUB = ROOT / "deploy/github.yaml"
# By action, the commit of the release that the comment behind it names.
RELEASES = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
    "aws-actions/configure-aws-credentials": (
        "e6de054238d6b7531b4efff3b6587d9aade6a06c",
        "v6.2.3",
    ),
}


def workflow(name: str) -> dict[Any, Any]:
    return yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())


def jobs() -> Iterator[dict[str, Any]]:
    for name in NAMES:
        yield from workflow(name)["jobs"].values()


def commands() -> list[str]:
    """What the steps run, once for each target of a matrix."""
    found = []
    for job in jobs():
        targets = job.get("strategy", {}).get("matrix", {}).get("target", [""])
        runs = [step["run"] for step in job.get("steps", ()) if "run" in step]
        found += [run.replace("${{ matrix.target }}", one) for run in runs for one in targets]
    return sorted(set(found))


def test_each_step_runs_a_target_of_the_makefile():
    targets = set(re.findall(r"^([\w-]+):", MAKEFILE, re.MULTILINE))
    assert "make test" in commands()
    wrong = [run for run in commands() if run.removeprefix("make ") not in targets]
    assert wrong == []


def test_the_command_of_make_deploy_has_the_options_that_it_is_given():
    (words,) = re.findall(
        r"bin/crypto-assets deploy (.*)$", MAKEFILE.replace("$(BIN)", "bin"), re.MULTILINE
    )
    known = {name for option in deploy.params for name in option.opts}
    given = set(re.findall(r"--[\w-]+", words))
    assert {"--env", "--yes", "--wheel"} == given
    assert given <= known


def test_what_ci_runs_here_runs_there_too():
    here = re.findall(r"^make [\w-]+$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert len(here) > 3
    assert set(here) <= set(commands())


def test_each_action_is_pinned_to_the_commit_of_a_release():
    text = "\n".join(path.read_text() for path in WORKFLOWS)
    used = re.findall(r"uses: (\S+)@(\S+) # (\S+)$", text, re.MULTILINE)
    assert {name: (commit, release) for name, commit, release in used} == RELEASES
    local = re.findall(r"uses: (\./\S+)$", text, re.MULTILINE)
    assert len(used) + len(local) == text.count("uses: ")


def test_no_secret_is_used_and_only_who_deploys_gets_a_token_of_github():
    text = "\n".join(path.read_text() for path in WORKFLOWS)
    assert "secrets" not in text
    assert "aws-access-key" not in text
    assert [workflow(name)["permissions"] for name in NAMES] == [{}, {}]
    with_token = {
        (name, job)
        for name in NAMES
        for job, one in workflow(name)["jobs"].items()
        if "id-token" in one["permissions"]
    }
    assert with_token == {
        ("delivery", "staging"),
        ("delivery", "production"),
        ("deploy", "deploy"),
    }


def test_production_comes_after_staging_after_one_build_after_all_checks():
    order = {name: job.get("needs") for name, job in workflow("delivery")["jobs"].items()}
    assert order == {
        "check": None,
        "build": "check",
        "staging": "build",
        "production": "staging",
    }
    assert workflow("delivery")["jobs"]["build"]["if"] == "github.event_name == 'push'"
    assert commands().count("make dist") == 1


def test_an_environment_has_one_deployment_at_a_time_which_is_not_broken_off():
    job = workflow("deploy")["jobs"]["deploy"]
    assert job["environment"] == "${{ inputs.environment }}"
    assert job["concurrency"] == {
        "group": "deploy-${{ inputs.environment }}",
        "cancel-in-progress": False,
    }


def test_the_role_of_an_environment_is_for_its_jobs_alone_and_makes_the_stacks_roles_alone():
    text = GITHUB.read_text()
    assert "sub: !Sub repo:${Repository}:environment:${Environment}\n" in text
    assert "aud: sts.amazonaws.com\n" in text
    made = {
        one["RoleName"].removeprefix("team-blue-")
        for one in everything().of_type("AWS::IAM::Role").values()
    }
    assert set(re.findall(r"role/crypto-\$\{Environment\}-([\w-]+)$", text, re.MULTILINE)) == made


def test_cfn_lint_finds_nothing_in_the_template_of_the_role():
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, GITHUB], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)
