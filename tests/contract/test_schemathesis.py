"""Schemathesis holds the running gateway against its OpenAPI document: examples, edges, and a short seeded fuzzing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.rest.openapi import openapi
from tests.fuzz.schemas import schemathesis
from tests.harness import Gateway

COMMAND = Path(sys.executable).with_name("st")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
GROUPS = {
    "customers": ("Customers", "Viewer"),
    "parts": ("Addresses", "Notification preferences"),
    "rest": ("GraphQL", "Gateway", "OAuth", "Operations", "Pages", "Webhooks"),
}
"""Tags of OpenAPI, in portions that run in parallel."""
LEFT_OUT = {
    "Phone numbers": "they are served by the code of addresses",
    "Events": "a stream does not end, and Schemathesis waits for the end of each answer",
}


def test_every_tag_is_in_one_portion_or_left_out_for_a_reason() -> None:
    assert sorted([*LEFT_OUT, *(tag for tags in GROUPS.values() for tag in tags)]) == sorted(
        tag["name"] for tag in openapi()["tags"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_schemathesis_finds_nothing(group: str, gateway: Gateway, tmp_path: Path) -> None:
    tags = [option for tag in GROUPS[group] for option in ("--include-tag", tag)]
    tags += ["--exclude-operation-id-regex", "Alias$"]  # the same handlers by another address
    run = [str(COMMAND), "--config-file", str(CONFIGURATION), "run", f"{gateway.url}/openapi.json", *tags]
    options = ["--phases", "examples,coverage,fuzzing", "--max-examples", "4", "--seed", "1"]
    command = [*run, *options, "--header", f"X-API-Key: {gateway.key}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-8000:]
    assert re.search(r"(\d+) generated, \1 passed", done.stdout)


@pytest.mark.slow
def test_schemathesis_finds_nothing_along_the_links_from_one_operation_to_the_next(gateway: Gateway) -> None:
    """For a few seconds; `make fuzz` follows them for minutes."""
    found = schemathesis(gateway.url, gateway.key, seed=1, examples=1, seconds=12, phases="stateful")
    assert found.passed, found.told
    assert found.counts
