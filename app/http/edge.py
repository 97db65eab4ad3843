"""The outermost middleware: request id, limits on the head, common headers, the access line, last errors."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Final

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.problems import problem_response
from app.limits.headers import limit_headers
from app.observe.logs import AccessLog
from app.observe.metrics import Metrics
from app.version import API_VERSION
from resolvers.problems import HEADERS_TOO_LARGE, INTERNAL_ERROR, MALFORMED_REQUEST, URI_TOO_LONG, Problem
from storage.timing import StoreTime, measured

MAX_URI: Final = 2000
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 16 * 1024
REFUSAL: Final = "refusal"
"""Where a scope holds the Problem for which the connection refuses the request, from then on."""
_CLIENT_GONE: Final = 499
"""The status in the log of a request whose client went away before it was whole, as nginx has it."""
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_MAX_AGE = re.compile(rb"max-age=([0-9]{1,9})")
_FIXED: Final = (
    (b"api-version", API_VERSION.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_DEFAULTS: Final = {
    b"cache-control": b"private, no-cache",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """Pure ASGI middleware; what happens inside always ends in an answer of ours."""

    app: ASGIApp
    log: AccessLog
    metrics: Metrics = field(default_factory=Metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and complete its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["request_id"] = _request_id(scope)
        self.metrics.in_flight += 1
        with measured() as store:
            exchange = _Exchange(scope, receive, send, time.perf_counter(), store)
            try:
                await self._inside(scope, exchange)
            finally:
                seconds = time.perf_counter() - exchange.began
                self.metrics.request(scope, exchange.status, seconds, store, exchange.sent)
                self.log.request(scope, exchange.status, seconds)

    async def _inside(self, scope: Scope, exchange: _Exchange) -> None:
        try:
            problem = scope[REFUSAL] if REFUSAL in scope else _head_problem(scope)
            if problem is not None:
                await exchange.refuse(problem)
            else:
                await self.app(scope, exchange.receive_message, exchange.send_message)
        except ClientDisconnect:
            exchange.status = _CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - the last border: logged, and never shown
            self.log.failure(scope, error)
            if exchange.status == 0:
                await exchange.refuse(Problem(INTERNAL_ERROR, "Something went wrong in the gateway."))


@dataclass(slots=True)
class _Exchange:
    """The answer on its way out; `status` is 0 until it has begun, `sent` are bytes of its body."""

    scope: Scope
    receive: Receive
    send: Send
    began: float
    store: StoreTime
    status: int = 0
    sent: int = 0

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem."""
        await problem_response(HTTPConnection(self.scope), problem)(self.scope, self.receive, self.send_message)

    async def receive_message(self) -> Message:
        """Receive a message.

        Raises:
            Problem: what the connection found wrong with the body meanwhile.
        """
        message = await self.receive()
        if self.status == 0 and (problem := self.scope.get(REFUSAL)) is not None:
            raise problem
        return message

    async def send_message(self, message: Message) -> None:
        """Send a message on, the first one with our headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            _complete(message, self.scope, self._timing())
        else:
            self.sent += len(message.get("body", b""))
        await self.send(message)

    def _timing(self) -> bytes:
        """Return Server-Timing: the wait for the store and the whole, in milliseconds, up to the answer's head."""
        total = (time.perf_counter() - self.began) * 1000
        store = f'store;dur={self.store.seconds * 1000:.2f};desc="{self.store.calls} calls"'
        return f"{store}, total;dur={total:.2f}".encode()


def _complete(message: MutableMapping[str, Any], scope: Scope, timing: bytes) -> None:
    headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    headers += [(name, value) for name, value in _DEFAULTS.items() if name not in present]
    request_id = scope["request_id"].encode()
    headers += [*_FIXED, (b"x-request-id", request_id), (b"request-id", request_id)]
    cache_control = next(value for name, value in headers if name.lower() == b"cache-control")
    headers.append((b"expires", _expires(cache_control, int(time.time()))))
    headers.append((b"server-timing", timing))
    limits = limit_headers(scope.get("budgets", ()))
    headers += [(name.lower().encode(), value.encode()) for name, value in limits.items()]
    if scope["scheme"] == "https":
        headers.append((b"strict-transport-security", b"max-age=31536000"))
    message["headers"] = headers


@lru_cache(maxsize=64)
def _expires(cache_control: bytes, now: int) -> bytes:
    """Return Expires in step with Cache-Control: now, or as far ahead as max-age says."""
    found = _MAX_AGE.search(cache_control)
    return formatdate(now + (int(found[1]) if found else 0), usegmt=True).encode()


def _request_id(scope: Scope) -> str:
    for wanted in (b"x-request-id", b"request-id"):
        for name, value in scope["headers"]:
            if name == wanted and _REQUEST_ID.fullmatch(value):
                return str(value.decode())
    return str(uuid.uuid4())


def _head_problem(scope: Scope) -> Problem | None:
    headers = scope["headers"]
    size = hosts = 0
    for name, value in headers:
        size += len(name) + len(value) + 4
        hosts += name == b"host"
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        return Problem(HEADERS_TOO_LARGE, f"At most {MAX_HEADERS} headers and {MAX_HEADER_BYTES} bytes of them.")
    if hosts != 1 and scope.get("http_version") == "1.1":  # RFC 9112 section 3.2
        return Problem(MALFORMED_REQUEST, "A request of HTTP/1.1 has exactly one Host header.")
    query = scope["query_string"]
    if len(scope["raw_path"]) + len(query) + bool(query) > MAX_URI:
        return Problem(URI_TOO_LONG, f"A URI may have at most {MAX_URI} characters.")
    return None
