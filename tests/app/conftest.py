"""Commands of the gateway, run in the tests' own process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inprocess import Run, run_here


@pytest.fixture
def run(tmp_path: Path, mongod_url: str, database: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `gateway …` in an empty folder on an empty database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_MONGODB_URL", mongod_url)
    monkeypatch.setenv("GATEWAY_MONGODB_DATABASE", database)
    monkeypatch.setenv("NO_COLOR", "1")
    return run_here
