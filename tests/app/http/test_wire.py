"""Slow, large and malformed clients, byte by byte: the connection below both doors."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import httpx2
import pytest
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http import httptools_impl
from websockets.sync.client import connect

from app.cli.server import _options
from app.http.body import WHOLE
from app.http.edge import MAX_HEADER_BYTES, MAX_URI
from app.http.sockets import SocketProtocol
from app.http.sweep import Deadlines
from app.http.wire import _SWEEPERS, MAX_HEAD, MAX_PIPELINED, GatewayProtocol
from app.settings import Settings
from tests.certificates import make_certificate
from tests.commands import serving, until
from tests.harness import Gateway, Server, in_thread, running
from tests.wire import RawAnswer, exchange, head

Loop = Callable[[], asyncio.AbstractEventLoop]
CUSTOMERS = "/api/v1/customers"
MIB = 1024 * 1024
PROBLEM = "application/problem+json"
LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]


class Hurried(GatewayProtocol):
    """The protocol with deadlines that a test can wait for."""

    deadlines = Deadlines(head=0.4, reader=0.5, linger=0.6, sweep=0.05)


@pytest.fixture(scope="module", params=LOOPS)
def hurried(request: pytest.FixtureRequest, mongod_url: str) -> Iterator[Gateway]:
    """A gateway in a hurry, on either loop."""
    with running(mongod_url, f"test_{uuid.uuid4().hex[:16]}", protocol=Hurried, loop=request.param) as started:
        yield started


def connected(url: str, seconds: float = 20) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((str(address.hostname), address.port or 80), timeout=seconds)


def start(gateway: Gateway, method: str = "GET", target: str = "/api/v1/viewer", *lines: str) -> bytes:
    """The head of a request that keeps the connection."""
    fixed = (f"{method} {target} HTTP/1.1", "Host: gateway", f"X-API-Key: {gateway.key}", *lines)
    return "\r\n".join([*fixed, "", ""]).encode("latin-1")


def read_answer(wire: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer with a Content-Length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(wire)
    text, _, body = received.partition(b"\r\n\r\n")
    first, *lines = text.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += _some(wire)
    return int(first.split()[1]), headers, body


def _some(wire: socket.socket) -> bytes:
    chunk = wire.recv(65536)
    assert chunk, "closed before the answer was whole"
    return chunk


def assert_refused(answer: RawAnswer, status: int, slug: str) -> None:
    """A refusal at the connection looks like any other problem, and is the last thing on it."""
    headers = dict(answer.headers)
    assert (answer.status, headers["content-type"], headers["connection"]) == (status, PROBLEM, "close")
    assert headers["api-version"]
    assert headers["date"]
    assert headers["expires"]
    assert headers["cache-control"] == "private, no-cache"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers
    problem = answer.json()
    assert (problem["status"], problem["type"].rpartition("/")[2]) == (status, slug)
    assert problem["requestId"] == headers["x-request-id"] == headers["request-id"]
    assert problem["instance"].startswith("/")
    assert not re.search(r"(?i)httptools|llhttp|uvicorn|callback|traceback", answer.body.decode())
    assert answer.closed


class TestLargeHeads:
    @pytest.mark.parametrize(
        ("sent", "status", "slug"),
        [
            (b"GET /" + b"a" * 100_000, 414, "uri-too-long"),
            (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "uri-too-long"),
            (b"GET /?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "uri-too-long"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nX-Much: " + b"a" * 100_000, 431, "headers-too-large"),
            (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a" * 100_000, 431, "headers-too-large"),
            (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20_000, 431, "headers-too-large"),
            (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20_000 + b"\r\n", 431, "headers-too-large"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b" " * 100_000, 431, "headers-too-large"),
        ],
        ids=["uri", "uri-whole", "query-whole", "value", "name", "many", "many-whole", "blanks"],
    )
    @pytest.mark.parametrize("piece", [999, 10**6], ids=["in-pieces", "at-once"])
    def test_c012_a_head_beyond_the_limits_is_refused_however_it_comes(
        self, gateway: Gateway, sent: bytes, status: int, slug: str, piece: int
    ) -> None:
        with connected(gateway.url) as wire:
            for begin in range(0, len(sent), piece):
                wire.sendall(sent[begin : begin + piece])
            assert_refused(RawAnswer(*_raw(wire)), status, slug)

    def test_c012_a_head_that_never_ends_is_refused_while_it_comes(self, gateway: Gateway) -> None:
        with connected(gateway.url) as wire:
            wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Much: ")
            for _ in range(MAX_HEAD // 1000 + 1):
                wire.sendall(b"a" * 1000)
            assert_refused(RawAnswer(*_raw(wire)), 431, "headers-too-large")

    def test_c012_the_largest_good_head_is_taken(self, gateway: Gateway) -> None:
        target = f"{CUSTOMERS}/" + "x" * (MAX_URI - len(f"{CUSTOMERS}/"))
        bare = ["Host: gateway", "Connection: close", f"X-API-Key: {gateway.key}"]
        rest = MAX_HEADER_BYTES - sum(len(line) + 2 for line in bare) - len("X-Much: \r\n")
        lines = [f"GET {target} HTTP/1.1", *bare, "X-Much: " + "a" * rest, "", ""]
        for piece in (1000, 10**6):
            sent = "\r\n".join(lines).encode()
            with connected(gateway.url) as wire:
                for begin in range(0, len(sent), piece):
                    wire.sendall(sent[begin : begin + piece])
                assert b"/problems/invalid-id" in _raw(wire)[2]

    def test_c012_heads_that_come_together_count_each_for_itself(self, gateway: Gateway) -> None:
        sent = start(gateway, "GET", "/health/live", "X-Much: " + "a" * 9000) * 20
        with connected(gateway.url) as wire:
            wire.sendall(sent)
            assert [read_one(wire) for _ in range(20)] == [200] * 20

    def test_trailers_are_no_headers(self, gateway: Gateway) -> None:
        body = b'{"query": "{ viewer { name } }"}'
        lines = ["POST /graphql HTTP/1.1", "Host: x", "Connection: close", "Transfer-Encoding: chunked"]
        lines.append("Content-Type: application/json")
        chunk = b"%x\r\n%b\r\n0\r\nX-API-Key: %b\r\n\r\n" % (len(body), body, gateway.key.encode())
        with connected(gateway.url) as wire:
            wire.sendall("\r\n".join([*lines, "", ""]).encode() + chunk)
            assert _raw(wire)[0] == 401

    @pytest.mark.parametrize(
        "more",
        [b"0\r\nX-Much: " + b"a" * 200_000, b"0\r\n" + b"A: b\r\n" * 40_000, b"1;" + b"a" * 200_000],
        ids=["trailer", "trailers", "chunk-extension"],
    )
    def test_c012_what_is_around_a_body_is_bounded_too(self, gateway: Gateway, more: bytes) -> None:
        lines = ("Content-Type: application/json", "Transfer-Encoding: chunked")
        with connected(gateway.url) as wire:
            wire.sendall(start(gateway, "POST", CUSTOMERS, *lines) + b"2\r\n{}\r\n" + more)
            assert_refused(RawAnswer(*_raw(wire)), 431, "headers-too-large")

    def test_a_body_in_chunks_of_one_byte_is_taken(self, gateway: Gateway) -> None:
        lines = ("Content-Type: application/json", "Transfer-Encoding: chunked", "Connection: close")
        body = b"".join(b"1\r\n%c\r\n" % byte for byte in b" " * 50_000 + b"null") + b"0\r\n\r\n"
        with connected(gateway.url) as wire:
            wire.sendall(start(gateway, "POST", CUSTOMERS, *lines) + body)
            assert b"wrong-top-level" in _raw(wire)[2]


def read_one(wire: socket.socket) -> int:
    """Read exactly one answer of those that come one after the other, and return its status."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        byte = wire.recv(1)
        assert byte, "closed"
        received += byte
    length = re.search(rb"(?i)content-length: (\d+)", received)
    left = int(length[1]) if length else 0
    while left:
        left -= len(wire.recv(left))
    return int(received.split()[1])


