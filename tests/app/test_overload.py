"""When there is too much, or no store: what is refused, how soon, and what still answers."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from app.http.overload import REST_SECONDS
from storage.mongod import acquire
from storage.mongod_files import Folder
from tests.app.observe.reading import scrape
from tests.commands import until
from tests.conftest import StartGateway
from tests.harness import Gateway, find_lost_sockets, running
from tests.wire import exchange

CUSTOMERS = "/api/v1/customers"
TOKEN = "a-token-for-metrics-of-32-characters"
WAITING = "gateway_http_requests_waiting_for_clients"
MOST = 2


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a process inside the block: it accepts connections, and says nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def slug(response: httpx2.Response) -> str:
    """Return the kind of a problem."""
    return str(response.json()["type"].rpartition("/")[2])


@pytest.mark.untraced
@pytest.mark.parametrize("driver", ["pymongo", "motor"])
def test_c124_a_store_that_falls_silent_is_told_within_2_s_and_its_return_too(tmp_path: Path, driver: str) -> None:
    with acquire(tmp_path / "store", timeout=60) as mongod, ExitStack() as stack:
        record = Folder(tmp_path / "store").running()
        assert record is not None
        settings: dict[str, Any] = {
            "metrics_token": TOKEN,
            "max_in_flight": MOST,
            "mongodb_driver": driver,
            "request_timeout": 4,
        }
        gateway = stack.enter_context(running(mongod.url, "silent", **settings))
        gateway.create()
        pool = stack.enter_context(ThreadPoolExecutor(MOST))
        with gateway.client() as watcher, stopped(record.mongod_pid):
            began = time.monotonic()
            assert watcher.get("/health/ready").status_code == 503
            assert time.monotonic() - began < 2
            waiting = [pool.submit(gateway.http.get, CUSTOMERS, params={"size": n}) for n in (1, 2)]
            until(lambda: in_flight(gateway) == MOST, what="work in flight")
            _refuses_more(gateway)
            assert watcher.get("/health/live").json() == {"status": "live"}
            assert watcher.get("/health/ready").status_code == 503
        began = time.monotonic()
        until(lambda: gateway.http.get("/health/ready").status_code == 200, what="being ready")
        back = time.monotonic() - began
        print(f"ready {back:.2f} s after the store was")
        assert back < 2
        assert {answer.result(20).status_code for answer in waiting} <= {200, 503}
        assert gateway.http.get(CUSTOMERS).json()["page"]["totalElements"] == 1
    find_lost_sockets()


def in_flight(gateway: Gateway) -> float:
    """Return how many requests are worked on, by the metrics, which are let in at any time."""
    with gateway.client(Authorization=f"Bearer {TOKEN}") as client:
        found = scrape(client)
    own = found.value("gateway_http_requests_in_flight") - found.value(WAITING)
    assert found.value("gateway_http_requests_in_flight_limit") == MOST
    return own


def _refuses_more(gateway: Gateway) -> None:
    """Ask for more through both doors, with good credentials and bad ones, which nobody looks at."""
    with gateway.client(**{"X-API-Key": "cgw_bad"}) as client:
        began = time.monotonic()
        answers = [client.get(CUSTOMERS), client.post("/graphql", json={"query": "{ viewer { id } }"})]
        answers += [client.delete(f"{CUSTOMERS}/none", headers={"Accept": "application/json;profile=enveloped"})]
        assert time.monotonic() - began >= 2 * REST_SECONDS[0]  # the connection rested after each refusal
    assert [answer.status_code for answer in answers] == [503] * 3
    assert [slug(answer) for answer in answers[:2]] == ["overloaded"] * 2
    assert answers[2].json()["errors"][0]["title"] == "Too many requests at once"
    assert {answer.headers["Retry-After"] for answer in answers} <= {"1", "2", "3"}
    assert all(answer.json()["outcome"] == "none" for answer in answers[:2])
    assert all(answer.headers["X-Request-Id"] for answer in answers)
    with gateway.client(Authorization=f"Bearer {TOKEN}") as client:
        assert scrape(client).value("gateway_overload_refusals_total") == 3


def test_clients_that_are_slow_with_their_bodies_shut_nobody_out(start_gateway: StartGateway) -> None:
    gateway = start_gateway(max_in_flight=2, metrics_token=TOKEN)
    head = f"POST {CUSTOMERS} HTTP/1.1\r\nHost: x\r\nX-API-Key: {gateway.key}\r\nContent-Type: application/json\r\n"
    address = urlsplit(gateway.url)
    with ExitStack() as stack, gateway.client(Authorization=f"Bearer {TOKEN}") as client:
        for number in range(5):
            slow = stack.enter_context(socket.create_connection((str(address.hostname), address.port or 80)))
            slow.sendall(f"{head}Content-Length: 100\r\n\r\n".encode())
            until(lambda: scrape(client).value(WAITING) == number + 2, what="waiting")  # noqa: B023 - called at once
        assert gateway.http.get(CUSTOMERS).status_code == 200
    until(lambda: f"{WAITING} 1.0" in gateway.http.get("/metrics").text, what="the end of the slow ones")


def test_pipelined_requests_are_all_answered_though_each_is_refused(start_gateway: StartGateway) -> None:
    gateway = start_gateway(max_in_flight=1)
    with gateway.client() as client:
        assert client.get("/health/live").status_code == 200
    one = f"GET {CUSTOMERS} HTTP/1.1\r\nHost: x\r\nX-API-Key: {gateway.key}\r\n\r\n".encode()
    answers = exchange(gateway.url, one * 5, seconds=1)
    assert [answer.status for answer in answers] == [200] * 5  # one after the other: never two at once
