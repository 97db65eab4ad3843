"""`gateway serve` and `gateway dev` as processes: what they print, how they end, what a crash may cost."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest

from tests import factories
from tests.certificates import make_certificate
from tests.commands import Started, alive, children_of, command_line, mongods_of, processes_of, serving, started, until
from tests.harness import make_key

FAILING_STARTS = """
import socket
import uvicorn
from app.cli.server import Workers

async def app(scope, receive, send):
    await receive()
    with open("count", "a+") as file:
        file.seek(0)
        good = len(file.read().split()) not in (2, 3)
        file.write("good " if good else "bad ")
    await send({"type": "lifespan.startup.complete" if good else "lifespan.startup.failed"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})

if __name__ == "__main__":
    config = uvicorn.Config("starts:app", workers=2, lifespan="on", log_config=None, timeout_worker_healthcheck=5)
    Workers(config, [socket.create_server(("127.0.0.1", 0))]).run()
"""
"""An application whose third and fourth start fail, as they do while the store is away."""
FIELDS = ["timestamp", "level", "service", "ip", "requestId", "userId", "message"]
CUSTOMERS = "/api/v1/customers"


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """`gateway dev` in a narrow place that is no terminal."""
    folder = tmp_path_factory.mktemp("dev")
    with started(folder, "dev", "--port", "0", env={"COLUMNS": "20"}) as process:
        process.wait_ready()
        yield process


@pytest.fixture
def key(mongod_url: str, database: str) -> str:
    """A key of all scopes on the test's database of the shared store."""
    return make_key(mongod_url, database)


@contextmanager
def served(folder: Path, url: str, database: str, *words: str, **settings: Any) -> Iterator[Started]:
    """`gateway serve` on a database of the shared store."""
    with serving(folder, *words, mongodb_url=url, mongodb_database=database, **settings) as server:
        yield server


def pasted(dev: Started) -> str:
    (line,) = [line for line in dev.out.splitlines() if line.startswith("curl ")]
    return line


def dev_key(dev: Started) -> str:
    found = re.search(r"API key +(cgw_\w+)", dev.out)
    assert found
    return found[1]


def count_customers(server: Started, key: str) -> int:
    with server.client(key) as client:
        total: int = client.get(CUSTOMERS, params={"size": 1}).json()["page"]["totalElements"]
    return total


class TestDev:
    def test_the_curl_line_works_as_it_stands_when_pasted_into_bash(self, dev: Started) -> None:
        done = subprocess.run(["bash", "-c", pasted(dev)], capture_output=True, text=True, timeout=20, check=True)
        assert len(json.loads(done.stdout)["content"]) == 2

    def test_every_address_it_prints_answers(self, dev: Started) -> None:
        addresses = re.findall(r"http://\S+", dev.out.partition("API key")[0])
        assert {address.rpartition("/")[2] for address in addresses} == {"", "graphql", "docs"}
        answers = [httpx2.get(address, headers={"Accept": "text/html"}) for address in addresses]
        assert [answer.status_code for answer in answers] == [200, 200, 200]

    def test_it_has_no_colours_and_no_wrapped_lines(self, dev: Started) -> None:
        assert "\x1b" not in dev.out
        assert len(dev.out.splitlines()) == 8

    def test_there_are_demo_customers_and_the_key_has_all_scopes(self, dev: Started) -> None:
        assert count_customers(dev, dev_key(dev)) == 100
        with dev.client(dev_key(dev)) as client:
            answer = client.post("/graphql", json={"query": "{ viewer { scopes } }"}).json()
        assert len(answer["data"]["viewer"]["scopes"]) == 4

    def test_commands_work_beside_it_on_the_same_data(self, dev: Started) -> None:
        made = dev.run("keys", "create", "--name", "beside", "--scope", "customers:read", "--json").json()
        assert count_customers(dev, made["key"]) == 100

    def test_its_data_folder_is_named_by_the_command_line_of_mongod(self, dev: Started) -> None:
        assert len(mongods_of(dev.folder)) == 1

    def test_ctrl_c_stops_everything_and_the_next_start_has_the_same_customers(self, tmp_path: Path) -> None:
        counts = []
        for _ in range(2):
            with started(tmp_path, "dev", "--port", "0") as process:
                process.wait_ready()
                counts.append(count_customers(process, dev_key(process)))
                os.killpg(process.process.pid, signal.SIGINT)  # as a terminal does: to the whole group
                assert process.process.wait(15) == 0
                until(lambda: not processes_of(tmp_path), 10, "the end of mongod")
                assert "Traceback" not in process.err.decode()
        assert counts == [100, 100]


