"""The OpenAPI 3.1 document, made from the table of endpoints and the registries."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from app.rest.answers import HEADERS, headers, problem_answers, success_answers
from app.rest.answers import PROBLEMS as PROBLEMS_BY_KIND
from app.rest.call import JSON, JSON_PATCH, MERGE_PATCH
from app.rest.customers import PREFIX
from app.rest.endpoints import ENDPOINTS, Endpoint
from app.rest.examples import CUSTOMER, EXAMPLES
from app.rest.parameters import Parameter
from app.rest.schemas import ref, schemas
from app.version import API_VERSION
from resolvers import problems as p
from storage.schema import customer_schema

Document = dict[str, Any]

_TAGS: Final = {
    "Customers": "Whole customers, each one document.",
    "Addresses": "The addresses of one customer.",
    "Phone numbers": "The phone numbers of one customer.",
    "Notification preferences": "Which channels a customer accepts.",
    "Viewer": "Who the credentials belong to.",
    "GraphQL": "The other door to the same operations.",
    "Gateway": "The gateway itself: health, documents, problems. Public.",
}
_DESCRIPTION: Final = """\
One customer with its addresses and phone numbers is one document, behind two doors: this REST API and
GraphQL at `/graphql`. Both run the same operations; an ETag read at one is good at the other.

