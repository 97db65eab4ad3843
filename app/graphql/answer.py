"""Rendering GraphQL answers. Source: GraphQL over HTTP, sections Response and Media Types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from graphql import ExecutionResult, GraphQLError
from starlette.requests import Request
from starlette.responses import Response

from app.http.negotiation import accept_of, accepted_quality, parse_accept
from app.http.problems import problem_headers
from app.http.requests import base_url, request_id, state_of
from resolvers.context import Budget
from resolvers.pages import MAX_ANSWER, too_large
from resolvers.problems import (
    ANSWER_TOO_LARGE,
    GRAPHQL_LIMITS,
    GRAPHQL_VALIDATION,
    METHOD_NOT_ALLOWED,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
)
from schema.cost import objects
from schema.documents import Price
from schema.errors import formatted, problem_of
from schema.rows import row_json

RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
_LIGHT: Final = 400
"""So many objects cannot be too large, whatever they hold: each text has at most 256 characters."""


def is_browser(request: Request) -> bool:
    """Tell whether a page is wanted rather than data."""
    accept = accept_of(request).lower()
    html = accepted_quality(accept, "text/html") if "text/html" in accept else 0.0
    return html > max(accepted_quality(accept, name) if name in accept else 0.0 for name in (RESPONSE, JSON))


def negotiated(request: Request) -> str | None:
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


def executed(
    request: Request,
    result: ExecutionResult,
    media_type: str,
    price: Price,
    budgets: Sequence[Budget],
    *,
    bounded: bool,
) -> Response:
    """Return the answer of an operation that was run. Raises answer-too-large where it is `bounded`."""
    errors = result.errors or []
    actual = objects(result.data)
    data = _bounded(result, actual) if bounded else result.data
    reached = result.data is not None or any(error.path for error in errors)
    body: dict[str, Any] = {}
    if errors:
        body["errors"] = [_formatted(request, error) for error in errors]
    if reached:
        body["data"] = data
    body["extensions"] = {"cost": _cost(price, actual, budgets)}
    status = 200 if reached or media_type == JSON else max(problem_of(error).type.status for error in errors)
    return _response(body, status, media_type)


def _bounded(result: ExecutionResult, actual: int) -> object:
    """Return the data, or refuse the whole answer where a page was too large to read, or the data is."""
    for error in result.errors or ():
        if (problem := problem_of(error)).type is ANSWER_TOO_LARGE:
            raise problem
    return result.data if actual <= _LIGHT else _weighed(result.data)


def _weighed(data: object) -> object:
    """Return data with the items of its outermost lists as JSON, each weighed as it is written: before all is one."""
    left = MAX_ANSWER

    def weigh(value: object) -> object:
        nonlocal left
        if isinstance(value, dict):
            return {name: weigh(item) for name, item in value.items()}
        if not isinstance(value, list):
            return value
        items = []
        for item in value:
            items.append(text := orjson.dumps(item, default=row_json))
            left -= len(text)
            if left < 0:
                raise too_large()
        return list(map(orjson.Fragment, items))

    return weigh(data)


def _cost(price: Price, actual: int, budgets: Sequence[Budget]) -> dict[str, Any]:
    """Return `extensions.cost`: objects asked for and given, and the units of the budget spent and left."""
    cost: dict[str, Any] = {
        "requested": price.cost,
        "actual": actual,
        "limit": price.limit,
        "units": price.units,
    }
    if budgets:
        least = budgets[0]
        cost |= {"left": least.left, "restoreRate": round(least.limit / least.window, 4)}
    return cost


def refused_document(request: Request, errors: Sequence[GraphQLError], media_type: str) -> Response:
    """Return what is wrong with a document: nothing was executed."""
    body = {"errors": [_formatted(request, error) for error in errors]}
    status = 200 if media_type == JSON else max(problem_of(error).type.status for error in errors)
    return _response(body, status, media_type)


def refused(request: Request, problem: Problem, media_type: str) -> Response:
    """Return a request error: nothing was executed. Plain JSON shows it as 200 where the request was well-formed."""
    body = {"errors": [_formatted(request, GraphQLError(problem.detail, original_error=problem))]}
    well_formed = problem.type in GRAPHQL_LIMITS or problem.type in {GRAPHQL_VALIDATION, ANSWER_TOO_LARGE}
    status = 200 if media_type == JSON and well_formed else problem.type.status
    response = _response(body, status, media_type)
    response.headers.update(problem_headers(problem))
    if problem.type is METHOD_NOT_ALLOWED:
        response.headers["Allow"] = str(problem.extra["allow"])
    if problem.type is UNSUPPORTED_MEDIA_TYPE:
        response.headers["Accept"] = JSON
    return response


def _formatted(request: Request, error: GraphQLError) -> dict[str, Any]:
    state_of(request).metrics.problem(request.scope, problem_of(error).type)
    explain = state_of(request).settings.introspection
    return formatted(error, base_url(request), request_id(request), explain=explain)


def _response(body: dict[str, Any], status: int, media_type: str) -> Response:
    headers = {"Vary": "Accept", "Cache-Control": "private, no-store"}
    return Response(orjson.dumps(body, default=row_json), status, headers, f"{media_type}; charset=utf-8")
