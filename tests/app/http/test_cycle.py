"""Answers on the wire: ours are, byte for byte, what uvicorn sends, whatever the application says."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.http.cycle import Cycle
from app.http.outlet import Outlet

Headers = list[tuple[bytes, bytes]]
DATE: Headers = [(b"date", b"Fri, 20 Nov 2026 18:00:00 GMT")]


def start(status: int, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(content: bytes = b"", *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


def length(number: int) -> tuple[bytes, bytes]:
    return b"content-length", str(number).encode()


TEXT = (b"content-type", b"text/plain")
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "whole": [start(200, TEXT, length(5)), body(b"hello")],
    "empty": [start(200, length(0)), body()],
    "large": [start(200, length(200_000)), body(b"x" * 200_000)],
    "no content": [start(204, TEXT), body()],
    "not modified": [start(304, (b"etag", b'"v1"')), body()],
    "in parts": [start(200, length(6)), body(b"abc", more=True), body(b"def")],
    "no length": [start(200, TEXT), body(b"hello")],
    "a stream": [start(200, TEXT), body(b"one", more=True), body(b"two", more=True), body()],
    "chunks": [start(200, (b"transfer-encoding", b"chunked")), body(b"hello")],
    "closing": [start(200, length(2), (b"connection", b"close")), body(b"ok")],
    "bytes above ASCII": [start(200, length(0), (b"x-name", "é".encode("latin-1"))), body()],
    "a tab": [start(200, length(0), (b"x-name", b"a\tb")), body()],
    "a body too long": [start(200, length(2)), body(b"hello")],
    "a body too short": [start(200, length(9)), body(b"hello")],
    "two heads": [start(200, length(2)), start(200, length(2)), body(b"ok")],
    "no head": [body(b"hello")],
    "too much": [start(200, length(2)), body(b"ok"), body(b"more")],
    "no body": [start(200, length(0))],
    **{
        f"byte {char:#x} in a value": [start(200, length(0), (b"x", b"a%cb" % char)), body()]
        for char in (0, 10, 13, 127)
    },
    "a line of its own": [start(200, length(0), (b"location", b"/\r\nset-cookie: a=b")), body()],
}


@dataclass
class Wire(asyncio.Transport):
    """Notes what is written, and whether it was closed."""

    written: bytes = b""
    closed: bool = False
    ends: int = 0
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


class Flow:
    """A client that reads at once."""

    write_paused = False


async def sent(kind: type[RequestResponseCycle], method: str, messages: list[dict[str, Any]], *, keep: bool) -> Wire:
    wire = Wire()

    def end() -> None:
        wire.ends += 1

    cycle: Any = kind(
        scope={"type": "http", "method": method},  # type: ignore[typeddict-item]
        transport=wire,
        flow=Flow(),  # type: ignore[arg-type]
        logger=logging.getLogger("test"),
        access_logger=logging.getLogger("test"),
        access_log=False,
        default_headers=DATE,
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep,
        on_response=end,
    )
    for message in messages:
        try:
            await cycle.send({**message})
        except RuntimeError as error:
            wire.errors.append(type(error).__name__)
            break
    return wire


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "closed"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_an_answer_is_on_the_wire_what_uvicorn_makes_of_it(answer: str, method: str, *, keep: bool) -> None:
    ours, theirs = [await sent(kind, method, ANSWERS[answer], keep=keep) for kind in (Cycle, RequestResponseCycle)]
    assert (ours.closed, ours.ends, ours.errors) == (theirs.closed, theirs.ends, theirs.errors)
    if ours.errors or not ours.ends:
        assert theirs.written.startswith(ours.written)  # a head that waited for a body that is none never leaves
    else:
        assert ours.written == theirs.written


async def test_an_answer_of_known_length_leaves_in_one_piece() -> None:
    pieces: list[bytes] = []

    class Pieces(Wire):
        def write(self, data: Any) -> None:
            pieces.append(data)

    cycle: Any = Cycle.__new__(Cycle)
    vars(cycle).update(
        disconnected=False, flow=Flow(), response_started=False, default_headers=DATE, keep_alive=True,
        scope={"method": "GET"}, transport=Pieces(), message_event=asyncio.Event(), on_response=lambda: None,
    )  # fmt: skip
    for message in ANSWERS["whole"]:
        await cycle.send(message)
    assert len(pieces) == 1
    assert pieces[0].endswith(b"\r\n\r\nhello")


async def test_to_a_client_that_has_gone_nothing_is_sent() -> None:
    cycle: Any = Cycle.__new__(Cycle)
    cycle.disconnected = True
    for message in ANSWERS["whole"]:
        await cycle.send(message)


def test_what_is_sent_to_a_connection_that_has_ended_is_no_error() -> None:
    """Who has handed a connection over to WebSocket is not told of its end, and may still have an answer to send."""
    lost = asyncio.Event()

    class Ended(asyncio.Protocol):
        def connection_lost(self, _exc: Exception | None) -> None:
            lost.set()

        def read(self) -> bool:
            return True

    async def end() -> Outlet:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            host, port = listener.getsockname()
            transport, protocol = await asyncio.get_running_loop().create_connection(Ended, host, port)
            outlet = Outlet(transport, protocol.read)
            transport.abort()
            await lost.wait()
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
            outlet.write(b"HTTP/1.1 200 OK")
            return outlet

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(end()).written == 15
