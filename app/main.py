"""The application, put together: routes and middleware as visible lists."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from app import health, pages
from app.auth.oauth import oauth_routes
from app.graphql.door import GraphQLDoor
from app.graphql.socket import GraphQLSocket
from app.guide import FOLDER, Guide
from app.http.admission import public
from app.http.cors import CrossOrigin
from app.http.doors import GatewayApplication
from app.http.edge import Edge
from app.http.problems import problem_response
from app.lifespan import lifespan_of
from app.observe.audit import AuditLog
from app.observe.exposition import PATH, metrics_page
from app.observe.logs import LEVELS, AccessLog, configure
from app.observe.metrics import Metrics
from app.rest.documents import openapi_json, openapi_yaml, schema_document
from app.rest.routes import rest_routes
from app.settings import Settings
from resolvers.deprecation import DEPRECATIONS, Deprecations
from resolvers.problem import Problem
from resolvers.problems import METHOD_NOT_ALLOWED, NOT_FOUND

if TYPE_CHECKING:  # it imports OpenTelemetry, which is there only where traces are wanted
    from app.observe.traces import Traces

_CORS_REQUEST = (
    "Authorization X-API-Key Content-Type If-Match If-None-Match Prefer Idempotency-Key Last-Event-ID X-Request-Id "
    "Request-Id".split()
)
_CORS_ANSWER = (
    "ETag Location Link Next-Cursor X-Request-Id API-Version Retry-After RateLimit RateLimit-Policy Dry-Run "
    "Preference-Applied Idempotent-Replayed Allow Accept-Patch WWW-Authenticate Deprecation Sunset".split()
)


def create_app(
    settings: Settings | None = None, deprecations: Deprecations = DEPRECATIONS, guide: Path = FOLDER
) -> Starlette:
    """Return the gateway; `settings` default to the environment. `GATEWAY_MONGODB_URL` must be set.

    `guide` is the folder of the built documentation.
    """
    chosen = settings or Settings()
    configure(chosen.log_level)
    log = AccessLog(sys.stderr, enabled=LEVELS[chosen.log_level] <= LEVELS["info"])
    metrics = Metrics()
    traces = _traces(chosen)
    app = GatewayApplication(
        routes=_routes(deprecations, Guide(guide)),
        middleware=_middleware(chosen, log, metrics, traces),
        exception_handlers={HTTPException: _http_exception},
        lifespan=lifespan_of(chosen, AuditLog(log, chosen.audit_log), traces, log, metrics, deprecations),
    )
    app.router.redirect_slashes = False  # an address with a slash too many is another address: 404
    app.router.default = _nothing_here
    return app


def _routes(deprecations: Deprecations, guide: Guide) -> list[BaseRoute]:
    return [
        Route("/", public(pages.home)),
        Route("/graphql", GraphQLDoor()),
        WebSocketRoute("/graphql", GraphQLSocket()),
        *rest_routes(deprecations=deprecations),
        *oauth_routes(),
        Route("/docs", public(pages.docs)),
        Route("/guide", public(guide.entrance)),
        Route("/guide/{path:path}", guide.file),
        Route("/openapi.json", public(openapi_json)),
        Route("/openapi.yaml", public(openapi_yaml)),
        Route("/schemas/customer.json", public(schema_document)),
        Route("/problems", public(pages.problem_index)),
        Route("/problems/{slug}", public(pages.problem_page)),
        Route("/assets/{path:path}", pages.asset),
        Route("/health/live", health.live),
        Route("/health/ready", health.ready),
        Route(PATH, metrics_page),
    ]


def _traces(settings: Settings) -> Traces | None:
    if settings.otel_endpoint is None:
        return None
    from app.observe.traces import Traces

    return Traces(settings.otel_endpoint)


def _middleware(settings: Settings, log: AccessLog, metrics: Metrics, traces: Traces | None) -> list[Middleware]:
    shared = _cross_origin(settings)
    readable = partial(CrossOrigin, **shared) if shared else None
    outer = [Middleware(Edge, log=log, metrics=metrics, most=settings.max_in_flight, readable=readable)]
    if traces is not None:
        from app.observe.traces import Traced

        outer.append(Middleware(Traced, tracer=traces.tracer))
    if shared:
        outer.append(Middleware(CrossOrigin, **shared))
    return outer


def _cross_origin(settings: Settings) -> dict[str, Any]:
    """Return what pages of listed origins may send and read; nothing where none are listed."""
    if not settings.cors_origins:
        return {}
    return {
        "allow_origins": settings.cors_origins,
        "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": _CORS_REQUEST,
        "expose_headers": _CORS_ANSWER,
        "max_age": 600,
    }


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what no route takes; the framework would refuse a WebSocket without a word."""
    if scope["type"] == "http":
        raise HTTPException(404)
    socket = WebSocket(scope, receive, send)
    problem = Problem(NOT_FOUND, "WebSockets are spoken at /graphql alone.", resource="routes")
    await socket.send_denial_response(problem_response(socket, problem))


async def _http_exception(request: Request, error: Exception) -> Response:
    """Give the framework's own refusals our form."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    if status == 405:
        return problem_response(request, Problem(METHOD_NOT_ALLOWED, "This method does not work here."), headers)
    return problem_response(request, Problem(NOT_FOUND, "There is nothing at this address.", resource="routes"))