def _raw(wire: socket.socket) -> tuple[int, list[tuple[str, str]], bytes, bool]:
    """Read one answer and then to the end of the connection."""
    status, headers, body = read_answer(wire)
    length = int(headers.get("content-length", "0"))
    assert len(body) == length, "more than one answer"
    with suppress(ConnectionError):
        assert wire.recv(1) == b""
    return status, list(headers.items()), body, True


class TestSlowHeads:
    @pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\nHo", b"GET / HTTP/1.1\r\nHost: x\r\n"])
    def test_c013_a_head_that_does_not_come_is_408(self, hurried: Gateway, sent: bytes) -> None:
        with connected(hurried.url) as wire:
            wire.sendall(sent)
            assert_refused(RawAnswer(*_raw(wire)), 408, "request-timeout")

    def test_c013_a_head_that_trickles_is_408_all_the_same(self, hurried: Gateway) -> None:
        with connected(hurried.url, 0.02) as wire:
            wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            received = b""
            deadline = time.monotonic() + 20
            while not received:
                assert time.monotonic() < deadline
                wire.sendall(b"a")
                with suppress(TimeoutError):
                    received = wire.recv(65536)
        assert received.startswith(b"HTTP/1.1 408 ")

    @pytest.mark.parametrize("sent", [b"", b"\r\n", b"\r\n\r\n\r\n"], ids=["nothing", "line", "lines"])
    def test_c013_a_connection_without_a_request_is_closed_without_a_word(self, hurried: Gateway, sent: bytes) -> None:
        with connected(hurried.url) as wire:
            wire.sendall(sent)
            assert wire.recv(100) == b""

    def test_c013_the_second_head_has_the_same_time(self, hurried: Gateway) -> None:
        with connected(hurried.url) as wire:
            wire.sendall(start(hurried))
            assert read_answer(wire)[0] == 200
            wire.sendall(b"GET ")
            assert_refused(RawAnswer(*_raw(wire)), 408, "request-timeout")

    def test_c013_blank_lines_do_not_keep_an_idle_connection(self, hurried: Gateway) -> None:
        with connected(hurried.url) as wire:
            wire.sendall(start(hurried))
            assert read_answer(wire)[0] == 200
            wire.sendall(b"\r\n")
            assert wire.recv(100) == b""

    def test_an_idle_connection_is_kept_longer_than_a_head_may_take(self, hurried: Gateway) -> None:
        with connected(hurried.url) as wire:
            for _ in range(2):
                wire.sendall(start(hurried))
                assert read_answer(wire)[0] == 200
                time.sleep(3 * Hurried.deadlines.head)  # the point of the test: nothing happens meanwhile


