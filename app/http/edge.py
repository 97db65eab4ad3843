"""The outermost middleware: request id, limits on the head, common headers, the access line, last errors."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from random import Random
from typing import Final

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from app.http.deprecation import DEPRECATED, deprecation_headers
from app.http.heads import Heads, head_bytes, heads_of
from app.http.overload import UNBOUNDED, overloaded
from app.http.problems import problem_response
from app.http.requests import REQUEST_ID
from app.limits.headers import limit_headers
from app.observe.logs import AccessLog
from app.observe.metrics import Metrics
from app.settings import MOST_IN_FLIGHT
from app.version import API_VERSION
from resolvers.problem import Problem
from resolvers.problems import HEADERS_TOO_LARGE, INTERNAL_ERROR, MALFORMED_REQUEST, URI_TOO_LONG
from storage.timing import StoreTime, measure

MAX_URI: Final = 2000
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 16 * 1024
REFUSAL: Final = "refusal"
"""Where a scope holds the Problem for which the connection refuses the request, from then on."""
ON_SHUTDOWN: Final = "on_shutdown"
"""Where a scope holds what is to be called, once, when the gateway stops while its answer is under way."""
_CLIENT_GONE: Final = 499
"""The status in the log of a request whose client went away before it was whole, as nginx has it."""
_SWITCHED: Final = 101
_REFUSED: Final = 403
"""The statuses in the log of a WebSocket, and of an upgrade that leads nowhere."""
_RANDOM: Final = Random()  # noqa: S311 - ids of requests are no secret
_REQUEST_IDS: Final = (b"x-request-id", b"request-id")
_MAX_AGE = re.compile(rb"max-age=([0-9]{1,9})")
_HOST = re.compile(rb"(?:\[[0-9A-Za-z:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?")
"""What a Host header may hold (RFC 9110 section 7.2), near enough."""
_CACHE_CONTROL: Final = b"private, no-cache"
_FIXED: Final = (
    (b"api-version", API_VERSION.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
Header = tuple[bytes, bytes]
Wrap = Callable[[ASGIApp], ASGIApp]
_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_SECURE: Final = (b"strict-transport-security", b"max-age=31536000")


@dataclass(frozen=True, slots=True)
class Edge:
    """Pure ASGI middleware; what happens inside always ends in an answer of ours."""

    app: ASGIApp
    log: AccessLog
    metrics: Metrics = field(default_factory=Metrics)
    most: int = MOST_IN_FLIGHT
    """How many requests may be worked on at once."""
    readable: Wrap | None = None
    """Lets pages of listed origins read what is refused here, where any are listed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and complete its answer."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        heads = heads_of(scope)
        scope["request_id"] = _request_id(scope, heads)
        metrics = self.metrics
        metrics.in_flight += 1
        kind = _Exchange
        if scope["type"] == "websocket":
            kind = _Socket
            scope.update(method="GET", scheme="https" if scope["scheme"] == "wss" else "http")
        exchange = kind(scope, receive, send, time.perf_counter(), measure(), metrics)
        try:
            if metrics.in_flight - metrics.idle > self.most and scope["path"] not in UNBOUNDED:
                problem: Problem | None = overloaded(scope, metrics)
            else:
                problem = scope[REFUSAL] if REFUSAL in scope else _head_problem(scope, heads)
            if problem is not None:
                await exchange.refuse(problem, self.readable)
            else:
                await self.app(scope, exchange.receive_message, exchange.send_message)
        except ClientDisconnect:
            exchange.status = _CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - the last border: logged, and never shown
            self.log.failure(scope, error)
            if exchange.status == 0:
                internal = Problem(INTERNAL_ERROR, "Something went wrong in the gateway.")
                await exchange.refuse(internal, self.readable)
        finally:
            seconds = time.perf_counter() - exchange.began
            metrics.request(scope, exchange.status, seconds, exchange.store, exchange.sent)
            self.log.request(scope, exchange.status, seconds)


