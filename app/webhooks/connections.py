"""Connections to what a name means now, and only where that is allowed: looked up once, checked, and connected to.

Between the look and the connection nobody is asked again, so a name cannot mean one thing here and another there
(DNS rebinding). TLS is still checked against the name. The first delivery imports this, and an HTTP client with it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import httpcore2

from app.webhooks.failures import Failed, Refused
from resolvers.webhook_rules import LookUp
from resolvers.webhook_targets import is_address, is_public

_MAX_ANSWER: Final = 64 * 1024
"""How much of an answer's body is read, for the connection to be used again; nothing of it is kept."""
_KEPT_CONNECTIONS: Final = 64
_KEPT_SECONDS: Final = 10.0


class Head(NamedTuple):
    """What an endpoint answered: its status and headers."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses alone; one private address among a name's is enough to refuse it."""

    look_up: LookUp
    allow_private: bool = False
    inner: httpcore2.AsyncNetworkBackend = field(default_factory=httpcore2.AnyIOBackend)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore calls it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers; raises `Refused` and what httpcore raises."""
        failure: Exception = httpcore2.ConnectError("no address")
        for address in await self._checked(host):
            try:
                return await self.inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore2.ConnectError as error:
                failure = error
        raise failure

    async def _checked(self, host: str) -> Sequence[str]:
        addresses = [host] if is_address(host) else await self.look_up(host)
        if not self.allow_private and not all(map(is_public, addresses)):
            raise Refused
        return addresses

    async def connect_unix_socket(self, *_args: Any, **_options: Any) -> httpcore2.AsyncNetworkStream:
        """Refuse; raises `Refused`."""
        raise Refused

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Connections:
    """Connections that are kept for a while. To be closed; `tls` stands in place of the machine's certificates."""

    def __init__(self, look_up: LookUp, *, allow_private: bool, tls: ssl.SSLContext | None) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=None,  # bounded by who sends; a bound here would let dead endpoints keep out the others
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=PinnedBackend(look_up, allow_private),
        )

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Head:
        """Send one request and return the head of its answer; raises `Refused`, `Failed` and TimeoutError."""
        sent = [(name.encode(), value.encode()) for name, value in headers]
        fixed = [(b"host", _authority(url)), (b"content-length", str(len(body)).encode()), (b"accept", b"*/*")]
        try:
            async with self._pool.stream("POST", url, headers=[*fixed, *sent], content=body) as response:
                read = 0
                async for chunk in response.aiter_stream():
                    read += len(chunk)
                    if read > _MAX_ANSWER:
                        break
                return Head(response.status, response.headers)
        except TimeoutError:
            raise
        except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, OSError) as error:
            raise Failed(_named(error)) from error

    async def close(self) -> None:
        """Close all."""
        await self._pool.aclose()


def _authority(url: str) -> bytes:
    return url.split("/", 3)[2].partition("?")[0].lower().encode()


def _named(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate not good: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "TLS failed"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore2.ConnectError):
        return "connection refused or not possible"
    if isinstance(error, httpcore2.ProtocolError):
        return "answer is not HTTP, or broke off"
    return "name not found" if isinstance(error, OSError) else "connection lost"
