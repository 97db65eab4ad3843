"""Other people's checkers judge the gateway: graphql-http, graphql-ws, Redocly, Spectral."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.judges import JUDGES as JUDGES_TABLE
from tests.contract.judges import told, vulnerable
from tests.harness import Gateway

JUDGES = Path(__file__).parents[1] / "judges"
_COMMANDS = JUDGES / "node_modules" / ".bin"
_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true"}
_AUDITS = 61
_PROTOCOL = 26


Ended = subprocess.CompletedProcess[str]


def judge(name: str, *arguments: str | Path, cwd: Path = JUDGES, **environment: str) -> Ended:
    """Run one of the judges; says what to do where they are not installed."""
    if not _COMMANDS.is_dir():
        pytest.fail("The judges are not installed: run `npm ci` in tests/judges (`make test` does it).")
    command = [str(_COMMANDS / name) if name != "node" else name, *map(str, arguments)]
    env = os.environ | _QUIET | environment
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def openapi_file(gateway: Gateway, tmp_path: Path) -> Path:
    """OpenAPI as the running gateway serves it, in a file."""
    path = tmp_path / "openapi.json"
    path.write_bytes(gateway.http.get("/openapi.json").content)
    return path


def test_c080_all_61_audits_of_graphql_http_are_ok(gateway: Gateway) -> None:
    done = judge("node", "graphql_http_audits.mjs", f"{gateway.url}/graphql", GATEWAY_KEY=gateway.key)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == {"total": _AUDITS, "ok": _AUDITS, "failures": []}


def test_c099_all_audits_of_the_graphql_transport_ws_protocol_are_ok(gateway: Gateway) -> None:
    address = f"ws{gateway.url.removeprefix('http')}/graphql"
    done = judge("node", "transport_ws_audits.mjs", address, GATEWAY_KEY=gateway.key)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"total": _PROTOCOL, "ok": _PROTOCOL, "failures": []}


def test_redocly_finds_nothing_but_two_deletes_that_only_refuse_and_what_leads_on(openapi_file: Path) -> None:
    done = judge("redocly", "lint", "--config", "redocly.yaml", "--format", "json", openapi_file)
    found = json.loads(done.stdout)
    places = {(fault["severity"], fault["location"][0]["pointer"]) for fault in found["problems"]}
    parts = "#/paths/~1api~1v1~1customers~1{customerId}~1%s/delete/responses"
    assert done.returncode == 0, done.stdout
    wanted = (parts % "addresses", parts % "phone-numbers", "#/paths/~1guide/get/responses")
    assert places == {("warn", place) for place in wanted}


@pytest.mark.parametrize("ruleset", ["oas", "owasp"])
def test_spectral_finds_nothing(ruleset: str, openapi_file: Path) -> None:
    options = ("--fail-severity", "hint", "--format", "json", "--quiet")
    done = judge("spectral", "lint", "--ruleset", f"{ruleset}.spectral.yaml", *options, openapi_file)
    assert done.returncode in {0, 1}, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    assert [(fault["code"], "/".join(fault["path"])) for fault in found] == []


REPORT = """<testsuites><testsuite><testcase classname="tests.contract.test_judges" name="test_c080_all"/>
<testcase classname="tests.contract.test_judges" name="test_redocly_finds"><failure/></testcase>
</testsuite></testsuites>"""


def test_a_judge_that_finds_something_or_was_never_asked_is_told_in_the_table() -> None:
    found = {one.name: (one.found, one.told) for one in told(REPORT)}
    assert found["graphql-http"] == (0, "1 of 1 tests pass")
    assert found["Redocly"] == (1, "0 of 1 tests pass")
    assert found["Spectral"] == (1, "0 of 0 tests pass")
    assert set(found) == set(JUDGES_TABLE)


def test_vulnerable_packages_are_counted_in_either_report_and_a_registry_that_is_away_is_no_report() -> None:
    by_pip = {"dependencies": [{"name": "a", "vulns": [{"id": "1"}]}, {"name": "b", "vulns": []}], "fixes": []}
    assert vulnerable(by_pip) == 1
    assert vulnerable({"vulnerabilities": {"a": {}, "b": {}}, "metadata": {}}) == 2
    assert vulnerable({"vulnerabilities": {}}) == 0
    with pytest.raises(KeyError):
        vulnerable({"message": "405 Method Not Allowed", "error": {}})
