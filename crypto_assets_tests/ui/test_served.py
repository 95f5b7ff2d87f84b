"""A running `ui` in a folder with hostile modules: who may use it, and what it shows and prints."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.loopback import free_port
from crypto_assets_tests.helpers.processes import COMMAND
from crypto_assets_tests.helpers.waiting import HANG_S, until
from crypto_assets_tests.helpers.web_ui import REPOSITORY, WebUi, serving

# Names that Dagster or what it builds on would import from the working directory if it could.
SHADOWED = ("gql", "yaml", "dotenv", "crypto_assets", "dagster", "sqlite3", "sitecustomize")
OWN = """
import dagster as dg
import beside

@dg.op(config_schema={"path": str})
def write(context):
    with open(context.op_config["path"], "w") as stream:
        stream.write(beside.WORD)

@dg.job
def own_job():
    write()

defs = dg.Definitions(jobs=[own_job])
"""
QUERY = json.dumps({"query": "{ version }"})
POSTED = {"Content-Type": "application/json"}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "graphql-ws",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working directory of the `ui`: beside the uploads lie modules that say they ran."""
    folder = tmp_path_factory.mktemp("ui")
    for name in SHADOWED:
        (folder / f"{name}.py").write_text(f"open({str(folder / 'ran')!r}, 'a').write('{name} ')")
    (folder / "home").mkdir()
    (folder / ".demo" / "inbox").mkdir(parents=True)
    own = folder / "code"
    own.mkdir()
    (own / "own.py").write_text(OWN)
    (own / "beside.py").write_text("WORD = 'own code'")
    return folder


@pytest.fixture(scope="module")
def ui(folder: Path) -> Iterator[WebUi]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("CRYPTO_ASSETS_", "DAGSTER_")):
                patch.delenv(name)
        patch.setenv("CRYPTO_ASSETS_UI_HOSTS", "ui.example.com, other.example.com")
        patch.chdir(folder)
        with serving(Settings(home=folder / "home"), "-w", "code/own.py") as ui:
            yield ui


def log(folder: Path) -> str:
    return (folder / "home" / "child.log").read_text()


def status(ui: WebUi, method: str, path: str, headers: dict[str, str], body: str = "") -> int:
    """The status of the answer to a request; a `Host` among the headers is sent as it is."""
    connection = http.client.HTTPConnection(ui.url.removeprefix("http://"), timeout=HANG_S)
    try:
        connection.request(method, path, body or None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, True),
        ({"Host": "localhost"}, True),
        ({"Host": "ui.example.com:8443", "Origin": "https://ui.example.com:8443"}, True),
        ({"Host": "other.example.com", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Host": "evil.example"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
    ],
)
def test_only_pages_of_its_own_are_answered(ui, headers, expected):
    assert status(ui, "GET", "/runs", headers) == (200 if expected else 403)
    assert status(ui, "POST", "/graphql", {**POSTED, **headers}, QUERY) == (
        200 if expected else 403
    )
    form = {"Content-Type": "text/plain", **headers}
    assert status(ui, "POST", "/graphql?query={version}", form) == (200 if expected else 403)
    report = "/report_asset_materialization/gold?partition=BTC"
    assert expected or status(ui, "POST", report, headers) == 403
    assert status(ui, "GET", "/graphql", {**UPGRADE, **headers}) == (101 if expected else 403)


def test_nothing_is_asked_by_get(ui):
    assert status(ui, "GET", "/graphql?query=mutation{setNuxSeen}", {}) == 403
    assert status(ui, "GET", "/graphql?query={version}", {}) == 403
    assert status(ui, "GET", "/graphql", {"Accept": "text/html"}) == 200


def launch(ui: WebUi, repository: str, job: str, config: dict) -> dict:
    """What the answer to `launchRun` is, and of which run."""
    selector = repository.replace("}", f', jobName: "{job}"}}')
    data = json.dumps(json.dumps(config))
    params = f"executionParams: {{selector: {selector}, runConfigData: {data}}}"
    wanted = "__typename ... on LaunchRunSuccess { run { id } }"
    return ui.ask(f"launchRun({params}) {{ {wanted} }}", "mutation")


@pytest.mark.parametrize(
    "config",
    [
        {"resources": {"warehouse": {"config": {"path": "other.duckdb"}}}},
        {"resources": {"market_data": {"config": {"lake": "other"}}}},
        {"resources": {"io_manager": {"config": {"base_dir": "other"}}}},
        {"resources": {"process": {"config": {"path": "other"}}}},
        {"ops": {"market_data": {"config": {"path": "other"}}}},
        {"execution": {"config": {"path": "other"}}},
    ],
)
def test_no_run_config_changes_a_path(ui, config):
    answer = launch(ui, REPOSITORY, "refresh_currencies", config)
    assert answer == {"__typename": "RunConfigValidationInvalid"}


