"""Between two requests, and after the last one: how a connection rests, and how it ends without losing a request."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app.http.cycle import Cycle
from app.http.edge import ON_SHUTDOWN
from app.http.overload import REFUSED, rest_seconds
from app.http.sweep import Deadlines


def _nothing() -> None:
    """Stand for what nobody wants to know."""


class EndingProtocol(HttpToolsProtocol):
    """uvicorn's protocol, but for what it does with idle connections. `app.http.wire` tells what it relies on."""

    deadlines: ClassVar[Deadlines] = Deadlines()
    cycle: Cycle | None  # type: ignore[assignment]
    scope: dict[str, Any]  # type: ignore[assignment]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._idle = False  # the last answer is out, and nothing has come since
        self._persistent = False  # what the client and HTTP's version say of the connection
        self._retired = False  # the next answer is the last one

    def on_response_complete(self) -> None:
        """Start the next request that waits; where there is none, the sweeper ends the connection that stays idle.

        After a refusal for too much at once the connection rests before it is read on.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle = True
        cycle = self.cycle
        if cycle is not None and REFUSED in cycle.scope:
            self.flow.pause_reading()
            self.loop.call_later(rest_seconds(), self._read_on)

    def _read_on(self) -> None:
        if self._is_quiet() and not self.transport.is_closing():
            self.flow.resume_reading()

    def _is_quiet(self) -> bool:
        """Tell whether no request runs, and not a byte of the next one has come."""
        return "method" in self.scope and (self.cycle is None or self.cycle.response_complete)

    def shutdown(self) -> None:
        """End after the running request, or after the next one where it comes soon.

        A request may be on its way to an idle connection, and would be lost if that was closed now (RFC 9112
        section 9.5): its answer says that the connection ends, and only what stays silent is closed without one.
        """
        self._persistent, self._retired = False, True
        if self._is_quiet():
            self.loop.call_later(self.deadlines.drain, self._retire)
        elif self.cycle is not None and not self.cycle.response_complete:
            cast("dict[str, Any]", self.cycle.scope).get(ON_SHUTDOWN, _nothing)()
            super().shutdown()

    def _retire(self) -> None:
        if self._is_quiet() and not self.transport.is_closing():
            self.transport.close()
