"""Answers of server-sent events: they go on until the client goes, may not read any more, or the gateway stops.

Source: HTML Standard, Server-sent events.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.http.edge import ON_SHUTDOWN
from app.http.heads import heads_of
from app.http.requests import state_of
from app.observe.metrics import StreamKind
from resolvers.context import Caller, Context
from resolvers.problem import Problem

_RANDOM: Final = Random()  # noqa: S311 - it only spreads
EVENT_STREAM: Final = "text/event-stream"
PING_SECONDS: Final = 10.0
_RETRY: Final = (1000, 3000)
"""Milliseconds, from which each stream gets its own: those who are cut off together do not come back together."""
_LAST_SECONDS: Final = 1.0
_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Vary": "Accept",
    "Cache-Control": "private, no-store",
    "X-Accel-Buffering": "no",  # nginx would else keep events until it has a page of them
}


class Feed(Protocol):
    """What an answer sends, as blocks of server-sent events."""

    async def next(self, seconds: float) -> bytes:
        """Return what there is to send, nothing where there is nothing for so many seconds; raises Problem."""
        ...

    @property
    def position(self) -> str:
        """The id after which the stream can go on."""
        ...

    def ping(self, position: str) -> bytes:
        """Return what keeps an idle connection; the reader has missed nothing up to the position."""
        ...

    def reconnect(self, position: str) -> bytes:
        """Return how the reader is told to come again, and where it was."""
        ...

    def last(self, problem: Problem) -> bytes:
        """Return how the problem is told that ends the feed."""
        ...

    def renewed(self) -> None:
        """Learn that the context of the request has another caller, who may be allowed less."""
        ...

    async def aclose(self) -> None:
        """End it."""
        ...


def block(*, event: str, data: bytes, position: str | None = None) -> bytes:
    """Return one event; `data` is on one line."""
    head = f"id: {position}\n" if position else ""
    return f"{head}event: {event}\ndata: ".encode() + data + b"\n\n"


class EventSource(Response):
    """An answer of the events of a feed, for as long as the credentials of its request are good."""

    def __init__(self, request: Request, ctx: Context, feed: Feed, kind: StreamKind) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._kind: StreamKind = kind
        self._request, self._ctx, self._feed = request, ctx, feed
        self._sent = feed.position

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and events until one of the ends comes."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            last = b"" if scope["method"] == "HEAD" else await self._run(scope, receive, send)
            async with asyncio.timeout(_LAST_SECONDS):
                await send({"type": "http.response.body", "body": last})
        except TimeoutError:
            return  # the client does not read; the connection ends it
        finally:
            await self._feed.aclose()

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> bytes:
        """Send events; return what is to be sent last."""
        state = state_of(self._request)
        ended: asyncio.Future[Problem | None] = asyncio.get_running_loop().create_future()
        scope[ON_SHUTDOWN] = lambda: _settle(ended, None)
        with (
            state.standings.kept(heads_of(scope), self._renew, lambda problem: _settle(ended, problem)),
            state.metrics.stream(self._kind),
        ):
            pump, gone = asyncio.create_task(self._pump(send)), asyncio.create_task(_gone(receive))
            try:
                await asyncio.wait((pump, gone, ended), return_when=asyncio.FIRST_COMPLETED)
            finally:
                pump.cancel()
                gone.cancel()
                await asyncio.wait((pump, gone))
        if not pump.cancelled() and (error := pump.exception()) is not None:
            if not isinstance(error, Problem):
                raise error
            return self._last(error)
        if not ended.done():
            return b""
        problem = ended.result()
        return self._feed.reconnect(self._sent) if problem is None else self._last(problem)

    async def _pump(self, send: Send) -> None:
        retry = f"retry: {_RANDOM.randint(*_RETRY)}\n".encode()
        body = retry + self._feed.ping(self._feed.position)
        while True:
            place = self._feed.position
            await send({"type": "http.response.body", "body": body, "more_body": True})
            self._sent = place
            body = await self._feed.next(PING_SECONDS) or self._feed.ping(self._feed.position)

    def _renew(self, caller: Caller) -> None:
        self._ctx.caller = caller
        self._feed.renewed()

    def _last(self, problem: Problem) -> bytes:
        state_of(self._request).metrics.problem(self._request.scope, problem.type)
        return self._feed.last(problem)


def _settle(ended: asyncio.Future[Problem | None], outcome: Problem | None) -> None:
    if not ended.done():
        ended.set_result(outcome)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
