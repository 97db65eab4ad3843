"""The application, put together: routes, middleware and lifespan as visible lists."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypedDict

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app import health, pages
from app.auth.cache import BoundedCache
from app.auth.credentials import Authenticator
from app.graphql import GraphQLDoor
from app.http.edge import Edge
from app.http.problems import problem_response
from app.observe.logs import LEVELS, AccessLog, configure
from app.rest.documents import openapi_json, openapi_yaml, schema_document
from app.rest.routes import rest_routes
from app.settings import Settings
from app.state import State
from resolvers.context import Services, utc_now
from resolvers.cursors import CursorCipher
from resolvers.problems import METHOD_NOT_ALLOWED, NOT_FOUND, Problem
from schema.build import SchemaOptions, build_schema
from schema.limits import DocumentLimits
from storage.errors import StoreError, wire_deadline
from storage.store import Store, StoreOptions, open_store

_START_SECONDS = 30.0
_INDEXING_SECONDS = 1800.0
"""How long a start waits for the store, and for the indexes of a large store that has none."""
_NO_STORE = "The store does not answer. Is MongoDB running as a replica set, and GATEWAY_MONGODB_URL right?"
_REMEMBERED_KEYS = 10_000
_CORS_REQUEST = (
    "Authorization X-API-Key Content-Type If-Match If-None-Match Prefer Idempotency-Key X-Request-Id Request-Id".split()
)
_CORS_ANSWER = (
    "ETag Location Link Next-Cursor X-Request-Id API-Version Retry-After RateLimit RateLimit-Policy Dry-Run "
    "Preference-Applied Allow Accept-Patch WWW-Authenticate".split()
)

Lifespan = Callable[[Starlette], AbstractAsyncContextManager["LifespanState"]]


class LifespanState(TypedDict):
    """What the lifespan gives to every request."""

    gateway: State


def create_app(settings: Settings | None = None) -> Starlette:
    """Return the gateway; `settings` default to the environment. `GATEWAY_MONGODB_URL` must be set."""
    chosen = settings or Settings()
    configure(chosen.log_level)
    log = AccessLog(sys.stderr, enabled=LEVELS[chosen.log_level] <= LEVELS["info"])
    app = Starlette(
        routes=_routes(),
        middleware=_middleware(chosen, log),
        exception_handlers={HTTPException: _http_exception},
        lifespan=_lifespan(chosen, log),
    )
    app.router.redirect_slashes = False  # an address with a slash too many is another address: 404
    return app


def _routes() -> list[BaseRoute]:
    return [
        Route("/", pages.home),
        Route("/graphql", GraphQLDoor()),
        *rest_routes(),
        Route("/docs", pages.docs),
        Route("/openapi.json", openapi_json),
        Route("/openapi.yaml", openapi_yaml),
        Route("/schemas/customer.json", schema_document),
        Route("/problems", pages.problem_index),
        Route("/problems/{slug}", pages.problem_page),
        Route("/assets/{path:path}", pages.asset),
        Route("/health/live", health.live),
        Route("/health/ready", health.ready),
    ]


def _middleware(settings: Settings, log: AccessLog) -> list[Middleware]:
    outer = [Middleware(Edge, log=log)]
    if settings.cors_origins:
        outer.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=_CORS_REQUEST,
                expose_headers=_CORS_ANSWER,
                max_age=600,
            )
        )
    return outer


def _lifespan(settings: Settings, log: AccessLog) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[LifespanState]:
        async with open_store(_store_options(settings)) as store:
            try:
                state = await _state(settings, store, log)
            except StoreError:
                structlog.get_logger().error(_NO_STORE)
                raise
            yield {"gateway": state}

    return lifespan


def _store_options(settings: Settings) -> StoreOptions:
    if settings.mongodb_url is None:
        raise RuntimeError("GATEWAY_MONGODB_URL is not set; `gateway serve` starts an embedded MongoDB.")
    return StoreOptions(
        settings.mongodb_url, settings.mongodb_database, settings.mongodb_driver, settings.request_timeout
    )


async def _state(settings: Settings, store: Store, log: AccessLog) -> State:
    with wire_deadline(_START_SECONDS):
        await store.ping()
        cipher = CursorCipher(await store.secret("cursors"))
    with wire_deadline(_INDEXING_SECONDS):
        await store.ensure_indexes()
    services = Services(store, cipher, utc_now, settings.us_address_rules, settings.request_timeout)
    limits = DocumentLimits(tokens=settings.graphql_max_tokens, depth=settings.graphql_max_depth)
    schema = build_schema(SchemaOptions(limits, introspection=settings.introspection))
    authenticator = Authenticator(store.keys, utc_now, BoundedCache(maxsize=_REMEMBERED_KEYS))
    return State(settings, store, services, authenticator, schema, limits, log)


async def _http_exception(request: Request, error: Exception) -> Response:
    """Give the framework's own refusals our form."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    if status == 405:
        return problem_response(request, Problem(METHOD_NOT_ALLOWED, "This method does not work here."), headers)
    return problem_response(request, Problem(NOT_FOUND, "There is nothing at this address.", resource="routes"))
