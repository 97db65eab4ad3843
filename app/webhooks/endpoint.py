"""One request to one endpoint: never redirected, never long, and every end of it has a name."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

import httpcore2

from app.webhooks.addresses import PinnedBackend, Refused
from resolvers.webhook_rules import LookUp
from resolvers.webhook_targets import BadTarget, target_of

TIMEOUT_SECONDS: Final = 15.0
"""How long one try may take, looking up and connecting included (Standard Webhooks: 15 to 30 seconds)."""
_MAX_ANSWER: Final = 64 * 1024
"""How much of an answer's body is read, for the connection to be used again; nothing of it is kept."""
_KEPT_CONNECTIONS: Final = 64
_KEPT_SECONDS: Final = 10.0
_LONGEST_WAIT: Final = 24 * 3600.0


class Answer(NamedTuple):
    """What came of a try: a status, or what went wrong; `retry_after` are the seconds that the endpoint asks for."""

    status: int | None
    error: str | None
    seconds: float
    retry_after: float | None = None

    @property
    def good(self) -> bool:
        """Whether the endpoint has taken it: only 2xx says so."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Sends to endpoints, over connections that it keeps for a while."""

    pool: httpcore2.AsyncConnectionPool
    allow_private: bool
    timeout: float = TIMEOUT_SECONDS

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        """Send one request and return what came of it; raises nothing of its own."""
        began = time.monotonic()
        try:
            target_of(url, allow_private=self.allow_private)
            async with asyncio.timeout(self.timeout):
                status, wait = await self._send(url, headers, body)
        except TimeoutError:
            return Answer(None, f"no answer within {self.timeout:g} s", time.monotonic() - began)
        except (Refused, BadTarget):
            return Answer(None, "address refused: private network", time.monotonic() - began)
        except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, OSError) as error:
            return Answer(None, _named(error), time.monotonic() - began)
        return Answer(status, None, time.monotonic() - began, wait)

    async def _send(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> tuple[int, float | None]:
        sent = [(name.encode(), value.encode()) for name, value in headers]
        fixed = [(b"host", _authority(url)), (b"content-length", str(len(body)).encode()), (b"accept", b"*/*")]
        async with self.pool.stream("POST", url, headers=[*fixed, *sent], content=body) as response:
            read = 0
            async for chunk in response.aiter_stream():
                read += len(chunk)
                if read > _MAX_ANSWER:
                    break
            return response.status, retry_after(response.headers, datetime.now(UTC))


def _authority(url: str) -> bytes:
    return url.split("/", 3)[2].partition("?")[0].lower().encode()


def retry_after(headers: Sequence[tuple[bytes, bytes]], now: datetime) -> float | None:
    """Return the seconds that Retry-After asks to wait (RFC 9110 section 10.2.3), a day at most; None without one."""
    found = next((value for name, value in headers if name.lower() == b"retry-after"), b"").decode("latin-1").strip()
    if found.isascii() and found.isdigit():
        return min(float(found[:9]), _LONGEST_WAIT)
    try:
        seconds = (parsedate_to_datetime(found) - now).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def _named(error: BaseException) -> str:
    """Return what went wrong in a few words, without anything that the other side has said."""
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


@asynccontextmanager
async def open_endpoints(
    look_up: LookUp,
    *,
    allow_private: bool,
    tls: ssl.SSLContext | None = None,
    timeout: float = TIMEOUT_SECONDS,  # noqa: ASYNC109 - of each try
) -> AsyncIterator[Endpoints]:
    """Give what sends, until the end of the block; `tls` stands in place of the machine's certificates."""
    pool = httpcore2.AsyncConnectionPool(
        ssl_context=tls,
        max_connections=None,  # bounded by who sends; a bound here would let dead endpoints keep out the others
        max_keepalive_connections=_KEPT_CONNECTIONS,
        keepalive_expiry=_KEPT_SECONDS,
        network_backend=PinnedBackend(look_up, allow_private),
    )
    async with pool:
        yield Endpoints(pool, allow_private, timeout)
