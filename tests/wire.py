"""Requests written byte by byte, for what no HTTP client would send."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class RawAnswer:
    """One answer as it came: `closed` tells whether the server ended the connection after it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    closed: bool

    def every(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key == name]

    def json(self) -> dict[str, Any]:
        """Return the body as JSON."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


def exchange(url: str, sent: bytes, *, seconds: float = 5) -> list[RawAnswer]:
    """Send bytes, and return all answers until the server closes or falls silent for `seconds`."""
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=seconds) as wire:
        wire.sendall(sent)
        received, closed = _until_end(wire)
    return _answers(received, closed=closed)


def _until_end(wire: socket.socket) -> tuple[bytes, bool]:
    received = b""
    try:
        while chunk := wire.recv(65536):
            received += chunk
    except TimeoutError:
        return received, False
    except ConnectionError:
        pass
    return received, True


def _answers(received: bytes, *, closed: bool) -> list[RawAnswer]:
    answers = []
    while received.startswith(b"HTTP/"):
        head, _, rest = received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        length = int(dict(headers).get("content-length", "0") if int(status.split()[1]) not in {204, 304} else 0)
        answers.append(RawAnswer(int(status.split()[1]), headers, rest[:length], closed))
        received = rest[length:]
    return answers


def head(method: str, target: str, key: str, *lines: str) -> bytes:
    """Return the head of a request that asks the server to close, with more header lines."""
    fixed = (f"{method} {target} HTTP/1.1", "Host: gateway", f"X-API-Key: {key}", "Connection: close")
    return "\r\n".join([*fixed, *lines, "", ""]).encode("latin-1")
