"""Fixtures that all tests share: a real mongod for the whole run, a gateway for each worker."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pymongo import MongoClient

from storage.driver import Driver
from storage.mongod import acquire
from storage.store import Store, StoreOptions, open_store
from tests.databases import Databases
from tests.harness import VALIDATED, Gateway, running
from tests.redis_server import RedisServer

StartGateway = Callable[..., Gateway]

for _name in [name for name in os.environ if name.startswith("GATEWAY_")]:
    del os.environ[_name]  # tests say themselves what is set

# Timings decide nothing: a machine that does something else is no fault of what is tested.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(scope="session")
def mongod_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one real mongod, shared by all workers of the run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with acquire(Path(shared) / "mongod", timeout=60) as mongod:
        yield mongod.url


@pytest.fixture(scope="session")
def databases(mongod_url: str) -> Iterator[Databases]:
    """The databases that this worker's tests use one after the other."""
    with MongoClient[dict[str, Any]](mongod_url) as client:
        yield Databases(client)


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """The name of a database of one test, empty but for the indexes of the gateway."""
    with databases.lend() as name:
        yield name


@pytest.fixture(params=["pymongo", "motor"])
async def store(request: pytest.FixtureRequest, mongod_url: str, database: str) -> AsyncIterator[Store]:
    """An empty store, once with each driver."""
    driver: Driver = request.param
    async with open_store(StoreOptions(mongod_url, database, driver)) as opened:
        yield opened


@pytest.fixture(scope="session")
def gateway(mongod_url: str) -> Iterator[Gateway]:
    """A running gateway that many tests share; each makes its own customers."""
    with running(mongod_url, f"test_{uuid.uuid4().hex[:16]}") as started:
        yield started


@pytest.fixture
def start_gateway(mongod_url: str, database: str) -> Iterator[StartGateway]:
    """Starts gateways with settings of a test's own, on its own database."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(running(mongod_url, database, **settings))


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running Redis; `make test` has installed one, or has named the command that does."""
    if shutil.which("redis-server") is None:
        pytest.fail("redis-server is not installed (Debian: apt-get install redis-server)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = RedisServer(tmp_path, free.getsockname()[1])
    server.start()
    yield server
    server.kill()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let tests with the mark `untraced` run without being traced for coverage, in this thread."""
    tracer = sys.gettrace() if item.get_closest_marker("untraced") else None
    if tracer is None:
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the controlling process how many full customers this worker held against the schema."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["validated"] = len(VALIDATED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over what a worker counted."""
    VALIDATED.extend([""] * getattr(node, "workeroutput", {}).get("validated", 0))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many full customers were held against the Customer JSON Schema, each of them valid."""
    terminalreporter.write_line(f"{len(VALIDATED)} full customers of REST validated against the Customer JSON Schema")
