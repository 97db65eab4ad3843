"""The `gateway` command inside the test's own process, where a process of its own is not the point."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from typer.testing import CliRunner

from app.cli.main import app
from tests.commands import Ended

Run = Callable[..., Ended]


def run_here(*words: str, given: bytes | None = None, env: Mapping[str, str] | None = None) -> Ended:
    """Run a command to its end; what it raises beyond its exit leaves as it is."""
    result = CliRunner().invoke(app, list(words), input=given, env=env)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)
