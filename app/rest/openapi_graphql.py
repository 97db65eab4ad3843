"""OpenAPI's view of the GraphQL door: one address, two methods."""

from __future__ import annotations

from typing import Any, Final

from app.http.edge import MAX_HEADER_BYTES
from app.rest.answers import headers, problem_answers, problem_headers
from app.rest.call import JSON
from app.rest.examples import CUSTOMER, graphql_error_example
from app.rest.shapes import ref
from resolvers import problems as p
from resolvers.problem import ProblemType

Document = dict[str, Any]

_RESPONSE: Final = "application/graphql-response+json"
_QUERY: Final = "query One($id: ID!) { customer(id: $id) { firstName etag } }"
_ANSWER: Final = {"data": {"customer": {"firstName": CUSTOMER["firstName"], "etag": '"v1-d68825b3"'}}}
_REFUSED: Final = (
    *(kind for kind in p.PROBLEM_TYPES if 1001 <= kind.code <= 1009),
    p.GRAPHQL_REQUEST,
    p.GRAPHQL_SYNTAX,
    p.GRAPHQL_VALIDATION,
    *sorted(p.GRAPHQL_LIMITS, key=lambda kind: kind.code),
    p.PERSISTED_QUERY_NOT_FOUND,
    p.DOCUMENT_NOT_TRUSTED,
    p.ANSWER_TOO_LARGE,
    p.UNAUTHORIZED,
    p.RATE_LIMITED,
    p.QUOTA_EXHAUSTED,
    p.NOT_ACCEPTABLE,
    p.METHOD_NOT_ALLOWED,
    p.UNAVAILABLE,
)
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The key of a single mutation, in place of its `idempotencyKey`; with queries it means nothing.",
    "schema": {"type": "string", "maxLength": MAX_HEADER_BYTES},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
_AT_THE_EDGE: Final = (p.URI_TOO_LONG, p.HEADERS_TOO_LARGE, p.INTERNAL_ERROR)
"""Told before or after the door, so in the form of REST."""


def graphql_path() -> Document:
    """Return the path item of /graphql."""
    return {"get": _get(), "post": _post()}


def _post() -> Document:
    value = {"query": _QUERY, "variables": {"id": CUSTOMER["id"]}}
    media = {"schema": ref("GraphQLRequest"), "examples": {"example": {"summary": "One customer", "value": value}}}
    return {
        "operationId": "postGraphql",
        "summary": "Ask GraphQL, or change something",
        "description": "Queries and mutations; the playground at the same address shows the schema. "
        "A request that is not executed is answered with its problem's status, or, where the client wants "
        "`application/json` and the request was well-formed, with 200.",
        "tags": ["GraphQL"],
        "parameters": [_KEY],
        "requestBody": {"required": True, "content": {JSON: media}},
        "responses": _responses(
            (*_REFUSED, p.IDEMPOTENCY_KEY, p.ORIGIN_REFUSED, p.BODY_TOO_LARGE, p.UNSUPPORTED_MEDIA_TYPE)
        ),
    }


def _get() -> Document:
    return {
        "operationId": "getGraphql",
        "summary": "Ask GraphQL",
        "description": "Queries alone: a mutation is 405. A browser gets the playground, without credentials.",
        "tags": ["GraphQL"],
        "parameters": [
            {**_parameter("query", "The document.", "{ viewer { name scopes } }"), "required": True},
            _parameter("variables", "The variables, as a JSON object.", f'{{"id": "{CUSTOMER["id"]}"}}'),
            _parameter("operationName", "Which operation of the document.", "One"),
            _parameter("extensions", "A JSON object; `persistedQuery` names a document by its SHA-256.", "{}"),
        ],
        "responses": _responses(_REFUSED, page=True),
    }


def _parameter(name: str, description: str, example: str) -> Document:
    schema = {"type": "string", "maxLength": 2000}
    return {"name": name, "in": "query", "description": description, "schema": schema, "example": example}


def _responses(kinds: tuple[ProblemType, ...], *, page: bool = False) -> Document:
    media = {"schema": ref("GraphQLResponse"), "examples": {"example": {"summary": "A customer", "value": _ANSWER}}}
    shown = {"text/html": {"schema": {"type": "string"}, "example": "<!doctype html>…"}} if page else {}
    good = {
        "description": "The answer, perhaps with errors of fields.",
        "headers": headers("Vary"),
        "content": {_RESPONSE: media, JSON: media, **shown},
    }
    statuses = sorted({kind.status for kind in kinds})
    refused = {str(status): _refusal([kind for kind in kinds if kind.status == status]) for status in statuses}
    return {"200": good, **refused, **problem_answers(_AT_THE_EDGE, "/graphql")}


def _refusal(kinds: list[ProblemType]) -> Document:
    examples = {kind.slug: {"summary": kind.title, "value": graphql_error_example(kind)} for kind in kinds}
    media = {"schema": ref("GraphQLResponse"), "examples": examples}
    return {
        "description": "; ".join(kind.title for kind in kinds) + ".",
        "headers": problem_headers(kinds[0].status),
        "content": {_RESPONSE: media, JSON: media},
    }
