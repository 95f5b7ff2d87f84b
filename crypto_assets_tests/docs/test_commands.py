"""Every block of commands on the pages is run as written, or listed with the reason why not."""

from __future__ import annotations

import re
import shlex
import shutil
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets_tests.helpers.pages import PAGES, ROOT, commands

COMMANDS = commands()
SAMPLES = ROOT / "sample_data"


@dataclass(frozen=True)
class Desk:
    """Where commands are typed: a folder with a fresh home, and fixtures to prepare it."""

    folder: Path
    run: Callable[..., tuple[int, str, str]]
    add: Callable[..., tuple[int, str, str]]
    patch: pytest.MonkeyPatch

    def publish(self, *tickers: str) -> None:
        for ticker in tickers:
            self.add(ticker)
        assert self.run("materialize", *tickers)[0] == 0


def nothing(desk: Desk) -> None:
    """The commands bring all they need."""


def two_files(desk: Desk) -> None:
    """Both files of Bitcoin are in the working directory."""
    for name in ("Bitcoin Historical Data.csv", "multiTimeline.csv"):
        shutil.copy(SAMPLES / "btc" / name, desk.folder)


def downloads(desk: Desk) -> None:
    """Files are in the person's downloads, and a running `ui` has published Bitcoin."""
    desk.patch.setenv("HOME", str(desk.folder))
    shutil.copytree(SAMPLES / "btc", desk.folder / "Downloads" / "my_coins" / "btc")
    desk.publish("BTC")


def clone(desk: Desk) -> None:
    """The working directory is the repository."""
    desk.patch.chdir(ROOT)


def two_currencies(desk: Desk) -> None:
    desk.publish("BTC", "ETH")


def two_registered(desk: Desk) -> None:
    desk.add("BTC")
    desk.add("ETH")


def browser(desk: Desk) -> None:
    """One currency, and a browser that opens what it is given."""
    desk.publish("BTC")
    desk.patch.setattr(webbrowser, "open", lambda _: True)


RUN: dict[str, Callable[[Desk], None]] = {
    "README.md: Use it 1": two_files,
    "docs/accounts.md: Customer accounts 1": clone,
    "docs/operations.md: Backfills 1": two_registered,
    "docs/operations.md: Failures 1": two_registered,
    "docs/operations.md: Notices 1": two_currencies,
    "docs/operations.md: What is kept 1": two_currencies,
    "docs/operations.md: What is kept 2": two_currencies,
    "docs/quick-start.md: Use your own files 1": two_files,
    "docs/report.md: The report 1": browser,
    "docs/tables.md: Export 1": two_currencies,
    "docs/your-files.md: Your own files 2": downloads,
}
# By page or block, the test that runs it.
ELSEWHERE = {
    "README.md: Try it 1": "crypto_assets_tests/docs/test_demo.py",
    "docs/quick-start.md: See it work 1": "crypto_assets_tests/docs/test_demo.py",
    "README.md: Use it 2": "crypto_assets_tests/test_ui.py",
    "docs/your-files.md: Your own files 1": "crypto_assets_tests/test_ui.py",
    "docs/aws-first-run.md": "crypto_assets_tests/aws/test_first_run.py",
    "docs/build-on-gold.md": "crypto_assets_tests/test_pages_for_code.py",
    "docs/python.md": "crypto_assets_tests/test_pages_for_code.py",
    "docs/tables.md: Connect your tools 1": "crypto_assets_tests/test_pages_for_code.py",
    "docs/tables.md: Read the lake 1": "crypto_assets_tests/test_pages_for_code.py",
    "docs/commands.md: Completion 1": "crypto_assets_tests/docs/test_completion.py",
    "deploy/iam/README.md: Put your own values in 1": "crypto_assets_tests/aws/test_policies.py",
}
_ACCOUNT = "needs an account of AWS"
_DEPLOY = f"{_ACCOUNT}; crypto_assets_tests/deploy/test_deploy.py deploys to a double"
NOT_RUN = {
    "docs/aws-first-run.md: From an empty account to the first published table 1": _DEPLOY,
    "docs/aws-first-run.md: From an empty account to the first published table 14": (
        "an example of the output of `ui`, which serves until it is stopped"
    ),
    "docs/aws.md: One stack makes it all 1": _DEPLOY,
    "docs/aws.md: One stack makes it all 2": _DEPLOY,
    "docs/aws.md: One stack makes it all 3": (
        f"{_ACCOUNT}; crypto_assets_tests/deploy/test_destroy.py destroys one of a double"
    ),
    "docs/aws.md: One stack makes it all 4": f"{_ACCOUNT} and AWS's own command",
    "docs/aws.md: Dagster on an instance 1": _DEPLOY,
    "docs/aws.md: Dagster on an instance 2": f"{_ACCOUNT} and a plugin of AWS's own command",
    "docs/aws.md: Dagster on an instance 3": "runs on an instance of AWS",
    "docs/aws.md: In a container 1": "needs Docker or Podman: `make test-image` does the same",
    "docs/aws.md: Code follows pushes 1": f"{_ACCOUNT} and AWS's own command",
    "docs/development.md: Development 1": "takes minutes; CI runs these targets",
    "docs/development.md: Development 2": "takes minutes to an hour, and some need a cluster",
    "docs/metrics.md: Turn it on 1": (
        "needs a collector; crypto_assets_tests/resources/metrics/test_otlp.py sends to one"
    ),
    "deploy/iam/README.md: Put your own values in 2": f"{_ACCOUNT} and AWS's own command",
}


