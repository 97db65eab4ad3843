"""Real processes for a benchmark: their CPU time, and a gateway with a client that costs next to nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.parse import quote

from storage.mongod import EmbeddedMongod, acquire
from storage.mongod_files import Folder
from tests.harness import make_key

ROOT = Path(__file__).parents[2]
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
REQUEST_SECONDS = 120


def cpu_seconds(pid: int) -> float:
    """Return what a process has used, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


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


def environment(mongod: EmbeddedMongod, database: str) -> dict[str, str]:
    """Return an environment in which the command `gateway` works on a database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    own = {"MONGODB_URL": mongod.url, "MONGODB_DATABASE": database, "REQUEST_TIMEOUT": str(REQUEST_SECONDS)}
    own["RATE_LIMIT"] = "off"
    return {**kept, "PYTHONPATH": str(ROOT), **{f"GATEWAY_{name}": value for name, value in own.items()}}


@dataclass
class Client:
    """A keep-alive connection to a gateway that runs as a process of its own."""

    pid: int
    database: str
    connection: HTTPConnection
    headers: dict[str, str]

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
        method, target, body = request
        self.connection.request(method, target, body, self.headers)
        try:
            response = self.connection.getresponse()
        except RemoteDisconnected:  # idle for longer than the gateway keeps connections
            self.connection.close()
            return self.send(request)
        answer = response.read()
        if response.status not in {200, 201} or b'"errors"' in answer:
            raise RuntimeError(f"{request}: {response.status} {answer[:300]!r}")
        return response.headers["Next-Cursor"], answer


@contextmanager
def gateway(mongod: EmbeddedMongod, database: str) -> Iterator[Client]:
    """Run a gateway on a database until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "app.cli.main", "serve", "--port", str(port)]
    log = subprocess.DEVNULL  # written all the same, as in production
    process = subprocess.Popen(words, env=environment(mongod, database), stdout=log, stderr=log)
    connection = HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
    try:
        _wait(connection, process)
        key = make_key(mongod.url, database)
        headers = {"X-API-Key": key, "Content-Type": "application/json", "Accept": "application/json"}
        yield Client(process.pid, database, connection, headers)
    finally:
        connection.close()
        process.terminate()
        process.wait(30)


def _wait(connection: HTTPConnection, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            connection.request("GET", "/health/ready")
            if connection.getresponse().read() and process.poll() is None:
                return
        except OSError:
            connection.close()
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the gateway did not start")
        time.sleep(0.1)


def fill(mongod: EmbeddedMongod, database: str, count: int) -> float:
    """Put demo customers into a new database with `gateway demo`; return the seconds that it took."""
    begun = time.monotonic()
    words = [sys.executable, "-m", "app.cli.main", "demo", "--count", str(count)]
    subprocess.run(words, env=environment(mongod, database), check=True)
    return time.monotonic() - begun