MALFORMED = [
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n A: b\r\n\r\n",
    b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n",
    b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
    b"GET / HTTP/0.9\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
    b"GET / HTTP/one\r\nHost: x\r\n\r\n",
    b"GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\xe2\x80\xa8 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET customers HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"get / HTTP/1.1\nHost: x\n\n",
    b"F\x1b[2J / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\0",
    b"}{",
]
OF_TWO_MINDS = [
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"Content-Length: 7\r\nContent-Length: 0\r\n\r\n",
    b"Content-Length: 7\r\nContent-Length: 7\r\n\r\n",
    b"Content-Length: 7, 7\r\n\r\n",
    b"Content-Length: +7\r\n\r\n",
    b"Content-Length: 0x7\r\n\r\n",
    b"Content-Length:\r\n\r\n",
    b"Content-Length : 7\r\n\r\n",
    b"Content-Length: 99999999999999999999\r\n\r\n",
    b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: identity\r\n\r\n",
    b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n5;\r\nhello\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nno length\r\n",
]
SMUGGLED = b"GET /health/live HTTP/1.1\r\nHost: evil\r\n\r\n"


class TestMalformed:
    @pytest.mark.parametrize("sent", MALFORMED, ids=lambda sent: str(sent)[2:40])
    @pytest.mark.parametrize("piece", [1, 10**6], ids=["by-bytes", "at-once"])
    def test_c018_what_is_no_http_is_400_as_a_problem(self, gateway: Gateway, sent: bytes, piece: int) -> None:
        with connected(gateway.url) as wire:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(ConnectionError):
                for begin in range(0, len(sent), piece):
                    wire.sendall(sent[begin : begin + piece])
            assert_refused(RawAnswer(*_raw(wire)), 400, "malformed-request")

    @pytest.mark.parametrize("hosts", [0, 2, 3])
    def test_c018_a_request_of_http_1_1_has_exactly_one_host(self, gateway: Gateway, hosts: int) -> None:
        lines = ["GET /health/live HTTP/1.1", *["Host: x"] * hosts, "Connection: close", "", ""]
        (answer,) = exchange(gateway.url, "\r\n".join(lines).encode())
        assert_refused(answer, 400, "malformed-request")

    @pytest.mark.parametrize("rest", OF_TWO_MINDS, ids=lambda sent: str(sent)[2:66])
    def test_c018_a_body_of_two_lengths_is_400_and_the_last_thing_read(self, gateway: Gateway, rest: bytes) -> None:
        begun = start(gateway, "POST", CUSTOMERS, "Content-Type: application/json").removesuffix(b"\r\n")
        (answer,) = exchange(gateway.url, begun + rest + SMUGGLED)
        assert_refused(answer, 400, "malformed-request")

    @pytest.mark.parametrize("method", ["FOO", "Get", "GETX", "X-Y", "BREW", "a", "!#$%&'*+-.^_`|~9", "M" * 500])
    def test_c006_a_method_that_http_does_not_know_is_405_like_any_that_does_not_work(
        self, gateway: Gateway, method: str
    ) -> None:
        for target in (CUSTOMERS, f"{CUSTOMERS}?size=1", "/health/live", "/graphql"):
            (known,) = exchange(gateway.url, head("PROPFIND", target, ""))
            (unknown,) = exchange(gateway.url, head(method, target, ""))
            assert (known.status, unknown.status, unknown.closed) == (405, 405, True)
            assert unknown.every("allow") == known.every("allow") != []
        (nowhere,) = exchange(gateway.url, head(method, "/nowhere", ""))
        assert_refused(nowhere, 404, "not-found")

    def test_answers_keep_their_order_where_a_later_request_is_malformed(self, gateway: Gateway) -> None:
        sent = start(gateway, "GET", f"{CUSTOMERS}?size=1") * 3 + b"NO\0\r\n\r\n" + SMUGGLED
        answers = exchange(gateway.url, sent)
        assert [answer.status for answer in answers] == [200, 200, 200, 400]

    def test_c018_a_body_that_turns_out_malformed_while_it_is_read_is_400(self, gateway: Gateway) -> None:
        lines = ("Content-Type: application/json", "Transfer-Encoding: chunked", "Expect: 100-continue")
        with connected(gateway.url) as wire:
            wire.sendall(start(gateway, "POST", CUSTOMERS, *lines))
            assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            wire.sendall(b"2\r\n{}\r\nno length\r\n")
            assert_refused(RawAnswer(*_raw(wire)), 400, "malformed-request")

    def test_a_request_that_was_already_answered_is_not_answered_twice(self, gateway: Gateway) -> None:
        lines = ("Content-Type: application/json", "Transfer-Encoding: chunked")
        sent = start(gateway, "POST", "/nowhere", *lines)
        with connected(gateway.url) as wire:
            wire.sendall(sent)
            status, _, _ = read_answer(wire)
            wire.sendall(b"no length\r\n")
            assert (status, wire.recv(100)) == (404, b"")

    def test_each_refusal_is_one_line_of_the_log_without_a_word_of_the_client(
        self, tmp_path: Path, mongod_url: str, database: str
    ) -> None:
        requests = [*MALFORMED[:11], b"CANARY /canary HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /canary" + b"y" * 90_000]
        requests += [b"POST /canary HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\nCanary: 1\r\n\r\n"]
        with serving(tmp_path, "--workers", "2", mongodb_url=mongod_url, mongodb_database=database) as server:
            ids = [dict(answer.headers)["x-request-id"] for sent in requests for answer in exchange(server.url, sent)]
            until(lambda: {entry["requestId"] for entry in server.log()} >= set(ids), 10, "logging")
            lines = {entry["requestId"]: entry for entry in server.log() if entry["requestId"] in ids}
            assert len([entry for entry in server.log() if entry["requestId"] in ids]) == len(requests)
            assert b"canary" not in server.err.lower()
            assert [entry for entry in server.log() if entry["level"] not in {"info", "debug"}] == []
        expected = ["- (no route) 404", "GET (no route) 414", "POST (no route) 400"]
        assert [lines[one]["message"] for one in ids] == [*["GET (no route) 400"] * 11, *expected]