_WRITERS = 16
"""So many that their creates are gathered."""


class Writers:
    """Threads that create customers for as long as they are in use, and keep what was answered."""

    def __init__(self, server: Started, key: str) -> None:
        self.created: list[str] = []
        self.others: list[httpx2.Response] = []
        self.broken = 0
        self._server, self._key = server, key
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(_WRITERS)

    def __enter__(self) -> Self:
        for _ in range(_WRITERS):
            self._pool.submit(self._write)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._pool.shutdown()

    def _write(self) -> None:
        with self._server.client(self._key) as client:
            while not self._ended.is_set():
                try:
                    answer = client.post(CUSTOMERS, json=factories.customer())
                except httpx2.TransportError:
                    self.broken += 1
                    self._ended.wait(0.05)
                    continue
                if answer.status_code == 201:
                    self.created.append(answer.json()["id"])
                else:
                    self.others.append(answer)

    def wait_for(self, more: int) -> None:
        """Return once so many more customers were created."""
        wanted = len(self.created) + more
        until(lambda: len(self.created) >= wanted, 20, "writing")


def assert_all_there(server: Started, key: str, writers: Writers) -> None:
    """Whatever was acknowledged is there, and no request has made more than one customer."""
    ids = writers.created
    assert len(set(ids)) == len(ids)
    with server.client(key) as client:
        assert [client.get(f"{CUSTOMERS}/{one}").status_code for one in ids] == [200] * len(ids)
    assert len(ids) <= count_customers(server, key) <= len(ids) + len(writers.others) + writers.broken


class TestCrashes:
    def test_killing_the_gateway_ends_mongod_and_loses_no_acknowledged_write(self, tmp_path: Path) -> None:
        with serving(tmp_path) as server:
            key = server.run(
                "keys", "create", "--name", "k", "--scope", "customers:write", "--scope", "customers:read", "--json"
            )
            with Writers(server, key.json()["key"]) as writers:
                writers.wait_for(100)
                server.process.kill()
                until(lambda: writers.broken, 10, "the end")
            until(lambda: not processes_of(tmp_path), 10, "the end of mongod")
        with serving(tmp_path) as again:
            assert_all_there(again, key.json()["key"], writers)

    def test_killing_mongod_is_survived_and_loses_no_acknowledged_write(self, tmp_path: Path) -> None:
        with serving(tmp_path) as server:
            key = server.run(
                "keys", "create", "--name", "k", "--scope", "customers:write", "--scope", "customers:read", "--json"
            )
            with Writers(server, key.json()["key"]) as writers:
                writers.wait_for(50)
                (mongod,) = mongods_of(tmp_path)
                os.kill(mongod, signal.SIGKILL)
                until(lambda: not alive(mongod))
                writers.wait_for(50)
            assert {answer.status_code for answer in writers.others} <= {503}
            assert all(a.headers["Content-Type"] == "application/problem+json" for a in writers.others)
            assert writers.broken == 0
            assert_all_there(server, key.json()["key"], writers)
            assert_log_is_clean(server)

    def test_killing_the_keeper_and_mongod_together_is_survived(self, tmp_path: Path) -> None:
        with serving(tmp_path) as server:
            former = processes_of(tmp_path)
            for pid in former:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            until(lambda: not any(map(alive, former)))
            with server.client() as client:
                until(lambda: client.get("/health/ready").status_code == 200, 20, "being ready again")
            assert len(mongods_of(tmp_path)) == 1