Send `Accept: application/json;profile=enveloped` for enveloped answers: `{"customer": {…}}`,
`{"customers": […], "metadata": {…}}`, `{"errors": […]}`.
"""
_PATH_PARAMETERS: Final = {
    "customerId": "The customer's id.",
    "addressId": "The address's id.",
    "phoneNumberId": "The phone number's id.",
}


@lru_cache(maxsize=1)
def openapi() -> Document:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Customer Gateway",
            "version": API_VERSION,
            "summary": "GraphQL and REST over one document.",
            "description": _DESCRIPTION,
            "contact": {"name": "The gateway's operators", "url": "/"},
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this document was read."}],
        "security": [{"apiKey": []}, {"basic": []}],
        "tags": [{"name": name, "description": description} for name, description in _TAGS.items()],
        "paths": _paths(),
        "components": {
            "schemas": schemas(),
            "headers": HEADERS,
            "parameters": _shared_parameters(),
            "securitySchemes": _security(),
        },
    }


def _security() -> Document:
    return {
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
        "basic": {"type": "http", "scheme": "basic", "description": "API key (or client id) and client secret."},
    }


def _paths() -> Document:
    paths: Document = {}
    for endpoint in ENDPOINTS:
        item = paths.setdefault(PREFIX + endpoint.path, _path_item(endpoint.path))
        item[endpoint.method.lower()] = _operation(endpoint)
    alias: Document = {"summary": "The list by its old address."}
    for endpoint in ENDPOINTS[:2]:
        alias[endpoint.method.lower()] = _alias(_operation(endpoint))
    return {**paths, "/customers": alias, **_own_paths()}


def _path_item(path: str) -> Document:
    names = [name for name in _PATH_PARAMETERS if f"{{{name}}}" in path]
    return {"parameters": [{"$ref": f"#/components/parameters/{name}"} for name in names]} if names else {}


def _operation(endpoint: Endpoint) -> Document:
    scope = endpoint.operation.scope
    needs = f"Needs the scope `{scope}`." if scope else "Needs good credentials."
    operation: Document = {
        "operationId": endpoint.id,
        "summary": endpoint.operation.summary,
        "description": f"{needs} In GraphQL: {', '.join(f'`{name}`' for name in endpoint.operation.graphql)}.",
        "tags": [endpoint.tag],
        "parameters": [*map(_query_parameter, endpoint.parameters), *_header_parameters(endpoint)],
        "responses": {**success_answers(endpoint), **problem_answers(PROBLEMS_BY_KIND[endpoint.kind])},
    }
    if endpoint.takes:
        operation["requestBody"] = _request_body(endpoint)
    return operation


def _alias(operation: Document) -> Document:
    name = operation["operationId"] + "Alias"
    return {**operation, "operationId": name, "summary": f"{operation['summary']} (old address)"}


def _query_parameter(parameter: Parameter) -> Document:
    aliases = [name for name in parameter.names if name != parameter.name]
    also = f" Also taken as {', '.join(f'`{name}`' for name in aliases)}." if aliases else ""
    schema: Document = dict(parameter.schema)
    if parameter.repeatable:
        schema = {"type": "array", "items": schema, "maxItems": 100}
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description + also,
        "schema": schema,
        **({"explode": True} if parameter.repeatable else {}),
    }


def _header_parameters(endpoint: Endpoint) -> list[Document]:
    names = {
        "read": ["If-None-Match"],
        "replace": ["If-Match", "Prefer"],
        "patch": ["If-Match", "Prefer"],
        "create": ["Prefer"],
        "delete": ["If-Match"],
    }.get(endpoint.kind, [])
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _shared_parameters() -> Document:
    identifiers = {
        name: {
            "name": name,
            "in": "path",
            "required": True,
            "description": description,
            "schema": {"type": "string", "format": "uuid"},
        }
        for name, description in _PATH_PARAMETERS.items()
    }
    return {
        **identifiers,
        "If-Match": _header("If-Match", 'The ETag of the version that the change was made from, e.g. `"v3-d68825b3"`.'),
        "If-None-Match": _header("If-None-Match", "ETags that the client has; if one is still good: 304."),
        "Prefer": _header("Prefer", "`handling=strict` refuses unknown properties; `return=minimal` answers shortly."),
    }


def _header(name: str, description: str) -> Document:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def _request_body(endpoint: Endpoint) -> Document:
    name = str(endpoint.takes)
    media: Document = {"schema": ref(name), "examples": {"example": {"summary": name, "value": EXAMPLES[name]}}}
    content: Document = {JSON: media}
    if endpoint.kind == "patch":
        content = {MERGE_PATCH: media, JSON: media, JSON_PATCH: _json_patch_media(name)}
    return {"required": True, "content": content}


def _json_patch_media(name: str) -> Document:
    own = name.replace("Patch", "JsonPatch")
    example = EXAMPLES.get(own, EXAMPLES["ListJsonPatch" if name.endswith("Inputs") else "JsonPatch"])
    return {"schema": ref("JsonPatch"), "examples": {"example": {"summary": "JSON Patch", "value": example}}}


def _own_paths() -> Document:
    """Return the public documents and GraphQL, which is no operation of REST."""
    return {
        "/graphql": {"post": _graphql()},
        "/health/live": {"get": _public("getLive", "Tell whether the process works", "Health", {"status": "live"})},
        "/health/ready": {
            "get": _public("getReady", "Tell whether the store answers", "Health", {"status": "ready"}, p.UNAVAILABLE)
        },
        "/openapi.json": {"get": _public("getOpenapiJson", "Get this document", None, {"openapi": "3.1.0"})},
        "/openapi.yaml": {
            "get": _public(
                "getOpenapiYaml", "Get this document as YAML", None, "openapi: 3.1.0", media="application/yaml"
            )
        },
        "/schemas/customer.json": {
            "get": _public(
                "getCustomerSchema",
                "Get the Customer JSON Schema",
                None,
                customer_schema(),
                media="application/schema+json",
            )
        },
        "/problems": {"get": _public("listProblems", "List all problems", None, "<!doctype html>…", media="text/html")},
        "/problems/{slug}": {
            "parameters": [
                {
                    "name": "slug",
                    "in": "path",
                    "required": True,
                    "description": "The last part of a problem's type.",
                    "schema": {"type": "string", "enum": [kind.slug for kind in p.PROBLEM_TYPES]},
                }
            ],
            "get": _public(
                "getProblem", "Describe a problem", None, "<!doctype html>…", p.NOT_FOUND, media="text/html"
            ),
        },
    }


def _public(
    name: str, summary: str, schema: str | None, example: object, *kinds: p.ProblemType, media: str = JSON
) -> Document:
    kind: Document = ref(schema) if schema else {"type": "string" if isinstance(example, str) else "object"}
    content = {media: {"schema": kind, "examples": {"example": {"summary": summary, "value": example}}}}
    return {
        "operationId": name,
        "summary": summary,
        "description": "Public: needs no credentials.",
        "tags": ["Gateway"],
        "security": [],
        "responses": {
            "200": {"description": "Here it is.", "headers": headers(), "content": content},
            **problem_answers((p.URI_TOO_LONG, p.HEADERS_TOO_LARGE, p.METHOD_NOT_ALLOWED, p.INTERNAL_ERROR, *kinds)),
        },
    }


def _graphql() -> Document:
    query = {
        "query": "query One($id: ID!) { customer(id: $id) { firstName etag } }",
        "variables": {"id": CUSTOMER["id"]},
    }
    asked: Document = {
        "type": "object",
        "description": "A GraphQL request (GraphQL over HTTP).",
        "properties": {
            "query": {"type": "string"},
            "variables": {"type": ["object", "null"]},
            "operationName": {"type": ["string", "null"]},
            "extensions": {"type": ["object", "null"]},
        },
        "required": ["query"],
    }
    answered: Document = {"type": "object", "description": "A GraphQL response."}
    example = {"data": {"customer": {"firstName": "Alex", "etag": '"v1-d68825b3"'}}}
    kinds = (p.GRAPHQL_REQUEST, p.GRAPHQL_SYNTAX, p.GRAPHQL_VALIDATION, p.GRAPHQL_LIMIT, p.METHOD_NOT_ALLOWED)
    errors = {
        status: {
            "description": answer["description"],
            "headers": answer["headers"],
            "content": {"application/graphql-response+json": {"schema": answered}, JSON: {"schema": answered}},
        }
        for status, answer in problem_answers(
            (*kinds, p.UNAUTHORIZED, p.NOT_ACCEPTABLE, p.BODY_TOO_LARGE, p.UNSUPPORTED_MEDIA_TYPE, p.UNAVAILABLE)
        ).items()
    }
    media = {"schema": answered, "examples": {"example": {"summary": "A customer", "value": example}}}
    body = {"schema": asked, "examples": {"example": {"summary": "One customer", "value": query}}}
    return {
        "operationId": "postGraphql",
        "summary": "Ask GraphQL",
        "description": "Queries and mutations; the schema is in the playground at the same address.",
        "tags": ["GraphQL"],
        "requestBody": {"required": True, "content": {JSON: body}},
        "responses": {
            "200": {
                "description": "The answer, perhaps with errors of fields.",
                "headers": headers(),
                "content": {"application/graphql-response+json": media, JSON: media},
            },
            **errors,
        },
    }
