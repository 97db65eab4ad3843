"""The house keeps its plan: imports go one way, modules stay small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "schema", "resolvers", "storage")
MAX_LINES = 300
TABLES = {"resolvers/problems.py": "one registry, nearly all of it a table of problems"}
"""Modules that may be longer, with the reason."""


def test_imports_keep_the_one_direction() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_longer_than_300_lines(package: str) -> None:
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / package).rglob("*.py")}
    names = {str(path.relative_to(ROOT)) for path, lines in sizes.items() if lines > MAX_LINES}
    assert names <= set(TABLES)


def test_every_named_exception_is_needed() -> None:
    assert [name for name in TABLES if len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= MAX_LINES] == []


def test_whatever_is_public_has_a_docstring() -> None:
    rules = "D100,D101,D102,D103,D104,D106"
    command = [str(Path(sys.executable).with_name("ruff")), "check", "--no-cache", "--select", rules, *PACKAGES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
