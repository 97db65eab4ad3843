"""Is it alive, is it ready: for load balancers and people."""

from __future__ import annotations

import asyncio
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.http.problems import problem_response
from app.http.requests import state_of
from resolvers.operation import unavailable
from storage.deadlines import wire_deadline
from storage.errors import Unavailable

READY_SECONDS: Final = 1.0
"""How long the store may take to answer before the gateway calls itself not ready."""


def _answer(status: str) -> Response:
    return Response(
        orjson.dumps({"status": status}), headers={"Cache-Control": "no-store"}, media_type="application/json"
    )


async def live(request: Request) -> Response:
    """GET /health/live: the process works, whatever the store does."""
    request.scope["route_template"] = "/health/live"
    return _answer("live")


async def ready(request: Request) -> Response:
    """GET /health/ready: the store's primary answers within `READY_SECONDS`; else 503."""
    request.scope["route_template"] = "/health/ready"
    try:
        with state_of(request).metrics.aside():
            async with asyncio.timeout(READY_SECONDS):
                with wire_deadline(READY_SECONDS):
                    await state_of(request).store.ping()
    except (Unavailable, TimeoutError):
        return problem_response(request, unavailable("none"), {"Cache-Control": "no-store"})
    return _answer("ready")
