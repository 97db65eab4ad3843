"""The GraphQL door: GraphQL over HTTP to the letter, over Strawberry's execution.

Source: GraphQL over HTTP (draft of the GraphQL Foundation), sections Request, Response, Media Types.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from app.http.body import parse_json, read_body
from app.http.negotiation import accept_of, accepted_quality, parse_accept
from app.http.problems import RETRY_AFTER_SECONDS, challenge
from app.http.requests import base_url, context_of, request_id, state_of
from app.pages import playground
from resolvers.context import Context
from resolvers.operation import unavailable
from resolvers.problems import (
    GRAPHQL_REQUEST,
    GRAPHQL_VALIDATION,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
)
from schema.errors import formatted, is_internal, problem_of
from schema.limits import check_text
from storage.errors import Unavailable

PATH: Final = "/graphql"
RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
_METHODS = "GET, HEAD, POST, OPTIONS"


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A well-formed request."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


@dataclass(frozen=True, slots=True)
class GraphQLDoor:
    """The ASGI application at /graphql; a browser gets the playground."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every refusal is an answer too."""
        scope["route_template"] = PATH
        request = Request(scope, receive, send)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": _METHODS})
        if request.method in {"GET", "HEAD"} and _is_browser(request):
            return playground(request)
        media_type = _negotiated(request)
        try:
            if media_type is None:
                raise Problem(NOT_ACCEPTABLE, f"This answers {RESPONSE} or {JSON}.")
            return await self._answer(request, media_type)
        except Problem as problem:
            return _refusal(request, problem, media_type or RESPONSE)

    async def _answer(self, request: Request, media_type: str) -> Response:
        if request.method not in {"GET", "HEAD", "POST"}:
            raise Problem(METHOD_NOT_ALLOWED, "GraphQL is asked by GET or POST.", extra={"allow": _METHODS})
        ctx = await _authenticated(request)
        asked = await _read(request)
        ctx.begin()
        result = await _executed(request, asked, ctx)
        return _rendered(request, result, media_type)


def _is_browser(request: Request) -> bool:
    accept = accept_of(request).lower()
    html = accepted_quality(accept, "text/html") if "text/html" in accept else 0.0
    return html > max(accepted_quality(accept, name) if name in accept else 0.0 for name in (RESPONSE, JSON))


def _negotiated(request: Request) -> str | None:
    """Return the media type of the answer, None where the client takes neither.

    Of two that are wanted equally the newer one is taken where the client names it; `*/*` alone names none.
    """
    header = accept_of(request)
    if not header:
        return RESPONSE
    response, json = accepted_quality(header, RESPONSE), accepted_quality(header, JSON)
    if max(response, json) <= 0:
        return None
    named = any(entry.type == RESPONSE for entry in parse_accept(header))
    return RESPONSE if response > json or (response == json and named) else JSON


async def _authenticated(request: Request) -> Context:
    try:
        caller = await state_of(request).authenticator.authenticate(request.headers)
    except Unavailable as error:
        raise unavailable(error.outcome) from error
    request.scope["caller_id"] = caller.id if caller else ""
    ctx = context_of(request, caller)
    ctx.require(None)
    return ctx


async def _read(request: Request) -> GraphQLRequest:
    if request.method == "POST":
        kind, _, rest = request.headers.get("content-type", "").partition(";")
        if kind.strip().lower() != JSON or ("charset" in rest.lower() and "utf-8" not in rest.lower()):
            raise Problem(UNSUPPORTED_MEDIA_TYPE, f"GraphQL is sent as {JSON} in UTF-8.")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Problem(UNSUPPORTED_MEDIA_TYPE, "Compressed bodies are not read.")
        limit = state_of(request).settings.max_body
        raw = await read_body(request.stream(), request.headers.get("content-length"), limit)
        return _checked(parse_json(raw))
    return _checked(_from_query(request))


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


def _checked(sent: Any) -> GraphQLRequest:
    if isinstance(sent, list):
        raise Problem(GRAPHQL_REQUEST, "Batches are not taken: send one operation a request.")
    if not isinstance(sent, dict):
        raise Problem(GRAPHQL_REQUEST, "The body must be a JSON object.")
    query, variables, name = sent.get("query"), sent.get("variables"), sent.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise Problem(GRAPHQL_REQUEST, "query must be a string with a GraphQL document.")
    if not isinstance(variables, dict | None):
        raise Problem(GRAPHQL_REQUEST, "variables must be an object.")
    if not isinstance(name, str | None):
        raise Problem(GRAPHQL_REQUEST, "operationName must be a string.")
    if not isinstance(sent.get("extensions"), dict | None):
        raise Problem(GRAPHQL_REQUEST, "extensions must be an object.")
    return GraphQLRequest(query, variables, name)


async def _executed(request: Request, asked: GraphQLRequest, ctx: Context) -> ExecutionResult:
    state = state_of(request)
    if check_text(asked.query, state.limits) > 1 and asked.operation_name is None:
        raise Problem(GRAPHQL_VALIDATION, "The document has several operations: operationName must say which.")
    allowed = {OperationType.QUERY} if request.method != "POST" else {OperationType.QUERY, OperationType.MUTATION}
    try:
        result = await state.graphql.execute(
            asked.query,
            variable_values=asked.variables,
            context_value=ctx,
            operation_name=asked.operation_name,
            allowed_operation_types=allowed,
        )
    except InvalidOperationTypeError as error:
        if request.method != "POST":
            raise Problem(METHOD_NOT_ALLOWED, "Mutations are sent by POST.", extra={"allow": "POST"}) from error
        raise Problem(GRAPHQL_REQUEST, "This kind of operation is not served here.") from error
    except CannotGetOperationTypeError as error:
        raise Problem(GRAPHQL_VALIDATION, "The document has no operation of that name.") from error
    _log_internal(request, result.errors or [])
    return result


def _log_internal(request: Request, errors: list[GraphQLError]) -> None:
    for error in filter(is_internal, errors):
        state_of(request).log.failure(request.scope, error.original_error or error)


def _rendered(request: Request, result: ExecutionResult, media_type: str) -> Response:
    errors = result.errors or []
    reached = result.data is not None or any(error.path for error in errors)
    body: dict[str, Any] = {}
    if errors:
        body["errors"] = [_formatted(request, error) for error in errors]
    if reached:
        body["data"] = result.data
    status = 200 if reached or media_type == JSON else max(problem_of(error).type.status for error in errors)
    return _response(body, status, media_type)


def _formatted(request: Request, error: GraphQLError) -> dict[str, Any]:
    suggest = state_of(request).settings.introspection
    return formatted(error, base_url(request), request_id(request), suggest=suggest)


def _refusal(request: Request, problem: Problem, media_type: str) -> Response:
    """Return a request error: nothing was executed. Plain JSON shows it as 200 where the request was well-formed."""
    body = {"errors": [_formatted(request, GraphQLError(problem.detail, original_error=problem))]}
    well_formed = problem.type.slug in {"graphql-limit", "graphql-validation"}
    status = 200 if media_type == JSON and well_formed else problem.type.status
    response = _response(body, status, media_type)
    response.headers.update(challenge(problem))
    if problem.type is METHOD_NOT_ALLOWED:
        response.headers["Allow"] = str(problem.extra["allow"])
    if problem.type is UNSUPPORTED_MEDIA_TYPE:
        response.headers["Accept"] = JSON
    if problem.type is UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _response(body: dict[str, Any], status: int, media_type: str) -> Response:
    headers = {"Vary": "Accept", "Cache-Control": "private, no-store"}
    return Response(orjson.dumps(body), status, headers, f"{media_type}; charset=utf-8")
