"""What goes wrong ends in one line and an exit code; a traceback is for `--debug` alone."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets.cli.command import command
from crypto_assets_tests.helpers.processes import COMMAND
from crypto_assets_tests.helpers.waiting import HANG_S

DATABASES = ["history/runs.db", "history/runs/index.db", "schedules/schedules.db"]


def shell(line: str) -> tuple[int, str, str]:
    """Runs a line of bash in which `crypto-assets` is the command; its code, output and errors."""
    program = f'crypto-assets() {{ {shlex.join(COMMAND)} "$@"; }}; set -o pipefail; {line}'
    done = subprocess.run(
        ["bash", "-c", program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def raising(home):
    """A command that raises this; gives exit code and standard error."""

    def invoke(error, *words):
        def broken(settings):
            raise error

        group = click.Group("all", {"broken": command(broken)}, params=main.params)
        result = CliRunner().invoke(group, [*words, "broken"], catch_exceptions=False)
        return result.exit_code, result.stderr

    return invoke


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (OSError(28, "No space left on device", "/x/y"), 1, "No space left on device: /x/y"),
        (PermissionError(13, "Permission denied", "a\nb"), 1, "Permission denied: a\\nb"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyError("x"), 1, "KeyError: 'x' (`crypto-assets --debug ...` shows where)"),
        (ValueError("a\nb"), 1, "ValueError: a (`crypto-assets --debug ...` shows where)"),
    ],
)
def test_any_error_is_one_line_and_an_exit_code(raising, error, code, line):
    assert raising(error) == (code, f"crypto-assets: {line}\n")


def test_debug_shows_where_an_error_comes_from(raising):
    code, shown = raising(ValueError("a"), "--debug")
    assert code == 1
    assert shown.startswith("Traceback")
    assert "in broken" in shown


@pytest.mark.parametrize("words", [["foo"], ["add"], ["sql"], ["remove", "BTC", "--no\x1b[31m"]])
def test_wrong_use_is_one_line(run, words):
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("crypto-assets: ")
    assert err.strip().isprintable()


@pytest.mark.parametrize("query", ["", " ", ";", " ;\n"])
def test_an_empty_query_says_so(run, query):
    assert run("sql", query) == (2, "", "crypto-assets: the query is empty\n")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CRYPTO_ASSETS_HOEM", "CRYPTO_ASSETS_HOME"),
        ("CRYPTO_ASSETS_AWS_REGOIN", "CRYPTO_ASSETS_AWS_REGION"),
        ("CRYPTO_ASSETS_LOCK_WAIT", "CRYPTO_ASSETS_LOCK_WAIT_S"),
    ],
)
def test_an_unknown_variable_is_named_with_the_one_that_was_meant(run, monkeypatch, name, meant):
    monkeypatch.setenv(name, "x")
    wanted = f"crypto-assets: {name}: there is no such setting: did you mean {meant}?\n"
    assert run("status") == (2, "", wanted)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('hoem = "x"', "setting hoem: there is no such setting: did you mean home?"),
        (
            "[aws]\nregoin = 1",
            "setting aws.regoin: there is no such setting: did you mean aws.region?",
        ),
        ("xyz = 1", "setting xyz: there is no such setting: `crypto-assets doctor` lists them"),
        ("x = " + "[" * 100_000, "crypto_assets.toml: it is nested too deeply"),
    ],
)
def test_a_wrong_key_of_the_settings_file_is_named(run, tmp_path, text, line):
    (tmp_path / "crypto_assets.toml").write_text(text)
    assert run("status") == (2, "", f"crypto-assets: {line}\n")


def test_a_settings_file_in_another_encoding_is_one_line(run, tmp_path):
    (tmp_path / "crypto_assets.toml").write_bytes(b"\xff")
    code, _, err = run("status")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("crypto-assets: crypto_assets.toml: ")


@pytest.mark.parametrize("words", [
    ("add", "BTC", "--history", "pipe", "--trend", "pipe"),
    ("upload", "pipe"),
    ("inspect", "/dev/zero"),
    ("accounts", "--customers", "pipe", "--accounts", "pipe"),
])  # fmt: skip
def test_a_pipe_or_a_device_in_the_place_of_a_file_is_refused_at_once(run, tmp_path, words):
    os.mkfifo(tmp_path / "pipe")
    code, _, err = run(*words)
    assert (code, err.count("\n")) == (2, 1)
    assert "not a regular file" in err


def test_a_pipe_in_a_folder_is_passed_over(run, pair, tmp_path):
    pair("BTC")
    os.mkfifo(tmp_path / "files/pipe.csv")
    assert run("inspect", tmp_path / "files")[0] == 0
    assert run("upload", tmp_path / "files")[:2] == (0, "2 uploaded, 0 there already\n")


@pytest.mark.parametrize("name", DATABASES)
@pytest.mark.parametrize("content", [b"garbage" * 1000, None])
def test_a_damaged_database_of_dagster_is_named_with_the_cure(run, add, home, name, content):
    add("BTC")
    path = home / "dagster" / name
    for beside in path.parent.glob(f"{path.name}*"):
        beside.unlink()
    path.write_bytes(content) if content else path.mkdir()
    for words in (["status"], ["materialize", "BTC"], ["profile"], ["remove", "BTC", "--yes"]):
        code, out, err = run(*words)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith(f"crypto-assets: {path} is damaged (")
        assert "delete this file" in err
    code, out, _ = run("doctor")
    assert code == 1
    (fix,) = [line for line in out.splitlines() if line.startswith("FIX")]
    assert f"{path} is damaged" in fix
    path.unlink() if content else path.rmdir()
    assert run("status")[0] == 0
    add("BTC")  # where `remove` came as far as Dagster, it has taken it out of the registry
    assert run("materialize", "BTC")[0] == 0
    assert "published" in run("status")[1]


@pytest.mark.parametrize("content", [b"garbage" * 1000, None])
def test_a_damaged_file_of_outcomes_is_named_with_the_cure_and_comes_back(run, add, home, content):
    add("BTC")
    assert run("materialize", "BTC")[0] == 0
    path = home / "outcomes.sqlite"
    for beside in home.glob("outcomes.sqlite*"):
        beside.unlink()
    path.write_bytes(content) if content else path.mkdir()
    for words in (["status"], ["materialize", "BTC"]):
        code, out, err = run(*words)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith(f"crypto-assets: {path} is damaged (")
        assert err.endswith("it is made anew from Dagster's events\n")
    code, out, _ = run("doctor")
    assert code == 1
    assert f"{path} is damaged" in out
    path.unlink() if content else path.rmdir()
    assert "BTC     published" in run("status")[1]


def test_a_damaged_account_store_is_named_with_the_cure(run, home):
    path = home / "store.duckdb"
    path.write_bytes(b"garbage" * 1000)
    code, out, err = run("forget", "1", "--yes")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert f"{path} cannot be read" in err
    assert "delete the file: `crypto-assets accounts` fills it anew" in err
    code, out, _ = run("doctor")
    assert code == 1
    (fix,) = [line for line in out.splitlines() if line.startswith("FIX")]
    assert f"{path} cannot be read" in fix


def test_a_reader_that_ends_early_is_no_error(home):
    for line in ("sql 'SELECT * FROM range(100000)' --format csv", "status --json"):
        code, out, err = shell(f"crypto-assets {line} | (exec <&-; exit 0)")
        assert (code in (141, 2, 0), out) == (True, "")
        assert "Broken" not in err
        assert "Traceback" not in err


def test_a_full_device_behind_the_output_is_one_line(home):
    assert shell("crypto-assets status --json > /dev/full") == (
        1,
        "",
        "crypto-assets: No space left on device\n",
    )


EACH = [
    *("status", "add BTC --history h.csv --trend t.csv", "upload h.csv", "materialize BTC"),
    *("accounts", "profile", "forget 1 --yes", "remove BTC --yes", "doctor"),
]
IN_ONE_PROCESS = """
import json, sys
from click.testing import CliRunner
from crypto_assets.cli import main
for words in sys.argv[1:]:
    done = CliRunner().invoke(main, words.split())
    print(json.dumps([done.exit_code, done.stdout, done.stderr]))
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a file system")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("cat /dev/zero > home/fill 2>&-", "No space left on device"),
        ("mount -o remount,ro home", "Read-only file system"),
    ],
)
def test_a_full_disk_and_a_read_only_home_are_one_line_of_each_command(
    add, pair, home, tmp_path, fault, said
):
    add("BTC")
    for path, name in zip(pair("BTC", level=7.0), ("h.csv", "t.csv"), strict=True):
        (tmp_path / name).write_bytes(path.read_bytes())
    inside = (
        "mkdir away; mount -t tmpfs -o size=8m tmpfs away; cp -a home/. away; "
        f"mount --move away home; {fault}; {shlex.join([sys.executable, '-c', IN_ONE_PROCESS])} "
        f"{shlex.join(EACH)}"
    )
    code, out, err = shell(f"unshare --mount bash -c {shlex.quote(inside)}")
    assert (code, err) == (0, "")
    done = dict(zip(EACH, map(json.loads, out.splitlines()), strict=True))
    assert [code for code, _, _ in done.values()] == [1] * len(EACH)
    assert said in done.pop("doctor")[1]
    for _, _, shown in done.values():
        *progress, line = shown.splitlines()
        assert all("crypto-assets" not in one for one in progress)
        assert line.startswith("crypto-assets: ")
        assert said in line


