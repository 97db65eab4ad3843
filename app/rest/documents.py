"""The documents that describe REST: OpenAPI in JSON and YAML, and the Customer JSON Schema."""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.files import takes
from app.http.requests import state_of
from resolvers.deprecation import Deprecations
from storage.schema import customer_schema

_BRIEF: Final = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}


async def openapi_json(request: Request) -> Response:
    """GET /openapi.json."""
    request.scope["route_template"] = "/openapi.json"
    return _document(request, "application/json")


async def openapi_yaml(request: Request) -> Response:
    """GET /openapi.yaml."""
    request.scope["route_template"] = "/openapi.yaml"
    return _document(request, "application/yaml")


async def schema_document(request: Request) -> Response:
    """GET /schemas/customer.json: the Customer JSON Schema."""
    request.scope["route_template"] = "/schemas/customer.json"
    return Response(orjson.dumps(customer_schema()), headers=_BRIEF, media_type="application/schema+json")


def _document(request: Request, media_type: str) -> Response:
    """Return OpenAPI as this gateway has it, compressed where the client takes that: it is thirty times as small."""
    state = state_of(request)
    packed = takes(request.headers.get("accept-encoding", ""), "gzip")
    text = _text(media_type, state.settings.public_url, state.deprecations, packed=packed)
    headers = {**_BRIEF, "Vary": "Accept-Encoding", **({"Content-Encoding": "gzip"} if packed else {})}
    return Response(text, headers=headers, media_type=media_type)


@lru_cache(maxsize=8)
def _text(media_type: str, public_url: str | None, deprecations: Deprecations, *, packed: bool) -> bytes:
    """Return the document; what describes and writes it takes megabytes, and comes in when somebody asks for it."""
    if packed:
        return gzip.compress(_text(media_type, public_url, deprecations, packed=False), mtime=0)
    if media_type == "application/json":
        from app.rest.openapi import openapi

        return orjson.dumps(openapi(public_url, deprecations))
    from app.rest.yaml_text import yaml_text

    return yaml_text(orjson.loads(_text("application/json", public_url, deprecations, packed=False)))
