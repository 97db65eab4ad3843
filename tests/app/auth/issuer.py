"""A small OpenID-style issuer that really listens, and can misbehave; and tokens of every kind, good and bad."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hmac import digest
from typing import Any

import uvicorn
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.types import Message, Receive, Scope, Send

CONFIGURATION = "/.well-known/openid-configuration"
METADATA = "/.well-known/oauth-authorization-server"
JWKS = "/jwks"
AUDIENCE = "https://gateway.example"
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of these tests: reading the authorities' certificates for each takes longer than most tests."""


def b64(raw: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@cache
def make_key(name: str) -> Key:
    """Return the private key of a kid such as `rsa`, `p256` or `ed25519-new`: the same one each time."""
    kind = name.partition("-")[0]
    parameters: Any = {"kid": name}
    if kind == "rsa":
        return RSAKey.generate_key(2048, parameters)
    if kind in {"p256", "p384", "p521", "secp256k1"}:
        curves: dict[str, Any] = {"p256": "P-256", "p384": "P-384", "p521": "P-521", "secp256k1": "secp256k1"}
        return ECKey.generate_key(curves[kind], parameters)
    if kind == "oct":
        return OctKey.generate_key(256, parameters)
    okp: dict[str, Any] = {"ed25519": "Ed25519", "ed448": "Ed448", "x25519": "X25519"}
    return OKPKey.generate_key(okp[kind], parameters)


def public(key: Key, **more: Any) -> dict[str, Any]:
    """Return the public JWK of a key, with further members."""
    return {**key.as_dict(private=False), **more}


def sign(header: Mapping[str, Any] | bytes, claims: Mapping[str, Any] | bytes, key: Key, algorithm: str) -> str:
    """Return a compact JWS, whatever header and payload say: nothing is checked here."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    signed = ".".join(map(b64, parts))
    return f"{signed}.{b64(JWSRegistry.algorithms[algorithm].sign(signed.encode(), key))}"


def hmac(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes, algorithm: str) -> str:
    """Return a compact JWS made with a shared secret, even one that joserfc would not take."""
    signed = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{b64(digest(secret, signed.encode(), 'sha' + algorithm.removeprefix('HS')))}"


@dataclass(frozen=True)
class Answer:
    """What the issuer says instead of the truth; `chunk` is sent `times` times."""

    status: int = 200
    chunk: bytes = b"{}"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    times: int = 1


class IssuerServer:
    """The issuer: change `published`, `metadata` and `answers` while it runs; `fetches` counts requests by path."""

    def __init__(self) -> None:
        self.fetches: Counter[str] = Counter()
        self.answers: dict[str, Answer] = {}
        self.published: list[dict[str, Any]] = []
        self.arrived = threading.Event()
        self._gate: asyncio.Event | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.metadata: dict[str, Any] = {"issuer": self.url, "jwks_uri": self.url + JWKS}
        self._start()

    def publish(self, *keys: Key) -> None:
        """Let the set be these keys."""
        self.published = [public(key) for key in keys]

    def token(self, kid: str = "ed25519", algorithm: str = "Ed25519", /, **claims: Any) -> str:
        """Return a good token, with claims changed; None takes a claim out."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "user-1", "iat": now, "exp": now + 300}
        kept = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return sign({"alg": algorithm, "typ": "at+jwt", "kid": kid}, kept, make_key(kid), algorithm)

    def hold(self) -> None:
        """Let requests wait from now on, until `release`; `arrived` is set when the first is here."""
        self.arrived.clear()
        self._gate = asyncio.Event()

    def release(self) -> None:
        """Let the waiting requests, and all later ones, pass."""
        gate, self._gate = self._gate, None
        if gate is not None:
            self._loop.call_soon_threadsafe(gate.set)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections within the block; the port stays ours."""
        port = self._listener.getsockname()[1]
        self.close()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._listener.bind(("127.0.0.1", port))
        try:
            yield
        finally:
            self._listener.listen()
            self._start()

    def close(self) -> None:
        """End the server; all its connections close."""
        self.release()
        self._server.should_exit = True
        self._thread.join(timeout=20)
        self._listener.close()

    def _start(self) -> None:
        config = uvicorn.Config(
            self._app, interface="asgi3", lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        self._server = _Server(config)
        started = threading.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            started.set()
            await self._server.serve([self._listener])

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        assert started.wait(10)

    async def _app(self, scope: Scope, _receive: Receive, send: Send) -> None:
        path = scope["path"]
        self.fetches[path] += 1
        self.arrived.set()
        if self._gate is not None:
            await self._gate.wait()
        answer = self.answers.get(path) or self.answers.get("*") or self._truth(path)
        length = (b"content-length", str(len(answer.chunk) * answer.times).encode())
        head: Message = {"type": "http.response.start", "status": answer.status, "headers": [length, *answer.headers]}
        await send(head)
        for left in reversed(range(answer.times)):
            await send({"type": "http.response.body", "body": answer.chunk, "more_body": left > 0})

    def _truth(self, path: str) -> Answer:
        if path == CONFIGURATION:
            return Answer(chunk=json.dumps(self.metadata).encode())
        if path == JWKS:
            return Answer(chunk=json.dumps({"keys": self.published}).encode())
        return Answer(404)


class _Server(uvicorn.Server):
    """uvicorn without signal handlers, so that it runs in a thread."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def issuing(*kids: str) -> Iterator[IssuerServer]:
    """Run an issuer that publishes these keys until the end of the block."""
    server = IssuerServer()
    server.publish(*map(make_key, kids))
    try:
        yield server
    finally:
        server.close()
