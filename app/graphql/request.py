"""Reading GraphQL requests. Source: GraphQL over HTTP, section Request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from app.http.body import parse_json, read_body
from app.http.heads import heads_of
from app.http.remembered import remembered
from app.http.requests import state_of
from resolvers.problem import Problem
from resolvers.problems import GRAPHQL_REQUEST, GRAPHQL_VARIABLES_TOO_LONG, UNSUPPORTED_MEDIA_TYPE
from schema.limits import over

JSON: Final = "application/json"
MAX_VALUES: Final = 3000
"""How many values, lists and objects too, the variables may hold: each is coerced before anybody looks at it."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


class GraphQLRequest(NamedTuple):
    """A well-formed request: a document's text, or its SHA-256 in lower hexadecimal, or both."""

    query: str | None
    sha256: str | None
    variables: Mapping[str, Any]
    operation_name: str | None


async def read_request(request: Request) -> GraphQLRequest:
    """Return what was asked, by GET or POST.

    Raises:
        Problem: graphql-request, unsupported-media-type, body-too-large, request-timeout, graphql-variables-size,
            and those of `parse_json`.
    """
    limit = state_of(request).settings.graphql_max_variables
    if request.method == "POST":
        raw = await _body(request)
        return checked_request(parse_json(raw), limit, len(raw))
    return checked_request(_from_query(request), limit, len(request.scope["query_string"]))


async def _body(request: Request) -> bytes:
    heads = heads_of(request.scope)
    if not _is_json(heads.get(b"content-type", b"")):
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"GraphQL is sent as {JSON} in UTF-8.")
    if heads.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Problem(UNSUPPORTED_MEDIA_TYPE, "Compressed bodies are not read.")
    return await read_body(request, state_of(request).settings.max_body)


@remembered(64)
def _is_json(content_type: bytes) -> bool:
    """Tell whether a Content-Type is that of JSON in UTF-8."""
    kind, _, rest = content_type.decode("latin-1").partition(";")
    return kind.strip().lower() == JSON and ("charset" not in rest.lower() or "utf-8" in rest.lower())


def _from_query(request: Request) -> dict[str, Any]:
    try:
        pairs = parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError) as error:
        raise Problem(GRAPHQL_REQUEST, "The query string is not percent-encoded UTF-8.") from error
    sent: dict[str, Any] = dict(pairs)
    if len(sent) != len(pairs):
        raise Problem(GRAPHQL_REQUEST, "Send each parameter once.")
    for name in ("variables", "extensions"):
        if sent.get(name):
            sent[name] = parse_json(sent[name].encode())
    return {name: None if value == "" else value for name, value in sent.items()}


def checked_request(sent: Any, variables_limit: int, size: int) -> GraphQLRequest:
    """Return what was asked by a body of so many bytes. Raises graphql-request and graphql-variables-size."""
    if isinstance(sent, list):
        raise Problem(GRAPHQL_REQUEST, "Batches are not taken: send one operation a request.")
    if not isinstance(sent, dict):
        raise Problem(GRAPHQL_REQUEST, "The body must be a JSON object.")
    query, variables, name, extensions = map(sent.get, ("query", "variables", "operationName", "extensions"))
    if extensions is not None and not isinstance(extensions, dict):
        raise Problem(GRAPHQL_REQUEST, "extensions must be an object.")
    sha256 = _sha256(sent.get("documentId"), extensions or {}) if extensions or "documentId" in sent else None
    if not (query is None and sha256) and not (isinstance(query, str) and query.strip()):
        raise Problem(GRAPHQL_REQUEST, "query must be a string with a GraphQL document.")
    if variables is not None and not isinstance(variables, dict):
        raise Problem(GRAPHQL_REQUEST, "variables must be an object.")
    if name is not None and not isinstance(name, str):
        raise Problem(GRAPHQL_REQUEST, "operationName must be a string.")
    if size > variables_limit:
        _check_size(variables, variables_limit)
    if size > MAX_VALUES and (found := _values(variables)) > MAX_VALUES:  # each takes a byte of what was sent
        raise over(GRAPHQL_VARIABLES_TOO_LONG, "values in its variables", found, MAX_VALUES)
    return GraphQLRequest(query, sha256, variables or {}, name or None)  # as in a query string, empty is absent


def _values(value: object) -> int:
    """Return how many values there are, lists and objects too."""
    if isinstance(value, dict):
        return 1 + sum(map(_values, value.values()))
    return 1 + sum(map(_values, value)) if isinstance(value, list) else 1


def _check_size(variables: object, limit: int) -> None:
    size = len(orjson.dumps(variables))
    if size > limit:
        raise over(GRAPHQL_VARIABLES_TOO_LONG, "bytes of variables", size, limit)


def _sha256(document_id: object, extensions: Mapping[str, Any]) -> str | None:
    """Return the hash of a persisted document: `documentId`, or `extensions.persistedQuery` as Apollo has it."""
    sent = [] if document_id is None else [document_id]
    persisted = extensions.get("persistedQuery")
    if persisted is not None:
        if not isinstance(persisted, dict) or persisted.get("version") != 1:
            raise Problem(GRAPHQL_REQUEST, "extensions.persistedQuery must have version 1 and sha256Hash.")
        sent.append(persisted.get("sha256Hash"))
    hashes = {text.removeprefix("sha256:").lower() if isinstance(text, str) else "" for text in sent}
    if len(hashes) > 1 or not all(map(_SHA256.fullmatch, hashes)):
        raise Problem(GRAPHQL_REQUEST, "The hash of a persisted query is one SHA-256 in hexadecimal.")
    return hashes.pop() if hashes else None
