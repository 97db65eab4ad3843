"""The gateway cut off after each of its layers, as applications: what a request costs in one more is that layer's cost.

`STACK` says which of `LAYERS` is the last one. Behind it every request has the same short answer, made already.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import Final

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.cli.memory import settled
from app.http.answers import Answer
from app.http.edge import Edge
from app.main import create_app
from app.observe.logs import AccessLog
from app.rest.call import Call
from app.rest.routes import Resource

ONE: Final = "/api/v1/customers/{customerId}"
LAYERS: Final = {
    "server": "uvicorn with the gateway's protocol, on uvloop",
    "edge": "request id, limits on the head, headers of every answer",
    "log": "the line in the log",
    "call": "route, credentials, parameters, representation",
    "limits": "the rate limit",
    "whole": "operation, gathered read, JSON",
}


async def ready_made(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once."""
    await _answer()(scope, receive, send)


def _answer() -> Answer:
    return Answer(b'{"status":"ready"}', 200, ((b"content-type", b"application/json"),))


def layered_app() -> ASGIApp:
    """Return the application that ends after the layer named by `STACK`."""
    last = os.environ["STACK"]
    if last in {"server", "edge", "log"}:
        return _outer(last)
    app = create_app()
    app.router.lifespan_context = settled(app.router.lifespan_context)
    if last != "whole":
        _answer_at_once(app)
    return app


def _outer(last: str) -> ASGIApp:
    """Return the layers that need no store; a server wants to hear of a start as well."""
    idle = Starlette()
    app: ASGIApp = ready_made if last == "server" else Edge(ready_made, AccessLog(sys.stderr, enabled=last == "log"))

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        await (idle if scope["type"] == "lifespan" else app)(scope, receive, send)

    return outer


def _answer_at_once(app: Starlette) -> None:
    async def handle(_call: Call) -> Response:
        return _answer()

    for route in app.routes:
        if isinstance(route, Route) and route.path == ONE and isinstance(route.endpoint, Resource):
            endpoints = route.endpoint.endpoints
            endpoints["GET"] = replace(endpoints["GET"], handler=handle)