def leaves(types: dict[str, list[dict]], key: str, path: str = "") -> Iterator[str]:
    """Every setting below a type of the run config, but what takes nothing."""
    fields = types.get(key)
    if fields is None:
        yield path
    for field in fields or []:
        yield from leaves(types, field["configTypeKey"], f"{path} {field['name']}".strip())


@pytest.mark.parametrize(
    ("job", "own"),
    [
        ("refresh_currencies", set()),
        ("prune", set()),
        ("refresh_accounts", {"ops accounts config confirm_mass_delete"}),
        ("__ASSET_JOB", {"ops accounts config confirm_mass_delete"}),
    ],
)
def test_the_run_config_of_our_jobs_names_no_place(ui, job, own):
    selector = REPOSITORY.replace("}", f', pipelineName: "{job}"}}')
    found = ui.ask(
        f"runConfigSchemaOrError(selector: {selector}) {{ ... on RunConfigSchema "
        "{ rootConfigType { key } allConfigTypes { key ... on CompositeConfigType "
        "{ fields { name configTypeKey } } } } }"
    )
    types = {each["key"]: each["fields"] for each in found["allConfigTypes"] if "fields" in each}
    assert set(leaves(types, found["rootConfigType"]["key"])) == own | {
        "execution config marker_to_close",  # a word in an event, no file
        "execution config step_dependency_config require_upstream_step_success",
        "loggers console config log_level",
        "loggers console config name",
    }


def test_a_file_of_the_users_own_is_shown_beside_ours_and_runs_and_is_loaded_anew(ui, folder):
    locations = ui.ask(
        "workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } }"
    )["locationEntries"]
    assert {each["name"]: each["loadStatus"] for each in locations} == {
        "crypto_assets.definitions": "LOADED",
        "own.py": "LOADED",
    }
    config = {"ops": {"write": {"config": {"path": str(folder / "written")}}}}
    own = REPOSITORY.replace("crypto_assets.definitions", "own.py")
    run = launch(ui, own, "own_job", config)["run"]["id"]
    until("its end", lambda: f"run {run} succeeded: own_job\n" in log(folder), by=ui.process)
    assert (folder / "written").read_text() == "own code"

    (folder / "code" / "own.py").write_text(OWN.replace("own_job", "new_job"))
    ui.ask('reloadRepositoryLocation(repositoryLocationName: "own.py") { __typename }', "mutation")
    assert jobs_of(ui, own) == ["new_job"]


def jobs_of(ui: WebUi, repository: str) -> list[str]:
    found = ui.ask(
        f"repositoryOrError(repositorySelector: {repository}) "
        "{ ... on Repository { jobs { name } } }"
    )
    return [job["name"] for job in found["jobs"]]


def test_what_happened_is_printed_and_no_look_or_event(ui, folder):
    shutil.copytree(Path(__file__).parents[2] / "sample_data" / "doge", folder / "home/inbox/doge")
    until("the failure", lambda: "DOGE failed at bronze: " in log(folder), by=ui.process)
    lines = [line[9:] for line in log(folder).splitlines()]
    started = f"starting on {ui.url} with the home {folder / 'home'}"
    demo = f"what `make demo` made is in another home: set CRYPTO_ASSETS_HOME={folder}/.demo"
    assert lines[:3] == [started, f"this home is empty; {demo}", f"ready: {ui.url}"]
    assert "DOGE: history registered: Dogecoin Historical Data.csv" in lines
    assert "DOGE: trend registered: multiTimeline.csv" in lines
    assert any(re.fullmatch(r"run \S+ started: DOGE", line) for line in lines)
    assert not [line for line in lines if "DEBUG" in line or "INFO" in line or "Checking" in line]
    assert not [line for line in lines if line.startswith(("Traceback", " "))]


def test_what_was_pruned_is_printed_in_words(ui, folder):
    run = launch(ui, REPOSITORY, "prune", {})["run"]["id"]
    until("its end", lambda: f"run {run} succeeded: prune: old runs" in log(folder), by=ui.process)


def test_nothing_is_imported_from_the_working_directory(ui, folder):
    until("all daemons", ui.daemons_are_well, by=ui.process)
    assert ui.ask("assetNodes { id }")
    assert not (folder / "ran").exists()


def again(folder: Path, home: str, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, "ui", *words],
        env=os.environ | {"CRYPTO_ASSETS_HOME": str(folder / home), "CRYPTO_ASSETS_UI_HOSTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_second_one_on_the_home_says_in_one_line_which_one_runs(ui, folder):
    done = again(folder, "home", "--port", str(free_port()))
    said = f"crypto-assets: already running: process {ui.process.pid} serves {ui.url}\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_one_on_a_taken_port_says_in_one_line_who_has_it(ui, folder):
    port = ui.url.rpartition(":")[2]
    done = again(folder, "other", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"crypto-assets: {ui.url}: Address already in use, already running")


def test_an_open_address_needs_the_names_of_its_users(folder):
    done = again(folder, "other", "--host", "::")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "set CRYPTO_ASSETS_UI_HOSTS" in line