def test_every_block_of_commands_is_run_or_listed_with_the_reason_why_not():
    listed = {*RUN, *ELSEWHERE, *NOT_RUN}
    assert [name for name in COMMANDS if not {name, COMMANDS[name].page} & listed] == []


def test_what_is_listed_is_on_a_page():
    assert {*RUN, *ELSEWHERE, *NOT_RUN} - {*COMMANDS, *PAGES} == set()


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_test_that_runs_a_block_names_its_page(name):
    page = name.partition(":")[0]
    assert page in (ROOT / ELSEWHERE[name]).read_text()


@pytest.mark.parametrize("name", RUN)
def test_the_commands_of_a_page_run_as_written(name, home, tmp_path, run, add, monkeypatch):
    RUN[name](Desk(tmp_path, run, add, monkeypatch))
    for line in COMMANDS[name].text.splitlines():
        command, *words = shlex.split(line, comments=True)
        assert command == "crypto-assets"
        typed = [str(Path(word).expanduser()) if "~" in word else word for word in words]
        done = CliRunner().invoke(main, typed, input="y\n", catch_exceptions=False)
        assert done.exit_code == 0, (line, done.output)


def command_lines() -> Iterator[tuple[str, set[str]]]:
    """Each `crypto-assets COMMAND` that a page shows, in a block or in a line, and its options."""
    shown = re.compile(
        r"(?:^|`|\$ |[A-Z]\w*=\S+ |bin/)crypto-assets (?:--debug )?([a-z]+)\b([^`\n]*)",
        re.MULTILINE,
    )
    for text in PAGES.values():
        for command, words in shown.findall(text):
            yield command, set(re.findall(r"--[a-z][a-z-]*", words))


def test_every_command_and_option_that_a_page_names_exists():
    context = click.Context(main)
    known: dict[str, set[str]] = {}
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command
        known[name] = {option for param in command.get_params(context) for option in param.opts}
    named = [*command_lines()]
    assert {command for command, _ in named} >= {"add", "deploy", "export", "prune", "ui"}
    assert {command for command, _ in named} - known.keys() == set()
    assert [words for words in named if words[1] - known[words[0]]] == []


def test_every_make_target_that_a_page_names_exists():
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]+)", "\n".join(PAGES.values()), re.MULTILINE))
    assert {"demo", "docs", "test"} < named
    assert [target for target in sorted(named) if f"\n{target}:" not in makefile] == []
