"""Traces (OpenTelemetry): a span for each request, and below it one for each command to the store.

This module is imported only where `GATEWAY_OTEL_ENDPOINT` is set. Spans have names, counts and statuses, never a value
of a customer, an id, a query or a key. Source: W3C Trace Context; OpenTelemetry's conventions for HTTP and databases.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.heads import heads_of
from app.observe.logs import SERVICE, TRACE_ID, JsonFormatter
from app.observe.metrics import GRAPHQL_OPERATION, METHODS
from app.version import product_version
from storage.timing import StoreTime, current

_PATH: Final = "/v1/traces"
_EXPORT_SECONDS: Final = 5.0
_DELAY_MILLISECONDS: Final = 1000
_END_SECONDS: Final = 3.0
"""How long the last spans may take to leave at the end."""
_QUIET_SECONDS: Final = 60.0
_MOST_LINKS: Final = 32
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class Traces:
    """The way of spans out of this process: by a thread of its own, a bounded queue, and never back."""

    def __init__(self, endpoint: str) -> None:
        _log_seldom()
        own = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": SERVICE}
        resource = Resource.create({**own, "service.version": product_version()})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint.rstrip("/") + _PATH, timeout=_EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_DELAY_MILLISECONDS))
        self.tracer: Tracer = self._provider.get_tracer(SERVICE, product_version())

    async def close(self) -> None:
        """Send what is left, for `_END_SECONDS` at most."""
        ending = threading.Thread(target=self._provider.shutdown, name="traces-end", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _END_SECONDS)
        logging.getLogger("opentelemetry").handlers = [logging.NullHandler()]

    # The store's commands, as `storage.commands.Watch` has it.

    def begun(self, command: str, collection: str, asked_by: Collection[StoreTime]) -> Span | None:
        """Begin the span of a command: below the first request that waits for it, with links to the others."""
        spans = [one.span for one in asked_by if isinstance(one.span, Span)]
        if not spans:
            return None  # nobody's request: a look at the store's health, or what the gateway does for itself
        attributes = {"db.system.name": "mongodb", "db.operation.name": command, "db.collection.name": collection}
        links = [Link(one.get_span_context()) for one in spans[1:_MOST_LINKS]]
        parent = set_span_in_context(spans[0], Context())
        name = f"{command} {collection}".strip()
        return self.tracer.start_span(name, parent, SpanKind.CLIENT, attributes, links)

    def ended(self, begun: Span, *, failed: bool) -> None:
        """End the span of a command."""
        if failed:
            begun.set_status(Status(StatusCode.ERROR))
        begun.end()


@dataclass(frozen=True, slots=True)
class Traced:
    """ASGI middleware: a span around each request that is looked at; one that is refused by its head has none."""

    app: ASGIApp
    tracer: Tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, within its span."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        span = self._begun(scope)
        status = 0

        def noted(message: Message) -> object:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        try:
            await self.app(scope, receive, noted)  # type: ignore[arg-type]  # it gives what `send` gives
        except Exception:
            status = status or 500  # the edge's answer
            raise
        finally:
            _end(span, scope, status)

    def _begun(self, scope: Scope) -> Span:
        head = heads_of(scope)
        carrier = {"traceparent": head.text(b"traceparent")}
        span = self.tracer.start_span("HTTP", _PROPAGATOR.extract(carrier, Context()), SpanKind.SERVER)
        scope[TRACE_ID] = f"{span.get_span_context().trace_id:032x}"
        spent = current()
        if spent is not None:
            spent.span = span
        return span


def _end(span: Span, scope: Scope, status: int) -> None:
    method = scope["method"] if scope["method"] in METHODS else "_OTHER"
    route = scope.get("route_template")
    span.update_name(f"{method} {route}" if route else method)
    span.set_attribute("http.request.method", method)
    span.set_attribute("url.scheme", scope["scheme"])
    if route:
        span.set_attribute("http.route", route)
    if status:
        span.set_attribute("http.response.status_code", status)
    if (operation := scope.get(GRAPHQL_OPERATION)) is not None:
        span.set_attribute("graphql.operation.type", operation.partition(".")[0].lower())
    if status == 0 or status >= 500:
        span.set_status(Status(StatusCode.ERROR))
    span.end()


class _Seldom(logging.Filter):
    """Lets a message of one place through once in `_QUIET_SECONDS`: a collector that is away is no flood."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to write a record."""
        place, now = (record.pathname, record.lineno), time.monotonic()
        if now - self._told.get(place, -_QUIET_SECONDS) < _QUIET_SECONDS:
            return False
        self._told[place] = now
        return True


def _log_seldom() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(_Seldom())
    logger = logging.getLogger("opentelemetry")
    logger.handlers, logger.propagate = [handler], False
