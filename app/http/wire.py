"""The connection: slow, large and malformed clients, before there is a request and after there is an answer.

uvicorn reads heads of any size for any time, answers what it cannot read in plain text, and waits for ever for
clients that do not read. `GatewayProtocol` is its protocol with these gaps closed. What it refuses becomes a
request with `scope["refusal"]`, which waits its turn and is answered and logged by `app.http.edge` like any other.

What of uvicorn it relies on, beyond ASGI (`tests/app/http/test_wire.py` compares):
- `on_message_begin` makes a new `scope`, without `method`;
- the latest head's `cycle` has `more_body` until its message is complete, and `keep_alive`, which is read when
  the answer begins (to say `Connection: close`) and when it ends (to call `transport.close()`);
- pipelined cycles wait in `pipeline`, the latest at its left, with reading paused;
- nothing but `on_response_complete` sets a timer for idle connections.

Source: RFC 9112 (2.2, 3, 5.1, 6.3, 9.3.2, 9.6), RFC 9110 (7.8, 10.1.1, 15.5.6, 15.5.9, 15.5.15), RFC 6585 section 5.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, Final, cast

import httptools
import structlog
from uvicorn._types import HTTPScope
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.http.body import SLOWEST, WHOLE
from app.http.cycle import TRAILERS, Cycle
from app.http.edge import MAX_HEADER_BYTES, MAX_URI, REFUSAL
from app.http.ending import EndingProtocol
from app.http.handshake import handshake_problem
from app.http.malformed import malformed, unknown_method
from app.http.outlet import Outlet
from app.http.requests import decoded
from app.http.sweep import Sweeper, Wait, Watched
from resolvers.problem import Problem
from resolvers.problems import HEADERS_TOO_LARGE, MALFORMED_REQUEST, REQUEST_TIMEOUT, URI_TOO_LONG

MAX_HEAD: Final = MAX_URI + MAX_HEADER_BYTES + 64
"""Bytes of a head, of which no more is held: what the edge takes, with the rest of the request line."""
MAX_PIPELINED: Final = 1000
"""How many requests may wait for the answers of earlier ones on one connection, about."""
_FRAMING: Final = 9
"""How many bytes of framing each byte of a chunked body pays for: chunks of one byte have five of them."""
_VERSIONS: Final = {"1.0", "1.1"}
_FIRST_BYTE: Final = object()
_READER: Final = object()
_CLOSE: Final = object()
_NO_HEAD: Final = {"method": ""}
"""The scope before the first byte of a head."""
_NO_METHOD: Final = "-"
"""What the log has for a method that could not be read, or is none that HTTP knows."""
_SWEEPERS: Final = weakref.WeakKeyDictionary[ServerState, Sweeper]()


class GatewayProtocol(EndingProtocol, Watched):
    """uvicorn's protocol with limits on heads, deadlines on both directions, and problems for malformed requests."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.scope = _NO_HEAD
        self._deaf = False  # nothing that comes is read any more
        self._counted: object = None  # the scope whose head `_head` counts
        self._head = 0
        self._framing = 0
        self._wait = Wait()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; uvicorn writes and closes through our outlet."""
        super().connection_made(transport)
        self.transport = self._outlet = Outlet(transport, self._is_read)
        sweeper = _SWEEPERS.get(self.server_state)
        if sweeper is None:
            sweeper = _SWEEPERS[self.server_state] = Sweeper(self.loop, self.connections, self.deadlines.sweep)
        sweeper.start()

    def data_received(self, data: bytes) -> None:
        """Read on, in slices that bound what the parser can make of one."""
        self._idle = False
        if len(data) <= MAX_HEAD:
            if not self._deaf:
                self._feed(data)
            return
        for start in range(0, len(data), MAX_HEAD + 1):
            if len(self.pipeline) > MAX_PIPELINED:
                self._refuse(Problem(MALFORMED_REQUEST, f"At most {MAX_PIPELINED} requests may wait for answers."))
            if self._deaf:
                return
            self._feed(data[start : start + MAX_HEAD + 1])

    def _feed(self, data: bytes) -> None:
        before = self.cycle
        inside = before is not None and before.more_body
        if inside:
            self._framing += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._upgrade()
        except httptools.HttpParserError as error:
            self._refuse_unreadable(error, data, first=self.cycle is before and not inside)
        else:
            if inside and self._framing > MAX_HEADER_BYTES:
                self._refuse(Problem(HEADERS_TOO_LARGE, "The body's chunk extensions or trailers are too large."))
            elif "method" not in self.scope:
                self._count_head(0 if inside or self.cycle is not before else len(data), len(data))

    def _count_head(self, first: int, more: int) -> None:
        """Count a head's bytes; where a slice began with another message, they are counted from the next one on."""
        self._head = self._head + more if self._counted is self.scope else first
        self._counted = self.scope
        if self._head > MAX_HEAD:
            if len(self.url) > MAX_URI:
                self._refuse(Problem(URI_TOO_LONG, f"A URI may have at most {MAX_URI} characters."))
            else:
                self._refuse(Problem(HEADERS_TOO_LARGE, f"A head may have at most {MAX_HEAD} bytes."))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; the parser leaves the blanks behind its value, which are no part of it."""
        name, value = name.lower(), value.rstrip(b" \t")
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Start the request; until its body is here, its answer says that the connection will be closed."""
        scope, parser = self.scope, self.parser
        scope["method"] = parser.get_method().decode("ascii")
        version = parser.get_http_version()
        if version != "1.1":
            scope["http_version"] = version
        if parser.should_upgrade() and self._should_upgrade():  # to WebSocket: uvicorn's own from here
            return
        url = httptools.parse_url(self.url)
        raw_path = url.path or b"/"  # the whole address may stand there, and have none (RFC 9112 section 3.2.2)
        scope["path"] = decoded(raw_path.decode("ascii"))
        scope["raw_path"], scope["query_string"] = raw_path, url.query or b""
        self._persistent = version != "1.0" and not self._retired and parser.should_keep_alive()
        self._framing = 0
        self.headers = TRAILERS
        self._begin(self._cycle(expect_100_continue=self.expect_100_continue))
        if version not in _VERSIONS:
            self._refuse(Problem(MALFORMED_REQUEST, "The gateway speaks HTTP/1.1 and HTTP/1.0."))

    def _cycle(self, *, expect_100_continue: bool = False) -> Cycle:
        return Cycle(
            scope=cast("HTTPScope", self.scope),
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=expect_100_continue,
            keep_alive=False,
            on_response=self.on_response_complete,
        )

    def _begin(self, cycle: Cycle) -> None:
        """Start a request, or let it wait for the answers of those before it."""
        former, self.cycle = self.cycle, cycle
        if former is None or former.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._framing = max(0, self._framing - _FRAMING * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Keep the connection, where the client wants that, unless the answer has said otherwise."""
        super().on_message_complete()
        cycle = self.cycle
        if cycle is None or cycle.more_body:
            return
        cast("dict[str, Any]", cycle.scope)[WHOLE] = True
        if not cycle.response_started and not self._deaf:
            cycle.keep_alive = self._persistent

    def _upgrade(self) -> None:
        """Hand a WebSocket over; answer any other upgrade as plain HTTP and close.

        The parser takes what follows for another protocol, so a body cannot be told from the next request.
        """
        if self._should_upgrade():
            problem = handshake_problem(self.parser.get_method(), self.url, self.scope["headers"])
            if problem is not None:
                self._refuse(problem)
                return
            self.transport = self._outlet.inner
            self.handle_websocket_upgrade()
            return
        sent = dict(self.scope["headers"])
        if sent.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in sent:
            self._refuse(Problem(MALFORMED_REQUEST, "A request with a body cannot ask for this upgrade."))
        self._deaf = True
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def _refuse_unreadable(self, error: httptools.HttpParserError, data: bytes, *, first: bool) -> None:
        """Refuse what the parser cannot read; a method that it does not know is the application's to refuse."""
        path = unknown_method(error, data) if first else None
        if path is not None:
            self._answer(None, _NO_METHOD, path)
        else:
            self._refuse(malformed(error))

    def _refuse(self, problem: Problem) -> None:
        """Read no more, and answer with a problem what was being read: a head, or a request whose body follows."""
        cycle = self.cycle
        if cycle is None or cycle.scope is not self.scope:
            method = self.parser.get_method().decode() if self.url else _NO_METHOD
            whole = self.headers and self.url.startswith(b"/")
            self._answer(problem, method, self.url.partition(b"?")[0] if whole else b"/")
            return
        self._deaf = True
        cycle.keep_alive = False
        cast("dict[str, Any]", cycle.scope)[REFUSAL] = problem
        cycle.message_event.set()

    def _answer(self, problem: Problem | None, method: str, raw_path: bytes) -> None:
        """Make a request of what is none, without anything else that the client sent, behind all before it."""
        self._deaf = True
        self.on_message_begin()
        path = decoded(raw_path.decode("latin-1"))
        self.scope |= {"method": method, "raw_path": raw_path, "path": path, "query_string": b""}
        self.scope[REFUSAL] = problem
        self._begin(self._cycle())

    def _is_read(self) -> bool:
        """Tell whether all that the client sends was read; once asked for the end, whatever comes is thrown away."""
        if not self._deaf and (self.cycle is None or not self.cycle.more_body):
            return True
        self._deaf = True
        self.flow.resume_reading()
        return False

    def check(self, now: float) -> None:
        """End the connection where the client has let it wait for too long; the sweeper asks."""
        reason = _READER if self._outlet.inner.get_write_buffer_size() else self._waits_for()
        wait = self._wait
        if reason is not wait.reason or reason is None:
            wait.begin(reason, now, self._outlet.left() if reason is _READER else 0)
        elif now - wait.since >= self._patience(reason):
            self._end_wait(reason, now)

    def _patience(self, reason: object) -> float:
        if reason is _READER:
            return self.deadlines.reader
        if isinstance(reason, Cycle):
            return float(self.timeout_keep_alive)
        return self.deadlines.linger if reason is _CLOSE else self.deadlines.head

    def _end_wait(self, reason: object, now: float) -> None:
        if reason is _READER:
            self._check_reader(now)
        elif reason is _CLOSE:
            self._outlet.inner.abort()
        elif reason is _FIRST_BYTE or isinstance(reason, Cycle):
            self._outlet.inner.close()
        else:
            self._refuse(Problem(REQUEST_TIMEOUT, f"The head was not here after {self.deadlines.head:g} s."))

    def _waits_for(self) -> object:
        """Return what must come from the client now: an end, a first byte, the rest of this head; or nothing.

        For the request after an answer that cycle stands, so that each answer begins anew how long that may take: a
        sweep may find the connection idle each time, however often it was used between.
        """
        if self._outlet.lingering:
            return _CLOSE
        if "method" not in self.scope:
            return None if self._deaf or self.flow.read_paused else self.scope
        cycle = self.cycle
        if self._idle:
            return cycle
        return _FIRST_BYTE if cycle is None or cycle.response_complete else None

    def _check_reader(self, now: float) -> None:
        left = self._outlet.left()
        if left - self._wait.left >= SLOWEST * (now - self._wait.since):
            self._wait.begin(_READER, now, left)
            return
        structlog.get_logger().info("A client that did not read its answer was cut off")
        self._outlet.reset()