class TestWorkers:
    @pytest.fixture
    def two(self, tmp_path: Path, mongod_url: str, database: str) -> Iterator[Started]:
        with served(tmp_path, mongod_url, database, "--workers", "2") as server:
            until(lambda: server.err.count(b"Application startup complete") == 2, 20, "the start of both workers")
            yield server

    def workers(self, server: Started) -> list[int]:
        with suppress(OSError):
            children = children_of(server.process.pid)
            return [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        return []

    def test_each_of_two_workers_answers_and_sees_what_the_other_wrote(self, two: Started, key: str) -> None:
        first, second = self.workers(two)
        with stopped(first), two.client(key) as client:
            created = client.post(CUSTOMERS, json=factories.customer())
            assert created.status_code == 201
        with stopped(second), two.client(key) as client:
            assert client.get(f"{CUSTOMERS}/{created.json()['id']}").status_code == 200

    def test_the_workers_may_open_as_many_files_as_the_machine_lets_them(self, two: Started) -> None:
        for pid in self.workers(two):
            limits = Path(f"/proc/{pid}/limits").read_text()
            soft, hard = re.findall(r"Max open files +([0-9]+) +([0-9]+)", limits)[0]
            assert int(soft) == min(int(hard), 65_536)

    def test_both_workers_count_limits_in_one_table(self, two: Started) -> None:
        environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in self.workers(two)]
        (path,) = {re.findall(rb"GATEWAY_LIMITS_TABLE=([^\x00]+)", found)[0].decode() for found in environments}
        mapped = [Path(f"/proc/{pid}/maps").read_text() for pid in self.workers(two)]
        inode = f" {Path(path).stat().st_ino} "
        assert all(inode in maps for maps in mapped)

    def test_sigterm_ends_all_workers_well(self, two: Started) -> None:
        workers = self.workers(two)
        assert two.stop() == 0
        until(lambda: not any(map(alive, workers)), 10, "the end of the workers")
        assert_log_is_clean(two)
        assert two.out == ""

    def test_killing_the_parent_ends_the_workers(self, two: Started) -> None:
        workers = self.workers(two)
        assert len(workers) == 2
        two.process.kill()
        two.process.wait(5)
        until(lambda: not any(map(alive, workers)), 10, "the end of the workers")

    def test_a_worker_that_cannot_start_while_the_store_is_away_does_not_end_the_others(self, tmp_path: Path) -> None:
        (tmp_path / "starts.py").write_text(FAILING_STARTS)
        (tmp_path / "count").touch()
        process = subprocess.Popen([sys.executable, "starts.py"], cwd=tmp_path, stderr=subprocess.DEVNULL)

        def starts() -> list[str]:
            return (tmp_path / "count").read_text().split()

        try:
            until(lambda: starts() == ["good", "good"], 20, "the start of two workers")
            until(lambda: len(children_of(process.pid)) >= 2, 5, "two workers")
            worker = max(pid for pid in children_of(process.pid) if "spawn_main" in command_line(pid))
            os.kill(worker, signal.SIGKILL)
            until(lambda: starts()[:5] == ["good", "good", "bad", "bad", "good"], 40, "another start")
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait(20)

    def test_a_killed_worker_is_replaced(self, two: Started) -> None:
        former = self.workers(two)
        os.kill(former[0], signal.SIGKILL)
        until(lambda: len(set(self.workers(two)) - set(former)) == 1, 15, "another worker")


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Keep a process from answering for a moment."""
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: " T " in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2], 5)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def assert_log_is_clean(server: Started) -> None:
    """Each line is one event in our form, for any reader's idea of a line, and holds no control characters."""
    written = server.err.decode()
    entries = server.log()
    assert len(written.splitlines()) == len(entries)
    assert re.search(r"[^\x20-\x7e\n]", written) is None
    for entry in entries:
        assert list(entry)[: len(FIELDS)] == FIELDS
        assert entry["service"] == "customer-gateway"
        assert datetime.fromisoformat(entry["timestamp"]).tzinfo is not None