def test_json_is_json_and_a_doubled_name_is_refused(run, add):
    add("BTC")
    assert run("materialize", "BTC")[0] == 0
    query = (
        "SELECT 'nan'::DOUBLE AS a, '-inf'::FLOAT AS b, [1, 'inf'::DOUBLE] AS c, "
        "MAP {DATE '2024-01-01': {'x': 'nan'::DOUBLE}} AS d, chr(8238) || chr(10) AS e"
    )
    code, out, _ = run("sql", query, "--format", "json")
    assert code == 0
    assert "\u202e" not in out
    wanted = {"a": None, "b": None, "c": [1, None], "d": {"2024-01-01": {"x": None}}}
    assert json.loads(out) == [{**wanted, "e": "\u202e\n"}]
    code, out, err = run("sql", "SELECT 1 AS a, 2 AS a", "--format", "json")
    assert (code, out) == (2, "")
    assert err == "crypto-assets: JSON has each name once: give columns named a with AS\n"


def test_cells_and_names_are_text_and_csv_is_exact(run, add):
    add("BTC")
    assert run("materialize", "BTC")[0] == 0
    query = "SELECT '[a]' AS \"[/x]\", '[/x]' AS b, ':smile:' AS c, chr(27) || chr(10) AS d"
    code, out, _ = run("sql", query)
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["[/x]", "b", "c", "d"],
        ["[a]", "[/x]", ":smile:", "\\u001b\\n"],
    ]
    assert run("sql", query, "--format", "csv")[1] == '[/x],b,c,d\n[a],[/x],:smile:,"\x1b\n"\n'