class TestEarlyAnswers:
    @pytest.mark.parametrize("framing", ["length", "chunks"])
    @pytest.mark.parametrize(("status", "key"), [(401, False), (413, True)])
    def test_c011_who_sends_on_regardless_reads_the_answer(
        self, gateway: Gateway, status: int, framing: str, *, key: bool
    ) -> None:
        lines = ["Content-Type: application/json"]
        lines += ["Transfer-Encoding: chunked"] if framing == "chunks" else [f"Content-Length: {20 * MIB}"]
        sent = head("POST", CUSTOMERS, gateway.key if key else "", *lines).replace(b"Connection: close\r\n", b"")
        piece = b" " * MIB if framing == "length" else b"100000\r\n" + b" " * MIB + b"\r\n"
        for _ in range(3):
            (answer,) = exchange(gateway.url, sent + piece * 20)
            assert (answer.status, answer.every("connection")) == (status, ["close"])

    def test_c011_an_http_client_reads_the_answer(self, gateway: Gateway) -> None:
        for _ in range(3):
            with gateway.client() as client:
                assert client.post(CUSTOMERS, content=b" " * 20 * MIB).status_code == 401

    def test_the_end_is_told_and_comes_though_the_body_does_not(self, hurried: Gateway) -> None:
        lines = ("Content-Type: application/json", "Content-Length: 9999999")
        with connected(hurried.url) as wire:
            wire.sendall(start(hurried, "POST", CUSTOMERS, *lines))
            assert read_answer(wire)[1]["connection"] == "close"
            assert wire.recv(1) == b""
            until(lambda: is_reset(wire), 20, "the end of lingering")

    def test_a_request_whose_body_came_keeps_its_connection_whatever_the_answer(self, gateway: Gateway) -> None:
        lines = ("Content-Type: application/json", "Content-Length: 2")
        with connected(gateway.url) as wire:
            for sent, status in ((start(gateway, "POST", CUSTOMERS, *lines) + b"{}", 422), (start(gateway), 200)) * 2:
                wire.sendall(sent)
                answered, headers, _ = read_answer(wire)
                assert (answered, "connection" in headers) == (status, False)

    @pytest.mark.parametrize(("length", "key", "status"), [(9_999_999, True, 413), (2, False, 401)])
    def test_no_body_is_asked_for_where_the_answer_is_already_known(
        self, gateway: Gateway, length: int, status: int, *, key: bool
    ) -> None:
        lines = ("Content-Type: application/json", f"Content-Length: {length}", "Expect: 100-continue")
        (answer,) = exchange(gateway.url, head("POST", CUSTOMERS, gateway.key if key else "", *lines))
        assert (answer.status, answer.closed) == (status, True)

    def test_a_body_is_asked_for_where_it_is_wanted(self, gateway: Gateway) -> None:
        lines = ("Content-Type: application/json", "Content-Length: 2", "Expect: 100-continue")
        with connected(gateway.url) as wire:
            wire.sendall(start(gateway, "POST", CUSTOMERS, *lines))
            assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            wire.sendall(b"{}")
            status, headers, _ = read_answer(wire)
        assert (status, "connection" in headers) == (422, False)


