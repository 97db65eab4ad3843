"""Clients in TypeScript: types made of the live gateway, one strict compilation, and programs that run against it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.contract.reading import ROOT, add_demo_customers
from tests.harness import Gateway
from tests.streams import events

SAMPLES = ROOT / "docs/samples"
JUDGES = ROOT / "tests/judges"
MODULES = JUDGES / "node_modules"


class Workshop:
    """A folder with the samples and their modules, and a gateway with the demo customers."""

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        self.folder = folder
        self.gateway = gateway

    def run(self, *command: str | Path, **given: str) -> str:
        """Run a command in the folder and return what it wrote; it must succeed."""
        env = {**os.environ, "API_URL": self.gateway.url, "API_KEY": self.gateway.key, **given}
        done = subprocess.run(
            list(command), cwd=self.folder, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def told(self, sample: str, **given: str) -> dict[str, Any]:
        """Run a compiled sample and return what it has seen."""
        seen: dict[str, Any] = json.loads(self.run("node", f"out/{sample}.js", **given))
        return seen


@pytest.fixture
def workshop(start_gateway: StartGateway, tmp_path: Path) -> Workshop:
    """The samples, with types made of a gateway of their own."""
    if not MODULES.is_dir():
        pytest.fail("The clients are not installed: run `npm ci` in tests/judges (`make test` does it).")
    for sample in SAMPLES.iterdir():
        shutil.copy(sample, tmp_path)
    shutil.copy(JUDGES / "sample.ts", tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    gateway = start_gateway()
    add_demo_customers(gateway)
    made = Workshop(tmp_path, gateway)
    made.run("node", "generate.mjs")
    return made


def test_the_samples_name_the_versions_that_are_tested() -> None:
    named, tested = (json.loads((folder / "package.json").read_text(encoding="utf-8")) for folder in (SAMPLES, JUDGES))
    assert named["devDependencies"].items() <= tested["devDependencies"].items()
    assert named["overrides"] == tested["overrides"]


@pytest.mark.untraced
def test_clients_made_of_the_gateway_compile_strictly_and_work(workshop: Workshop) -> None:
    workshop.run(MODULES / ".bin/tsc", "--project", ".")
    _rest(workshop.told("rest"))
    _apollo(workshop.told("apollo"))
    _urql(workshop.told("urql"))
    _watch(workshop)


def _watch(workshop: Workshop) -> None:
    """Apollo Client and urql on one socket hear of the same change, which came after what was seen last."""
    gateway = workshop.gateway
    with events(gateway.http) as stream:
        last = stream.first.id
    customer, _ = gateway.created()
    seen = workshop.told("watch", AFTER=last)
    heard = seen["apollo"]["customerChanged"]
    assert (heard["type"], heard["version"], heard["customer"]["id"]) == ("CREATED", 1, customer["id"])
    assert seen["urql"]["customerChanged"]["id"] == heard["id"]


def _rest(seen: dict[str, Any]) -> None:
    """REST through openapi-typescript and openapi-fetch."""
    assert seen.pop("renamed").startswith('"v2-')
    assert seen == {"created": 201, "late": None, "names": ["King"], "erased": 204}


def _walked(seen: dict[str, Any], name: str, version: int) -> list[str]:
    """Assert that all customers were read once, one was changed in the cache too, and a late change was refused."""
    assert (seen["customers"], seen["edges"], seen["refused"]) == (100, 100, 412)
    assert (seen["cached"]["lastName"], seen["cached"]["version"]) == (name, version)
    requests: list[str] = seen["requests"]
    return requests


def _apollo(seen: dict[str, Any]) -> None:
    """Apollo Client: an unknown hash is followed by the document, once, and from then on the hash is enough."""
    requests = _walked(seen, "Müller-Meyer", 2)
    register = ["GET hash", "POST document"]
    mutations = ["POST hash", "POST document", "POST hash"]
    assert requests == [*register, "GET hash", "GET hash", *register, *mutations]


def _urql(seen: dict[str, Any]) -> None:
    """urql: its documents are Graphcache's own, with `__typename`, and so have hashes of their own."""
    requests = _walked(seen, "Müller-Meyer-Meyer", 3)
    assert requests[0] == "GET hash"
    assert requests.count("GET hash") >= 4
    assert requests[-2:] == ["POST document", "POST document"]
