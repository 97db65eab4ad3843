"""Real processes for a benchmark: their CPU time, and servers with a client that costs next to nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage, RemoteDisconnected
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from storage.mongod import EmbeddedMongod, acquire
from storage.mongod_files import Folder
from tests.commands import children_of, until
from tests.harness import make_key

ROOT = Path(__file__).parents[2]
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
REQUEST_SECONDS = 120
PYTHON: Final = os.environ.get("BENCH_PYTHON", sys.executable)
"""What runs the servers: `make` names one with production's packages alone, as libraries use all that they find."""
COMMAND: Final = (PYTHON, "-m", "app.cli.main")


def cpu_seconds(pid: int) -> float:
    """Return what a process has used, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def family(pid: int) -> list[int]:
    """Return a process with all that it started: a server with its workers."""
    return [pid, *(member for child in children_of(pid) for member in family(child))]


def resident_megabytes(pid: int) -> float:
    """Return how much memory a process holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def open_files(pid: int) -> int:
    """Return how many files and connections a process holds open."""
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - called often, and only the number counts


def wait_idle(pid: int, seconds: float = 90) -> None:
    """Return when a process has next to nothing to do any more, or after so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = cpu_seconds(pid)
        time.sleep(6)  # longer than from one checkpoint to the next
        if cpu_seconds(pid) - before < 0.3:
            return


@contextmanager
def store() -> Iterator[tuple[EmbeddedMongod, int]]:
    """Run the embedded mongod on a folder of its own; give it and its process id, and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as name:
        with acquire(Path(name), timeout=60) as mongod:
            record = Folder(Path(name)).running()
            assert record is not None
            yield mongod, record.mongod_pid
        while Path(f"/proc/{record.mongod_pid}").exists() or Path(f"/proc/{record.keeper_pid}").exists():
            time.sleep(0.1)


def environment(mongod: EmbeddedMongod, database: str, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment in which the command `gateway` works on a database, with these settings besides."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    own = {"mongodb_url": mongod.url, "mongodb_database": database, "request_timeout": str(REQUEST_SECONDS)}
    own["rate_limit"] = "off"
    named = {f"GATEWAY_{name.upper()}": value for name, value in {**own, **(settings or {})}.items()}
    return {**kept, "PYTHONPATH": str(ROOT), **named}


@dataclass
class Client:
    """A keep-alive connection to a server that runs as a process of its own."""

    pid: int
    database: str
    connection: HTTPConnection
    headers: dict[str, str]
    ready_seconds: float
    """From the start of the process until it could take requests."""

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.connection.port}"

    def get(self, parameters: dict[str, str]) -> tuple[dict[str, Any], str]:
        """Read a list; return its body and the cursor of the next page."""
        response, body = self.send(self.list_request(parameters))
        return json.loads(body), response or ""

    def list_request(self, parameters: dict[str, str]) -> tuple[str, str, bytes | None]:
        """Return the request of a list."""
        text = "&".join(f"{name}={quote(value)}" for name, value in parameters.items())
        return "GET", f"/api/v1/customers?{text}", None

    def create(self, customer: dict[str, Any]) -> None:
        """Create a customer."""
        self.send(("POST", "/api/v1/customers", json.dumps(customer).encode()))

    def send(self, request: tuple[str, str, bytes | None]) -> tuple[str | None, bytes]:
        """Send a request that must go well; return the next cursor and the body."""
        head, answer = self.exchange(request)
        return head["Next-Cursor"], answer

    def exchange(self, request: tuple[str, str, bytes | None]) -> tuple[HTTPMessage, bytes]:
        """Send a request that must go well; return the answer's head and body."""
        method, target, body = request
        try:
            self.connection.request(method, target, body, self.headers)
            response = self.connection.getresponse()
        except (RemoteDisconnected, BrokenPipeError):  # idle for longer than the server keeps connections
            self.connection.close()
            return self.exchange(request)
        answer = response.read()
        if response.status not in {200, 201} or b'"errors"' in answer:
            raise RuntimeError(f"{request}: {response.status} {answer[:300]!r}")
        return response.headers, answer


@contextmanager
def gateway(
    mongod: EmbeddedMongod,
    database: str,
    *,
    command: Sequence[str] = COMMAND,
    log: Path = Path(os.devnull),
    settings: Mapping[str, str] | None = None,
) -> Iterator[Client]:
    """Run a gateway on a database until the end of the block.

    `command` may run it under a profiler, and `log` takes the log, which is written at any rate, as in production.
    """
    words = [*command, "serve", "--port"]
    environ = environment(mongod, database, settings)
    with _serving(words, environ, "/health/ready", log, database) as client:
        client.headers["X-API-Key"] = make_key(mongod.url, database)
        yield client


@contextmanager
def yardstick(mongod: EmbeddedMongod, database: str) -> Iterator[Client]:
    """Run the bare handler that the gateway is compared with until the end of the block."""
    uvicorn = "uvicorn --factory tests.bench.yardstick:bare_app --loop uvloop --http httptools --no-access-log"
    words = [PYTHON, "-m", *uvicorn.split(), "--log-level", "warning", "--port"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "YARDSTICK_URL": mongod.url, "YARDSTICK_DATABASE": database}
    with _serving(words, environ, "/ready", Path(os.devnull), database) as client:
        yield client


@contextmanager
def layered(
    mongod: EmbeddedMongod, database: str, last: str, log: Path, settings: Mapping[str, str]
) -> Iterator[Client]:
    """Run the gateway cut off after a layer of `tests.bench.stack` until the end of the block."""
    uvicorn = "uvicorn --factory tests.bench.stack:layered_app --loop uvloop --http app.http.wire:GatewayProtocol"
    words = [PYTHON, "-m", *uvicorn.split(), "--no-access-log", "--log-level", "warning", "--port"]
    environ = {**environment(mongod, database, settings), "STACK": last}
    with _serving(words, environ, "/health/ready", log, database) as client:
        client.headers["X-API-Key"] = make_key(mongod.url, database)
        yield client


@contextmanager
def _serving(words: list[str], environ: dict[str, str], ready: str, log: Path, database: str) -> Iterator[Client]:
    """Run a server, whose command ends with its port, until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    begun = time.monotonic()
    with log.open("ab") as out:  # so that it may be emptied on the way
        process = subprocess.Popen([*words, str(port)], env=environ, stdout=out, stderr=out)
    connection = HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
    try:
        until(lambda: process.poll() is not None or _is_ready(connection, ready), 60, "the server's start")
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        yield Client(process.pid, database, connection, headers, time.monotonic() - begun)
    finally:
        connection.close()
        process.terminate()
        process.wait(30)


def _is_ready(connection: HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    except OSError:
        connection.close()
        return False
    return response.status == 200


def fill(mongod: EmbeddedMongod, database: str, count: int) -> float:
    """Put demo customers into a new database with `gateway demo`; return the seconds that it took."""
    begun = time.monotonic()
    words = [sys.executable, "-m", "app.cli.main", "demo", "--count", str(count)]
    subprocess.run(words, env=environment(mongod, database), check=True)
    return time.monotonic() - begun
