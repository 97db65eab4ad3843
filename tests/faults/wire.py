"""One client's connection to a gateway, and what comes back over it."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

CUSTOMERS: Final = "/api/v1/customers"
PATIENCE: Final = 20.0
"""Seconds after which a client gives up; far beyond any time that the gateway allows itself."""
_IDLE: Final = 5.0
"""Seconds after which a connection is not used again: the gateway ends those that are idle for long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where the connection ended before anything did. A body that is no JSON is text."""

    status: int
    headers: dict[str, str]
    body: Any
    sent: bool = True
    """Whether anybody listened to the request."""
    why: str = ""
    """What became of the connection, where nothing came back."""

    @property
    def problem(self) -> dict[str, Any]:
        """The problem that either door tells; empty where it tells none."""
        body = self.body if isinstance(self.body, dict) else {}
        if body.get("errors") and "extensions" in body["errors"][0]:
            return dict(body["errors"][0]["extensions"])
        return body if "code" in body and "status" in body else {}


class Connection:
    """A keep-alive connection of one client, made anew when it has ended."""

    def __init__(self, url: str, key: str) -> None:
        address = urlsplit(url)
        self._host, self._port, self._key = str(address.hostname), int(address.port or 80), key
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = 0.0
        self._times = 0

    async def ask(self, method: str, path: str, body: Any = None, leave: float | None = None, **more: str) -> Answer:
        """Send a request and return its answer; with `leave` go away after so many seconds.

        A body of bytes is sent as it is, any other as JSON.
        """
        try:
            async with asyncio.timeout(PATIENCE if leave is None else leave):
                return await self._exchange(method, path, body, more)
        except ConnectionRefusedError:
            return Answer(0, {}, None, sent=False)
        except (OSError, EOFError, TimeoutError) as error:
            why = f"{error!r} on a connection that had been used {self._times} times"
            self.close()
            return Answer(0, {}, None, why=why)

    async def _exchange(self, method: str, path: str, body: Any, more: dict[str, str]) -> Answer:
        if time.monotonic() - self._used > _IDLE or (self._streams is not None and self._streams[0].at_eof()):
            self.close()
        if self._streams is None:
            self._streams, self._times = await asyncio.open_connection(self._host, self._port), 0
        reader, writer = self._streams
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        fixed = {"Host": "gateway", "X-API-Key": self._key, "Content-Length": str(len(content))}
        if body is not None:
            fixed["Content-Type"] = "application/json"
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**fixed, **more}.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        status, *heads = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
        pairs = (line.partition(":") for line in heads)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        number = int(status.split()[1])
        raw = b"" if method == "HEAD" or number in {204, 304} else await _content(reader, headers)
        self._used, self._times = time.monotonic(), self._times + 1
        if headers.get("connection") == "close":
            self.close()
        is_json = "ndjson" not in (kind := headers.get("content-type", "")) and "json" in kind
        return Answer(number, headers, json.loads(raw) if raw and is_json else raw.decode() or None)

    def close(self) -> None:
        """End the connection; the next request makes another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _content(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    """Return a body of a known length, or one that comes in chunks."""
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append((await reader.readexactly(size + 2))[:-2])
    await reader.readuntil(b"\r\n")
    return b"".join(pieces)


def for_graphql(body: dict[str, Any]) -> dict[str, Any]:
    """Return a customer as GraphQL takes it."""

    def upper(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**part, "type": part["type"].upper()} for part in parts]

    return {**body, "addresses": upper(body["addresses"]), "phoneNumbers": upper(body["phoneNumbers"])}
