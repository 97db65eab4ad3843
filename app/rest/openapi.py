"""The OpenAPI 3.1 document, made from the table of endpoints and the registries.

What it says is held against the running gateway by `tests/contract`.
"""

from __future__ import annotations

from typing import Any

from app.rest.answers import HEADERS
from app.rest.customers import PREFIX
from app.rest.endpoints import ENDPOINTS, Endpoint
from app.rest.introduction import INTRODUCTION, TAGS
from app.rest.openapi_deprecation import mark_deprecations
from app.rest.openapi_gateway import gateway_paths
from app.rest.openapi_graphql import graphql_path
from app.rest.openapi_oauth import oauth_paths, oauth_schemas, oauth_security
from app.rest.openapi_operations import PATH_PARAMETERS, alias_operation, rest_operation, shared_parameters
from app.rest.openapi_webhooks import webhook_items
from app.rest.routes import ALIAS
from app.rest.schemas import schemas
from app.version import API_VERSION
from resolvers.deprecation import DEPRECATIONS, Deprecations

Document = dict[str, Any]


def openapi(public_url: str | None = None, deprecations: Deprecations = DEPRECATIONS) -> Document:
    """Return the document; `public_url` is where clients reach the gateway, if that is set."""
    document = _document(public_url)
    mark_deprecations(document, deprecations)
    return document


def _document(public_url: str | None) -> Document:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Customer Gateway",
            "version": API_VERSION,
            "summary": "GraphQL and REST over one document.",
            "description": INTRODUCTION,
            "contact": {"name": "The gateway's operators"},
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": _servers(public_url),
        "security": [{"apiKey": []}, {"basic": []}, {"bearer": []}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": _paths(),
        "webhooks": webhook_items(),
        "components": {
            "schemas": {**schemas(), **oauth_schemas()},
            "headers": {**HEADERS},
            "parameters": shared_parameters(),
            "securitySchemes": _security(),
        },
    }


def _servers(public_url: str | None) -> list[Document]:
    """Return where the gateway is: the setting first, for readers who have this document from elsewhere."""
    here: Document = {"url": "/", "description": "Where this document was read, in production or on a local machine."}
    public: Document = {"url": public_url, "description": "Where clients reach the gateway, in production."}
    return [{**server, "x-internal": False} for server in ([public, here] if public_url else [here])]


def _security() -> Document:
    return {
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "An API key, `cgw_…`: `gateway keys create --name NAME --scope customers:read` makes one. "
            "Under `make run` the page has one already.",
        },
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "The API key, or its client id, as the user name; its client secret as the password.",
        },
        **oauth_security(),
    }


def _secured(endpoint: Endpoint) -> Document:
    """Return which credentials an endpoint takes, with the scope that tokens need."""
    scopes = [str(endpoint.operation.scope)] if endpoint.operation.scope else []
    return {"security": [{"apiKey": []}, {"basic": []}, {"bearer": []}, {"oauth2": scopes}]}


def _paths() -> Document:
    paths: Document = {}
    for endpoint in ENDPOINTS:
        item = paths.setdefault(PREFIX + endpoint.path, _path_item(endpoint.path))
        item[endpoint.method.lower()] = {**rest_operation(endpoint), **_secured(endpoint)}
    alias: Document = {"summary": "The customers by their old address."}
    for endpoint in ENDPOINTS:
        if endpoint.path == ALIAS and endpoint.method in {"GET", "POST"}:
            alias[endpoint.method.lower()] = {**alias_operation(endpoint), **_secured(endpoint)}
    return {**paths, ALIAS: alias, "/graphql": graphql_path(), **oauth_paths(), **gateway_paths()}


def _path_item(path: str) -> Document:
    names = [name for name in PATH_PARAMETERS if f"{{{name}}}" in path]
    return {"parameters": [{"$ref": f"#/components/parameters/{name}"} for name in names]} if names else {}