@dataclass(slots=True)
class _Exchange:
    """The answer on its way out; `status` is 0 until it has begun, `sent` are bytes of its body."""

    scope: Scope
    receive: Receive
    send: Send
    began: float
    store: StoreTime
    metrics: Metrics
    status: int = 0
    sent: int = 0

    async def refuse(self, problem: Problem, readable: Wrap | None = None) -> None:
        """Answer with a problem."""
        answer: ASGIApp = problem_response(HTTPConnection(self.scope), problem)
        await (readable(answer) if readable else answer)(self.scope, self.receive, self.send_message)

    async def receive_message(self) -> Message:
        """Receive a message; a request that waits for one is no work meanwhile.

        Raises:
            Problem: what the connection found wrong with the body meanwhile.
        """
        self.metrics.idle += 1
        try:
            message = await self.receive()
        finally:
            self.metrics.idle -= 1
        if self.status == 0 and (problem := self.scope.get(REFUSAL)) is not None:
            raise problem
        return message

    def send_message(self, message: Message) -> Awaitable[None]:
        """Send a message on, the first one with our headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._completed(message.get("headers", ()))
        else:
            self.sent += len(message.get("body", b""))
        return self.send(message)

    def _completed(self, given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        headers = list(given)
        names = dict(headers)
        cache_control = names.get(b"cache-control")
        if cache_control is None:
            cache_control = _CACHE_CONTROL
            headers.append((b"cache-control", cache_control))
        if b"content-security-policy" not in names:
            headers.append(_POLICY)
        request_id = self.scope["request_id"].encode()
        headers += _FIXED
        headers += (
            (b"x-request-id", request_id),
            (b"request-id", request_id),
            *_dates(cache_control, int(time.time())),
            (b"server-timing", self._timing()),
        )
        headers += limit_headers(self.scope.get("budgets", ()))
        if DEPRECATED in self.scope:
            headers += deprecation_headers(self.scope[DEPRECATED])
        if self.scope["scheme"] == "https":
            headers.append(_SECURE)
        return headers

    def _timing(self) -> bytes:
        """Return Server-Timing: the wait for the store and the whole, in milliseconds, up to the answer's head."""
        total = (time.perf_counter() - self.began) * 1000
        store = self.store
        return b'store;dur=%.2f;desc="%d calls", total;dur=%.2f' % (store.seconds * 1000, store.calls, total)


class _Socket(_Exchange):
    """A WebSocket from its upgrade to its end; until it is accepted it can be refused by an answer of HTTP."""

    async def refuse(self, problem: Problem, readable: Wrap | None = None) -> None:  # noqa: ARG002 - no page reads it
        """Answer the upgrade with a problem."""
        socket = WebSocket(self.scope, self.receive, self.send_message)
        await socket.send_denial_response(problem_response(socket, problem))

    def send_message(self, message: Message) -> Awaitable[None]:
        """Send a message on, the first one of an answer of HTTP with our headers."""
        kind = message["type"]
        if kind == "websocket.accept":
            self.status = _SWITCHED
            message["headers"] = [*message.get("headers", ()), _date(int(time.time()))]
        elif kind == "websocket.http.response.start":
            self.status = message["status"]
            message["headers"] = self._completed(message.get("headers", ()))
        elif kind == "websocket.close" and self.status == 0:
            self.status = _REFUSED
        return self.send(message)


@lru_cache(maxsize=64)
def _dates(cache_control: bytes, now: int) -> tuple[Header, Header]:
    """Return Date, and Expires in step with it and with Cache-Control: the same, or as far ahead as max-age says."""
    found = _MAX_AGE.search(cache_control)
    return _date(now), (b"expires", _moment(now + (int(found[1]) if found else 0)))


def _date(now: int) -> Header:
    """Return Date (RFC 9110 section 6.6.1): the server's own would be told by another clock than Expires."""
    return b"date", _moment(now)


def _moment(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


def _request_id(scope: Scope, heads: Heads) -> str:
    """Return the first good id of the client's own, or a new one."""
    for wanted in _REQUEST_IDS:
        if wanted in heads:
            for name, value in scope["headers"]:
                if name == wanted and REQUEST_ID.fullmatch(value):
                    return str(value.decode())
    digits = f"{_RANDOM.getrandbits(124):031x}"  # of a UUID (version 4); to be told apart is all it is for
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[19:]}"


def _head_problem(scope: Scope, heads: Heads) -> Problem | None:
    headers = scope["headers"]
    if len(headers) > MAX_HEADERS or head_bytes(headers) > MAX_HEADER_BYTES:
        return Problem(HEADERS_TOO_LARGE, f"At most {MAX_HEADERS} headers and {MAX_HEADER_BYTES} bytes of them.")
    if (b"host" not in heads or heads.repeated) and scope.get("http_version") == "1.1" and _hosts(headers) != 1:
        return Problem(MALFORMED_REQUEST, "A request of HTTP/1.1 has exactly one Host header.")  # RFC 9112 section 3.2
    if not _HOST.fullmatch(heads.get(b"host", b"")):
        return Problem(MALFORMED_REQUEST, "The Host header names no host.")  # RFC 9112 section 3.2
    query = scope["query_string"]
    if len(scope["raw_path"]) + len(query) + bool(query) > MAX_URI:
        return Problem(URI_TOO_LONG, f"A URI may have at most {MAX_URI} characters.")
    return None


def _hosts(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(name == b"host" for name, _ in headers)
