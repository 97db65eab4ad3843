"""OpenAPI's view of the gateway itself: health, documents, problems, pages, which are public; and metrics."""

from __future__ import annotations

from typing import Any, Final

from app.rest.answers import headers, problem_answers
from app.rest.call import JSON
from app.rest.shapes import ref
from app.version import API_VERSION
from resolvers import problems as p
from resolvers.context import Scope
from resolvers.problem import ProblemType
from storage.schema import customer_schema

Document = dict[str, Any]

_EVERY: Final = (p.RATE_LIMITED, p.METHOD_NOT_ALLOWED, p.URI_TOO_LONG, p.HEADERS_TOO_LARGE, p.INTERNAL_ERROR)
_HTML: Final = "<!doctype html>…"
_SCHEMA_EXAMPLE: Final = ("$schema", "$id", "title", "type", "required")
"""What an example shows of the Customer JSON Schema: without references, which readers would follow."""


def gateway_paths() -> Document:
    """Return the path items of all that is no operation."""
    return {**_health(), **_metrics(), **_documents(), **_problems(), **_pages()}


def _health() -> Document:
    return {
        "/health/live": {"get": _public("getLive", "Tell whether the process works", {"status": "live"}, "Health")},
        "/health/ready": {
            "get": _public("getReady", "Tell whether the store answers", {"status": "ready"}, "Health", p.UNAVAILABLE)
        },
    }


def _metrics() -> Document:
    example = "# TYPE gateway_workers gauge\ngateway_workers 1.0\n"
    told = {"schema": {"type": "string"}, "examples": {"example": {"summary": "One of them", "value": example}}}
    kinds = (*_EVERY, p.UNAUTHORIZED, p.FORBIDDEN, p.QUOTA_EXHAUSTED, p.NOT_ACCEPTABLE, p.UNAVAILABLE)
    get = {
        "operationId": "getMetrics",
        "summary": "Get the metrics of all workers, as Prometheus reads them",
        "description": "Needs the scope `customers:admin`, or the token of the setting `GATEWAY_METRICS_TOKEN`.",
        "tags": ["Gateway"],
        "security": [{"apiKey": []}, {"basic": []}, {"bearer": []}, {"oauth2": [Scope.ADMIN.value]}],
        "responses": {
            "200": {
                "description": "Here they are.",
                "headers": headers("Vary"),
                "content": {"text/plain": told, "application/openmetrics-text": told},
            },
            **problem_answers(kinds, "/metrics"),
        },
    }
    return {"/metrics": {"get": get}}


def _documents() -> Document:
    openapi = {"openapi": "3.1.0", "info": {"title": "Customer Gateway", "version": API_VERSION}, "paths": {}}
    schema = {name: value for name, value in customer_schema().items() if name in _SCHEMA_EXAMPLE}
    return {
        "/openapi.json": {"get": _public("getOpenapiJson", "Get this document", openapi)},
        "/openapi.yaml": {
            "get": _public("getOpenapiYaml", "Get this document as YAML", openapi, media="application/yaml")
        },
        "/schemas/customer.json": {
            "get": _public("getCustomerSchema", "Get the Customer JSON Schema", schema, media="application/schema+json")
        },
    }


def _problems() -> Document:
    slug = {
        "name": "slug",
        "in": "path",
        "required": True,
        "description": "The last part of a problem's type.",
        "schema": {"type": "string", "enum": [kind.slug for kind in p.PROBLEM_TYPES]},
    }
    return {
        "/problems": {"get": _page("listProblems", "List all problems", "Gateway")},
        "/problems/{slug}": {
            "parameters": [slug],
            "get": _page("getProblem", "Describe a problem", "Gateway", p.NOT_FOUND),
        },
    }


def _pages() -> Document:
    path = {
        "name": "path",
        "in": "path",
        "required": True,
        "description": "The name of the file.",
        "schema": {"type": "string", "maxLength": 200},
        "example": "gateway.css",
    }
    asset = _public("getAsset", "Get a file of the pages", "", None, p.NOT_FOUND, media="*/*", tag="Pages")
    return {
        "/": {"get": _page("getHome", "Show the page that leads to the others", "Pages", p.NOT_FOUND)},
        "/docs": {"get": _page("getDocs", "Show this documentation, to read and to try", "Pages", p.NOT_FOUND)},
        "/assets/{path}": {"parameters": [path], "get": asset},
        **_guide(path),
    }


def _guide(path: Document) -> Document:
    entrance = _page("getGuide", "Lead to the documentation's first page", "Pages", p.NOT_FOUND)
    found = headers("Location", "Cache-Control")
    entrance["responses"] = {
        "308": {"description": "The first page is there.", "headers": found},
        **problem_answers((*_EVERY, p.NOT_FOUND), "/"),
    }
    page = _public("getGuidePage", "Get a part of the documentation", "", None, p.NOT_FOUND, media="*/*", tag="Pages")
    page["responses"]["304"] = {"description": "It is what the client has.", "headers": headers("ETag")}
    return {
        "/guide": {"get": entrance},
        "/guide/{path}": {"parameters": [path | {"example": "index.html"}], "get": page},
    }


def _page(name: str, summary: str, tag: str, *kinds: ProblemType) -> Document:
    return _public(name, summary, _HTML, None, *kinds, media="text/html", tag=tag)


def _public(
    name: str,
    summary: str,
    example: object,
    schema: str | None = None,
    *kinds: ProblemType,
    media: str = JSON,
    tag: str = "Gateway",
) -> Document:
    """Return a public operation, with an answer that looks like `example`."""
    kind: Document = ref(schema) if schema else {"type": "string" if isinstance(example, str) else "object"}
    content = {media: {"schema": kind, "examples": {"example": {"summary": summary, "value": example}}}}
    return {
        "operationId": name,
        "summary": summary,
        "description": "Public: needs no credentials.",
        "tags": [tag],
        "security": [],
        "responses": {
            "200": {"description": "Here it is.", "headers": headers(), "content": content},
            **problem_answers((*_EVERY, *kinds), "/"),
        },
    }
