"""A client that sends many requests over one connection before it reads the answers, for the sake of rate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tests.fuzz.requests import Sent

PIPELINED: Final = 24
PATIENCE: Final = 30.0
"""After how many seconds an answer is missed."""
_QUIET: Final = 0.5
"""How long bytes that are no whole request wait for an answer that may not come."""
_BUFFER: Final = 2**25


@dataclass(frozen=True)
class Answer:
    """What came for a request; header names are in lower case. Status 0 stands for no answer."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return the last value of a header, empty where there is none."""
        return self.headers.get(name, [""])[-1]

    @property
    def closes(self) -> bool:
        """Whether nothing more comes on this connection."""
        return not self.status or self.header("connection").lower() == "close"


MISSED: Final = Answer(0, {}, b"")
Judge = Callable[[Sent, Answer], None]
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Crew:
    """Connections that share the work."""

    def __init__(self, host: str, port: int, judge: Judge, connections: int = 4) -> None:
        self._address, self._judge, self._connections = (host, port), judge, connections

    async def send(self, requests: Iterable[Sent]) -> None:
        """Send all of them, and have each answer judged."""
        waiting = iter(requests)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._connections):
                group.create_task(self._work(waiting))

    async def _work(self, waiting: Iterator[Sent]) -> None:
        line: Line | None = None
        while batch := list(islice(waiting, PIPELINED)):
            for sent in batch:
                if sent.raw:
                    await self._wild(sent)
            left = [sent for sent in batch if not sent.raw]
            while left:
                line = line or await self._open()
                left, line = await self._over(line, left)
        if line:
            await _close(line)

    async def _open(self) -> Line:
        return await asyncio.open_connection(*self._address, limit=_BUFFER)

    async def _over(self, line: Line, batch: list[Sent]) -> tuple[list[Sent], Line | None]:
        """Send requests over a connection; return those that it ended before, and the connection if it goes on."""
        reader, writer = line
        writer.write(b"".join(sent.octets() for sent in batch))
        for number, sent in enumerate(batch):
            answer = await _answer(reader, sent.method)
            if answer is MISSED and number:  # not looked at any more: it is sent again
                await _close(line)
                return batch[number:], None
            self._judge(sent, answer)
            if answer.closes:
                await _close(line)
                return batch[number + 1 :], None
        return [], line

    async def _wild(self, sent: Sent) -> None:
        """Send bytes that are no whole request, perhaps, over a connection of their own."""
        line = await self._open()
        line[1].write(sent.octets())
        answer = await _answer(line[0], "", _QUIET)
        self._judge(sent, answer)
        while not answer.closes:
            answer = await _answer(line[0], "", _QUIET)
            if answer.status:
                self._judge(sent, answer)
        await _close(line)


async def _close(line: Line) -> None:
    line[1].close()
    with suppress(OSError):
        await line[1].wait_closed()


async def _answer(reader: asyncio.StreamReader, method: str, patience: float = PATIENCE) -> Answer:
    """Return the next answer."""
    try:
        async with asyncio.timeout(patience):
            return await _read(reader, method)
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return MISSED


async def _read(reader: asyncio.StreamReader, method: str) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    status = int(first.split()[1])
    if status < 200 and status != 101:
        return await _read(reader, method)
    headers: dict[str, list[str]] = {}
    for name, _, value in (line.partition(":") for line in lines):
        headers.setdefault(name.lower(), []).append(value.strip())
    return Answer(status, headers, await _body(reader, method, status, headers))


async def _body(reader: asyncio.StreamReader, method: str, status: int, headers: dict[str, list[str]]) -> bytes:
    if method == "HEAD" or status in {101, 204, 304}:
        return b""
    if "chunked" not in headers.get("transfer-encoding", ()):
        return await reader.readexactly(int(headers.get("content-length", ["0"])[0]))
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append((await reader.readexactly(size + 2))[:-2])
    await reader.readexactly(2)
    return b"".join(pieces)