def spoken(server: Started, request: bytes) -> bytes:
    """Send bytes on a connection of their own and return all that is answered."""
    address = httpx2.URL(server.url)
    with socket.create_connection((address.host, address.port or 80), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


FORGED = b'{"level":"error","message":"forged"}'
INJECTIONS = [
    b"GET /api/v1/customers%0D%0A" + FORGED + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /\xe2\x80\xa8" + FORGED.replace(b" ", b"") + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /%E2%80%A8%1B[2J%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: a\r\n " + FORGED + b"\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: a\x1b[2J\xe2\x80\xa8" + FORGED + b"\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: a\x00b\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\xe2\x80\xa8" + FORGED + b"\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\n" + FORGED + b"\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\x1b[2J\r\nRequest-Id: \x1b]0;a\r\nConnection: close\r\n\r\n",
    b"FORGED\x1b[2J / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"PROPFIND / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
]


class TestLog:
    def test_serve_writes_nothing_but_json_lines_on_standard_error(
        self, tmp_path: Path, mongod_url: str, database: str, key: str
    ) -> None:
        with served(tmp_path, mongod_url, database) as server:
            with server.client(key) as client:
                answer = client.get(CUSTOMERS, headers={"X-Request-Id": "mine-1"})
            assert answer.status_code == 200
            assert server.stop() == 0
            assert server.out == ""
            assert_log_is_clean(server)
            (line,) = [entry for entry in server.log() if entry["requestId"] == "mine-1"]
        assert (line["level"], line["message"], line["status"]) == ("info", f"GET {CUSTOMERS} 200", 200)
        assert line["ip"] == "127.0.0.1"
        assert re.fullmatch(r"[0-9a-f-]{36}", line["userId"])

    def test_no_request_can_write_a_line_of_its_own(self, tmp_path: Path, mongod_url: str, database: str) -> None:
        with served(tmp_path, mongod_url, database) as server:
            # The line of a request follows its answer: the last one asked whether it was ready.
            until(lambda: b"GET /health/ready 200" in server.err, 10, "the line of the first request")
            before = len(server.log())
            for request in INJECTIONS:
                assert spoken(server, request).startswith(b"HTTP/1.1 ")
            until(lambda: len(server.log()) >= before + len(INJECTIONS), 10, "logging")
            assert_log_is_clean(server)
            assert len(server.log()) == before + len(INJECTIONS)
            assert b"forged" not in server.err


class TestStopping:
    def test_a_request_in_flight_at_sigterm_is_answered(
        self, tmp_path: Path, mongod_url: str, database: str, key: str
    ) -> None:
        body = json.dumps(factories.customer()).encode()
        head = f"POST {CUSTOMERS} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
        with served(tmp_path, mongod_url, database) as server:
            address = httpx2.URL(server.url)
            with socket.create_connection((address.host, address.port or 80), timeout=15) as connection:
                connection.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body[:20])
                time.sleep(0.1)  # long enough to be read; a request that has not come yet is not in flight
                server.process.send_signal(signal.SIGTERM)
                until(lambda: not _accepts(server), 10, "the end of listening")
                connection.sendall(body[20:])
                assert connection.recv(65536).startswith(b"HTTP/1.1 201 ")
            assert server.process.wait(10) == 0

    def test_sigterm_before_it_is_ready_ends_it_well(self, tmp_path: Path) -> None:
        with started(tmp_path, "serve", "--port", "0", mongodb_url="mongodb://127.0.0.1:1") as server:
            until(lambda: b"Waiting for application startup" in server.err or server.ended())
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 5
            assert "Traceback" not in server.err.decode()


def _accepts(server: Started) -> bool:
    address = httpx2.URL(server.url)
    try:
        with socket.create_connection((address.host, address.port or 80), timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


class TestTransport:
    def test_with_a_certificate_it_speaks_https_and_demands_it(
        self, tmp_path: Path, mongod_url: str, database: str, certificate: tuple[Path, Path]
    ) -> None:
        cert, private = certificate
        trust = ssl.create_default_context(cafile=str(cert))
        store: dict[str, Any] = {"mongodb_url": mongod_url, "mongodb_database": database}
        with started(tmp_path, "serve", "--port", "0", **store, tls_cert=cert, tls_key=private) as server:
            server.wait_ready(trust)
            answer = httpx2.get(f"{server.url}/health/live", verify=trust)
        assert server.url.startswith("https://")
        assert answer.status_code == 200
        assert "max-age=" in answer.headers["Strict-Transport-Security"]

    @pytest.mark.parametrize(("trusted", "scheme"), [("10.1.2.3", "http"), ("127.0.0.0/8", "https")])
    def test_only_a_trusted_proxy_says_how_a_request_came(
        self, tmp_path: Path, mongod_url: str, database: str, key: str, trusted: str, scheme: str
    ) -> None:
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "9.9.9.9"}
        with (
            served(tmp_path, mongod_url, database, trusted_proxies=trusted) as server,
            server.client(key) as client,
        ):
            created = client.post(CUSTOMERS, json=factories.customer(), headers=forwarded)
            problem = client.get(f"{CUSTOMERS}/none", headers=forwarded)
        base = server.url.replace("http", scheme, 1)
        assert created.headers["Location"].startswith((f"{base}/", f"{CUSTOMERS}/"))
        assert problem.json()["type"].startswith(base)
        assert ("Strict-Transport-Security" in created.headers) == (scheme == "https")
        assert "evil.example" not in created.text + problem.text + str(created.headers) + str(problem.headers)

    def test_insecure_lets_a_public_address_start(self, tmp_path: Path, mongod_url: str, database: str) -> None:
        store: dict[str, Any] = {"mongodb_url": mongod_url, "mongodb_database": database}
        with started(tmp_path, "serve", "--host", "0.0.0.0", "--port", "0", "--insecure", **store) as server:
            until(lambda: b"Application startup complete" in server.err or server.ended(), 20, "the start")
            assert server.stop() == 0
