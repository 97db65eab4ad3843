"""Gateways behind a proxy are restarted one after the other, under load, and no request is lost."""

from __future__ import annotations

import http.client
import json
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.commands import Started, started, until
from tests.harness import make_key

CUSTOMERS = "/api/v1/customers"
CLIENTS = 6


@dataclass
class Proxy:
    """What a proxy does: it sends a request to any server, and to the other where it may.

    It may where the connection was refused, as nothing was sent then; and for a read also where the connection ended
    before a byte of the answer had come. A write of which that is true has failed.
    """

    ports: list[int]
    key: str
    answers: Counter[int] = field(default_factory=Counter)
    created: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def load(self, seed: int) -> None:
        """Send requests until the end, over connections that are kept."""
        chance = random.Random(seed)
        kept = {port: http.client.HTTPConnection("127.0.0.1", port, timeout=15) for port in self.ports}
        while not self.ended.is_set():
            write = chance.random() < 0.5
            self._send(chance, kept, write=write)
        for connection in kept.values():
            connection.close()

    def _send(self, chance: random.Random, kept: dict[int, http.client.HTTPConnection], *, write: bool) -> None:
        for port in chance.sample(self.ports, len(self.ports)) * 2:
            try:
                status, body = self._ask(kept[port], write=write)
            except ConnectionRefusedError:
                kept[port].close()
            except (http.client.HTTPException, OSError) as error:
                kept[port].close()
                if write or not isinstance(error, ConnectionError):
                    self.failed.append(f"{'write' if write else 'read'}: {error!r}")
                    return
            else:
                self.answers[status] += 1
                if write and status == 201:
                    self.created.append(json.loads(body)["id"])
                return
        self.failed.append("nobody took it")

    def _ask(self, connection: http.client.HTTPConnection, *, write: bool) -> tuple[int, bytes]:
        headers = {"X-API-Key": self.key, "Content-Type": "application/json"}
        body = json.dumps(factories.customer()) if write else None
        connection.request("POST" if write else "GET", f"{CUSTOMERS}{'' if write else '?size=1'}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


@contextmanager
def on(port: int, folder: Path, url: str, database: str) -> Iterator[Started]:
    """Run a gateway on a port until the end of the block."""
    folder.mkdir()
    settings: dict[str, Any] = {
        "mongodb_url": url,
        "mongodb_database": database,
        "rate_limit": "off",
        "log_level": "warning",
    }
    with started(folder, "serve", "--port", str(port), **settings) as server:
        until(lambda: _is_ready(port) or server.ended(), 40, "being ready")
        yield server


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _ports() -> list[int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return [one.getsockname()[1], other.getsockname()[1]]


@pytest.mark.slow
@pytest.mark.untraced
def test_c125_a_rolling_restart_under_load_loses_no_request(tmp_path: Path, mongod_url: str, database: str) -> None:
    first, second = _ports()
    proxy = Proxy([first, second], make_key(mongod_url, database))
    with on(second, tmp_path / "b", mongod_url, database) as other:
        with on(first, tmp_path / "a", mongod_url, database) as one, ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(proxy.load, seed) for seed in range(CLIENTS)]
            try:
                until(lambda: proxy.answers[201] > 50, 30, "load")
                assert ended_within(one, 10) == 0
                with on(first, tmp_path / "again", mongod_url, database):
                    before = proxy.answers[201]
                    until(lambda: proxy.answers[201] > before + 50, 30, "load on both")
                    assert ended_within(other, 10) == 0
                    before = proxy.answers[201]
                    until(lambda: proxy.answers[201] > before + 50, 30, "load on the new one")
                    proxy.ended.set()
                    for client in clients:
                        client.result(20)
                    _all_there(first, proxy)
            finally:
                proxy.ended.set()
    print(f"{dict(proxy.answers)} answers, {len(proxy.created)} created")
    assert proxy.failed == []
    assert set(proxy.answers) == {200, 201}


def ended_within(server: Started, seconds: float) -> int:
    """Send SIGTERM, and return the exit code of what has ended in time."""
    server.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    code = server.process.wait(20)
    assert time.monotonic() - began < seconds
    return code


def _all_there(port: int, proxy: Proxy) -> None:
    """Assert that each customer whose creation was answered is stored, and no other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    connection.request("GET", f"{CUSTOMERS}?size=1&count=exact", headers={"X-API-Key": proxy.key})
    total = json.loads(connection.getresponse().read())["page"]["totalElements"]
    connection.close()
    assert total == len(proxy.created) == len(set(proxy.created))
