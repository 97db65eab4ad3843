"""Bodies that are too large cost no memory: they are refused before they are read in full."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.commands import serving
from tests.harness import make_key

MEBIBYTE = 1024 * 1024
LIMIT = 16 * MEBIBYTE
"""That of a batch, the largest body that is read as a whole."""
SENT = 128 * MEBIBYTE
PIECE = b"x" * 65536
TIMES = 4


def pieces(*, chunked: bool) -> Iterator[bytes]:
    """Give a body of 128 MiB, in chunks or as it is."""
    one = b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if chunked else PIECE
    yield from (one for _ in range(SENT // len(PIECE)))


def send(url: str, key: str, *, chunked: bool) -> bytes:
    """Send a batch that is too large for as long as the gateway takes it; return the answer."""
    address = urlsplit(url)
    size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {SENT}"
    head = [
        "POST /api/v1/customers:batch HTTP/1.1",
        "Host: a",
        f"X-API-Key: {key}",
        "Content-Type: application/json",
        size,
    ]
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=20) as wire:
        wire.sendall("\r\n".join([*head, "", ""]).encode())
        with suppress(OSError):
            for piece in pieces(chunked=chunked):
                wire.sendall(piece)
        return wire.recv(65536)


def peak(pid: int) -> int:
    """Return the most memory that a process has held since it was last forgotten, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.mark.slow
@pytest.mark.parametrize("chunked", [False, True])
def test_c011_a_body_far_over_the_limit_costs_less_than_twice_the_limit(
    mongod_url: str, database: str, tmp_path: Path, chunked: bool
) -> None:
    key = make_key(mongod_url, database)
    with serving(tmp_path, mongodb_url=mongod_url, mongodb_database=database) as server:
        send(server.url, key, chunked=chunked)
        Path(f"/proc/{server.process.pid}/clear_refs").write_text("5", encoding="ascii")
        before = peak(server.process.pid)
        for _ in range(TIMES):
            answer = send(server.url, key, chunked=chunked)
            assert answer.startswith(b"HTTP/1.1 413 ")
        assert peak(server.process.pid) - before < 2 * LIMIT
