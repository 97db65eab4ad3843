"""The documents that describe REST: OpenAPI in JSON and YAML, and the Customer JSON Schema."""

from __future__ import annotations

from functools import lru_cache

import orjson
import yaml
from starlette.requests import Request
from starlette.responses import Response

from app.rest.openapi import openapi
from storage.schema import customer_schema

_BRIEF = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}


async def openapi_json(request: Request) -> Response:
    """GET /openapi.json."""
    request.scope["route_template"] = "/openapi.json"
    return Response(_json(), headers=_BRIEF, media_type="application/json")


async def openapi_yaml(request: Request) -> Response:
    """GET /openapi.yaml."""
    request.scope["route_template"] = "/openapi.yaml"
    return Response(_yaml(), headers=_BRIEF, media_type="application/yaml")


async def schema_document(request: Request) -> Response:
    """GET /schemas/customer.json: the Customer JSON Schema."""
    request.scope["route_template"] = "/schemas/customer.json"
    return Response(orjson.dumps(customer_schema()), headers=_BRIEF, media_type="application/schema+json")


@lru_cache(maxsize=1)
def _json() -> bytes:
    return orjson.dumps(openapi())


@lru_cache(maxsize=1)
def _yaml() -> bytes:
    text: str = yaml.dump(orjson.loads(_json()), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text.encode()


class _Dumper(yaml.SafeDumper):
    """Without anchors, which not every reader of OpenAPI follows."""

    def ignore_aliases(self, _data: object) -> bool:
        """Write everything out."""
        return True
