"""Bytes that are nearly HTTP/1.1: heads with too much, too little, or two meanings."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.fuzz import mutations

_GOOD: Final = b'{"firstName":"A"}'
_LINES: Final = (
    b"GET /api/v1/customers?size=1 HTTP/1.1", b"POST /api/v1/customers HTTP/1.1", b"POST /graphql HTTP/1.1",
    b"GET http://127.0.0.1/api/v1/viewer HTTP/1.1", b"OPTIONS * HTTP/1.1", b"CONNECT a:1 HTTP/1.1",
    b"GET a://b HTTP/1.1",
    b"GET / HTTP/0.9", b"GET / HTTP/2.0", b"GET /", b"get / HTTP/1.1", b"GET  / HTTP/1.1", b"GET / http/1.1",
    b"GET /\xff HTTP/1.1", b"GET /a b HTTP/1.1", b"PROPFIND / HTTP/1.1", b"A" * 9000 + b" / HTTP/1.1",
    b"GET /" + b"a" * 9000 + b" HTTP/1.1", b"GET /#f HTTP/1.1", b"GET ? HTTP/1.1", b"PRI * HTTP/2.0", b"",
)  # fmt: skip
_HEADERS: Final = (
    b"Content-Length: 5", b"Content-Length: 17\r\nContent-Length: 17", b"Content-Length: 1\r\nContent-Length: 17",
    b"Content-Length: -1", b"Content-Length: +17", b"Content-Length: 0x11", b"Content-Length: 17, 17",
    b"Content-Length: 99999999999999999999", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 17", b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunked, x",
    b"Transfer-Encoding : chunked", b"Host: other", b"Host: a b", b"Host:", b"Host: \xff", b"X\xff: 1", b"X: a\x00b",
    b"X: a\rb", b"X: a\nb", b" folded: 1", b"X : 1", b": 1", b"X", b"X: " + b"a" * 20_000,
    b"\r\n".join([b"X: 1"] * 120),
    b"Expect: 100-continue", b"Expect: x", b"Connection: upgrade\r\nUpgrade: h2c", b"Upgrade: websocket",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x",
    b"Connection: close, keep-alive", b"Connection: Content-Length", b"TE: trailers", b"Trailer: Content-Length",
)  # fmt: skip
_BODIES: Final = (
    _GOOD, b"", b"11\r\n" + _GOOD + b"\r\n0\r\n\r\n", b"zz\r\n", b"-1\r\n", b"11;" + b"a" * 20_000 + b"\r\n" + _GOOD,
    b"0\r\nX: 1\r\n\r\n", b"ffffffffffffffff1\r\n", b"11\n" + _GOOD + b"\n0\n\n", b"1\r\n{\r\n" * 50, b"0\r\n",
)  # fmt: skip


def wild(random: Random, key: str) -> bytes:
    """Return what a client may send by mistake or on purpose, and behind it a good request that asks to close."""
    if random.random() < 0.05:
        return random.randbytes(random.choice((1, 20, 3000))) + b"\r\n\r\n"
    lines = [random.choice(_LINES), b"Host: 127.0.0.1", b"X-API-Key: " + key.encode()]
    lines += random.sample(_HEADERS, random.choice((0, 1, 1, 2, 3)))
    ending = random.choice((b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"))
    head = random.choice((b"", b"", b"", b"\r\n", b"\x16\x03\x01", b" ")) + ending.join([*lines, b"", b""])
    if random.random() < 0.5:
        head = mutations.octets(random, head)
    last = b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    return head + random.choice(_BODIES) + random.choice((b"", last))