def is_reset(wire: socket.socket) -> bool:
    """Tell whether the other side is gone for good."""
    try:
        wire.send(b"x")
    except ConnectionError:
        return True
    return False


HANDSHAKE: Mapping[str, str | None] = MappingProxyType(
    {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
)


class TestConnections:
    @pytest.mark.parametrize(
        "sent",
        [
            b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            b"GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n",
            b"garbage\r\n\r\n",
            b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            (
                b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            ),
        ],
    )
    def test_every_answer_has_one_date(self, gateway: Gateway, sent: bytes) -> None:
        (answer,) = exchange(gateway.url, sent)
        assert len(answer.every("date")) == 1
        assert answer.every("expires") in ([], answer.every("date"))

    def test_pipelined_requests_are_answered_in_order(self, hurried: Gateway) -> None:
        targets = [f"{CUSTOMERS}?size=1", "/health/live", "/nowhere", "/api/v1/viewer"] * 25
        with connected(hurried.url) as wire:
            wire.sendall(b"".join(start(hurried, "GET", target) for target in targets))
            assert [read_one(wire) for _ in targets] == [200, 200, 404, 200] * 25

    def test_http_1_0_is_answered_and_closed(self, gateway: Gateway) -> None:
        (answer,) = exchange(gateway.url, f"GET /api/v1/viewer HTTP/1.0\r\nX-API-Key: {gateway.key}\r\n\r\n".encode())
        assert (answer.status, answer.closed) == (200, True)

    def test_an_upgrade_to_something_else_is_answered_as_plain_http(self, gateway: Gateway) -> None:
        lines = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
        (answer,) = exchange(gateway.url, start(gateway, "GET", "/api/v1/viewer", *lines) + SMUGGLED)
        assert (answer.status, answer.closed) == (200, True)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Sec-WebSocket-Key", None),
            ("Sec-WebSocket-Key", "c2hvcnQ="),
            ("Sec-WebSocket-Key", "not base64 at all!"),
            ("Sec-WebSocket-Version", None),
            ("Sec-WebSocket-Version", "12"),
            ("Sec-WebSocket-Version", "13\r\nSec-WebSocket-Version: 13"),
            ("Sec-WebSocket-Extensions", ";;"),
        ],
    )
    def test_a_handshake_that_is_none_is_a_problem_that_names_the_header(
        self, gateway: Gateway, name: str, value: str | None
    ) -> None:
        given = {**HANDSHAKE, name: value}
        lines = [f"{header}: {said}" for header, said in given.items() if said is not None]
        (answer,) = exchange(gateway.url, start(gateway, "GET", "/graphql", *lines))
        assert_refused(answer, 400, "malformed-request")
        assert name in answer.body.decode()
        assert answer.every("sec-websocket-version") == ["13"]
        assert len(answer.every("x-request-id")) == 1

    @pytest.mark.parametrize("path", ["/api/v1/customers", "/nowhere", "/graphql/"])
    def test_a_handshake_where_no_websocket_is_spoken_is_a_problem(self, gateway: Gateway, path: str) -> None:
        lines = [f"{header}: {said}" for header, said in HANDSHAKE.items()]
        (answer,) = exchange(gateway.url, start(gateway, "GET", path, *lines))
        assert_refused(answer, 404, "not-found")
        assert len(answer.every("x-request-id")) == 1

    @pytest.mark.parametrize("blanks", [" ", "\t", " \t  "])
    def test_blanks_around_the_value_of_a_header_are_no_part_of_it(self, gateway: Gateway, blanks: str) -> None:
        sent = (
            f"GET /api/v1/viewer HTTP/1.1\r\nHost:{blanks}x{blanks}\r\nX-API-Key:{blanks}{gateway.key}{blanks}\r\n"
            f"X-Request-Id:{blanks}order-4711{blanks}\r\nConnection:{blanks}close{blanks}\r\n\r\n"
        )
        (answer,) = exchange(gateway.url, sent.encode())
        assert (answer.status, answer.every("x-request-id"), answer.closed) == (200, ["order-4711"], True)

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    def test_a_handshake_is_a_get(self, gateway: Gateway, method: str) -> None:
        lines = [f"{header}: {said}" for header, said in HANDSHAKE.items()]
        (answer,) = exchange(gateway.url, start(gateway, method, "/graphql", *lines))
        assert_refused(answer, 400, "malformed-request")

    @pytest.mark.parametrize("more", [[f"X-Many-{number}: 1" for number in range(130)], [f"X-Long: {'x' * 9000}"]])
    def test_a_handshake_with_more_than_can_be_read_is_431(self, gateway: Gateway, more: list[str]) -> None:
        lines = [f"{header}: {said}" for header, said in HANDSHAKE.items()]
        (answer,) = exchange(gateway.url, start(gateway, "GET", "/graphql", *lines, *more))
        assert_refused(answer, 431, "headers-too-large")

    def test_c018_a_body_behind_such_an_upgrade_is_refused_because_it_cannot_be_told_from_a_request(
        self, gateway: Gateway
    ) -> None:
        lines = ("Connection: Upgrade", "Upgrade: h2c", f"Content-Length: {len(SMUGGLED)}")
        (answer,) = exchange(gateway.url, start(gateway, "POST", CUSTOMERS, *lines) + SMUGGLED)
        assert_refused(answer, 400, "malformed-request")


