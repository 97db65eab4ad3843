"""A process that ends while its gateway goes on leaves the socket to those that take its place."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.commands import Started, children_of, command_line, serving, until


def workers_of(server: Started) -> set[int]:
    """Return the processes that serve for the one that was started."""
    return {pid for pid in children_of(server.process.pid) if "spawn_main" in command_line(pid)}


def answers(server: Started) -> set[int]:
    """Return the statuses of some answers, each over a connection of its own."""
    return {httpx2.get(f"{server.url}/health/ready", timeout=10).status_code for _ in range(8)}


def told(server: Started, number: signal.Signals) -> None:
    os.kill(server.process.pid, number)


def told_to_one(server: Started, number: signal.Signals) -> None:
    os.kill(min(workers_of(server)), number)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "tell", "gone"),
    [(signal.SIGHUP, told, 2), (signal.SIGTTOU, told, 1), (signal.SIGTERM, told_to_one, 1)],
    ids=["all are replaced", "one fewer", "one has ended"],
)
def test_a_gateway_whose_workers_are_replaced_goes_on_answering(
    mongod_url: str,
    database: str,
    tmp_path: Path,
    number: signal.Signals,
    tell: Callable[[Started, signal.Signals], None],
    gone: int,
) -> None:
    with serving(tmp_path, mongodb_url=mongod_url, mongodb_database=database, workers=2) as server:
        until(lambda: len(workers_of(server)) == 2 and server.err.count(b"startup complete") == 2, 40, "both workers")
        before = workers_of(server)
        tell(server, number)
        until(lambda: len(before - workers_of(server)) == gone, 40, "the end of a worker")
        assert answers(server) == {200}


@pytest.mark.slow
def test_a_gateway_that_starts_again_for_changed_code_goes_on_answering(
    mongod_url: str, database: str, tmp_path: Path
) -> None:
    code = tmp_path / "code.py"
    code.write_text("before = True\n", encoding="utf-8")
    with serving(tmp_path, "--reload", mongodb_url=mongod_url, mongodb_database=database) as server:
        until(lambda: server.err.count(b"startup complete") == 1, 40, "the first one")
        before = workers_of(server)
        code.write_text("before = False\n", encoding="utf-8")
        until(lambda: server.err.count(b"startup complete") == 2, 40, "the next one")
        assert workers_of(server).isdisjoint(before)
        assert answers(server) == {200}
