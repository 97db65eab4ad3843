"""The translation of the playground, run once for a file of tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.playground.twins import Twins


@pytest.fixture(scope="session")
def twins() -> Iterator[Twins]:
    command = ["node", str(Path(__file__).with_name("twins.mjs"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Twins(process)
        assert process.stdin is not None
        process.stdin.close()