@dataclass
class Served:
    """A server over a small application, on one of the loops."""

    url: str
    server: Server
    ended: list[str] = field(default_factory=list)

    @property
    def nothing_left(self) -> bool:
        """Whether no connection and no task is left."""
        return not self.server.server_state.connections and not self.server.server_state.tasks


@contextmanager
def served(loop: Loop, certificate: tuple[Path, Path] | None = None, *, keep_alive: int = 20) -> Iterator[Served]:
    """Serve an application that answers / at once, /endless without end, /much with 64 MiB, and a WebSocket.

    /whole is answered by whether the whole request was known to be there when its answer began.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            message = await receive()
            await send({"type": "websocket.send", "text": message["text"]})
            await receive()
            return
        if scope["path"] == "/":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body"})
            return
        if scope["path"] == "/whole":
            said = b"yes" if WHOLE in scope else b"no"
            length = [(b"content-length", b"%d" % len(said))]
            await send({"type": "http.response.start", "status": 200, "headers": length})
            await send({"type": "http.response.body", "body": said})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        parts = 64 if scope["path"] == "/much" else 10**9
        for _ in range(parts):
            await send({"type": "http.response.body", "body": b"x" * MIB, "more_body": True})
            if not result.server.server_state.connections:
                break
        await send({"type": "http.response.body", "body": b""})
        result.ended.append(scope["path"])

    files = {"ssl_certfile": certificate[0], "ssl_keyfile": certificate[1]} if certificate else {}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app,
            http=Hurried,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_keep_alive=keep_alive,
            **files,  # type: ignore[arg-type]
        )
        result = Served(f"http://127.0.0.1:{listener.getsockname()[1]}", Server(config))
        with in_thread(result.server, listener, loop):
            yield result


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


def secured(plain: socket.socket, trusted: Path) -> ssl.SSLSocket:
    return ssl.create_default_context(cafile=trusted).wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
class TestSlowReaders:
    @contextmanager
    def asked(
        self, served: Served, certificate: tuple[Path, Path], target: str, *, tls: bool
    ) -> Iterator[socket.socket]:
        with connected(served.url) as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with secured(plain, certificate[0]) if tls else plain as wire:
                wire.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                yield wire

    @pytest.mark.parametrize("target", ["/endless", "/much"])
    def test_who_does_not_read_is_cut_off_and_nothing_is_left(
        self, loop: Loop, certificate: tuple[Path, Path], target: str, *, tls: bool
    ) -> None:
        with served(loop, certificate if tls else None) as server:
            with self.asked(server, certificate, target, tls=tls):
                until(lambda: server.ended == [target], 20, "the end of the application")
                until(lambda: server.nothing_left, 20, "the end of the connection")

    def test_who_reads_slowly_but_steadily_is_served(
        self, loop: Loop, certificate: tuple[Path, Path], *, tls: bool
    ) -> None:
        with (
            served(loop, certificate if tls else None) as server,
            self.asked(server, certificate, "/much", tls=tls) as wire,
        ):
            began, received = time.monotonic(), 0
            while time.monotonic() - began < 4 * Hurried.deadlines.reader:
                time.sleep(0.02)  # the point of the test: a client that takes its time
                received += len(wire.recv(4096))
                assert received
            assert not server.ended


@pytest.mark.parametrize("loop", LOOPS)
def test_who_sends_on_regardless_reads_the_answer_over_tls(loop: Loop, certificate: tuple[Path, Path]) -> None:
    with served(loop, certificate) as server, connected(server.url) as plain, secured(plain, certificate[0]) as wire:
        wire.sendall(b"NONSENSE\0" + b" " * 20 * MIB)
        assert wire.recv(15) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("loop", LOOPS)
def test_of_more_requests_at_once_than_can_wait_only_the_first_are_answered(loop: Loop) -> None:
    with served(loop) as server, connected(server.url) as wire:
        until(lambda: server.server.server_state.connections, 10, "connecting")
        (connection,) = server.server.server_state.connections
        assert isinstance(connection, GatewayProtocol)
        sent = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10 * MAX_PIPELINED
        connection.loop.call_soon_threadsafe(connection.data_received, sent)  # in one piece, whatever the kernel does
        received = b"".join(iter(lambda: wire.recv(65536), b""))
    assert MAX_PIPELINED < received.count(b"HTTP/1.1 200 OK") < 3 * MAX_PIPELINED
    assert received.count(b"connection: close") == 1


@pytest.mark.parametrize("loop", LOOPS)
class TestSweeper:
    def test_it_runs_only_while_there_are_connections(self, loop: Loop) -> None:
        with served(loop) as server:
            for _ in range(2):
                with connected(server.url):
                    until(lambda: not server.nothing_left, 10, "connecting")
                    until(lambda: _SWEEPERS[server.server.server_state]._running, 10, "its start")
                until(lambda: not _SWEEPERS[server.server.server_state]._running, 10, "its end")

    def test_a_connection_that_stays_idle_after_its_answer_is_closed(self, loop: Loop) -> None:
        with served(loop, keep_alive=1) as server, connected(server.url) as wire:
            for _ in range(4):
                wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert read_one(wire) == 200
                time.sleep(0.6)  # four times: each request begins anew what a connection may be idle
            assert wire.recv(100) == b""

    def test_a_websocket_is_left_alone(self, loop: Loop) -> None:
        with served(loop) as server, connect(server.url.replace("http", "ws")) as client:
            time.sleep(3 * Hurried.deadlines.head)  # the point of the test: nothing happens meanwhile
            client.send("still here")
            assert client.recv(timeout=10) == "still here"


class TestUvicorn:
    """What `app/http/wire.py` relies on in uvicorn; a new version that changes it fails here first."""

    def test_the_gateway_is_served_with_our_protocol(self) -> None:
        config = uvicorn.Config("app.cli.server:worker_app", factory=True, **_options(Settings(_env_file=None)))
        config.load()
        assert (config.http_protocol_class, config.ws_protocol_class) == (GatewayProtocol, SocketProtocol)
        assert config.date_header is False

    def test_what_we_override_and_call_is_there(self) -> None:
        ours = {
            "connection_made",
            "data_received",
            "on_header",
            "on_headers_complete",
            "on_body",
            "on_message_complete",
            "shutdown",
        }
        ours |= {"on_response_complete"}
        called = {"on_message_begin", "handle_websocket_upgrade", "_should_upgrade", "_start_asgi_task"}
        theirs = vars(httptools_impl.HttpToolsProtocol)
        assert sorted((ours | called) - set(theirs)) == []
        assert "self.send_400_response(" in inspect.getsource(theirs["data_received"])
        methods = [value for value in theirs.values() if inspect.isfunction(value)]
        rest = "".join(inspect.getsource(one) for one in methods if one.__name__ != "data_received")
        assert "self.send_400_response(" not in rest
        assert "self.parser.feed_data(" not in rest

    def test_a_cycle_is_made_and_ended_as_we_think(self) -> None:
        made = inspect.signature(httptools_impl.RequestResponseCycle.__init__).parameters
        assert list(made)[1:] == [
            "scope", "transport", "flow", "logger", "access_logger", "access_log", "default_headers",
            "message_event", "expect_100_continue", "keep_alive", "on_response",
        ]  # fmt: skip
        source = inspect.getsource(httptools_impl.RequestResponseCycle.send)
        assert source.count("self.keep_alive") == 3
        assert "if not self.keep_alive: self.transport.close() self.on_response()" in " ".join(source.split())

    def test_its_transport_is_used_only_in_ways_that_ours_has(self) -> None:
        used = set(re.findall(r"self\.transport\.(\w+)", inspect.getsource(httptools_impl)))
        assert used == {"write", "close", "is_closing", "set_protocol"}

    def test_a_head_is_known_by_its_scope(self) -> None:
        began = inspect.getsource(httptools_impl.HttpToolsProtocol.on_message_begin)
        assert "self.scope = {" in began
        assert '"method"' not in began

    def test_only_the_end_of_an_answer_sets_the_timer_of_idle_connections(self) -> None:
        theirs = vars(httptools_impl.HttpToolsProtocol)
        sources = {name: inspect.getsource(value) for name, value in theirs.items() if inspect.isfunction(value)}
        assert [name for name, source in sources.items() if "call_later" in source] == ["on_response_complete"]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_request_is_known_to_be_whole_only_when_all_of_it_has_come(loop: Loop) -> None:
    head = b"POST /whole HTTP/1.1\r\nHost: gateway\r\n"
    whole = (head + b"Content-Length: 2\r\n\r\n{}", head + b"Content-Length: 0\r\n\r\n")
    part = (head + b"Content-Length: 2\r\n\r\n{", head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
    with served(loop) as server:
        for sent, said in (*((one, b"yes") for one in whole), *((one, b"no") for one in part)):
            with connected(server.url) as wire:
                wire.sendall(sent)
                assert (sent, read_answer(wire)[2]) == (sent, said)


def test_json_is_still_json_when_its_body_comes_byte_by_byte(gateway: Gateway) -> None:
    body = json.dumps({"query": "{ viewer { name } }"}).encode()
    lines = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    with connected(gateway.url) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in start(gateway, "POST", "/graphql", *lines) + body:
            wire.sendall(bytes([byte]))
        assert read_answer(wire)[0] == 200


def test_a_client_of_http_works_over_one_connection(hurried: Gateway) -> None:
    with hurried.client(**{"X-API-Key": hurried.key}) as client:
        answers: list[httpx2.Response] = [client.get(CUSTOMERS, params={"size": 1}) for _ in range(50)]
    assert {answer.status_code for answer in answers} == {200}
