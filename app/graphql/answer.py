"""Rendering GraphQL answers. Source: GraphQL over HTTP, sections Response and Media Types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
from graphql import ExecutionResult, GraphQLError
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from app.http.answers import Answer
from app.http.event_source import EVENT_STREAM, block
from app.http.negotiation import accept_of, accepted_quality, parse_accept
from app.http.problems import problem_headers
from app.http.remembered import remembered
from app.http.requests import base_url, request_id, state_of
from resolvers.context import Budget, Context
from resolvers.pages import MAX_ANSWER, too_large
from resolvers.problem import Problem
from resolvers.problems import (
    ANSWER_TOO_LARGE,
    GRAPHQL_LIMITS,
    GRAPHQL_VALIDATION,
    METHOD_NOT_ALLOWED,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
)
from resolvers.renderings import Shown
from schema.cost import objects
from schema.documents import Price
from schema.errors import forget_frames, formatted, is_internal, problem_of
from schema.rows import Row, row_json, rows_json, rows_of_one_kind

RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
COMPLETE: Final = b"event: complete\ndata:\n\n"
"""The end of a stream of one operation (GraphQL over Server-Sent Events Protocol)."""
_PIECE: Final = 16
"""So many rows are written at once."""
_HEADS: Final = {
    media_type: (
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"vary", b"Accept"),
        (b"cache-control", b"private, no-store"),
    )
    for media_type in (RESPONSE, JSON, EVENT_STREAM)
}


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
    return _media_type(header) if header else RESPONSE


def takes_stream(request: Request) -> bool:
    """Tell whether the client takes an answer event by event: it must name that."""
    return _stream_quality(accept_of(request)) > 0


def _stream_quality(header: str) -> float:
    return max((entry.quality for entry in parse_accept(header) if entry.type == EVENT_STREAM), default=0.0)


@remembered(256)
def _media_type(header: str) -> str | None:
    """Return the media type of the answer for an Accept header; that of streams only where it is wanted most.

    Clients such as urql take every form equally, for queries and subscriptions alike.
    """
    response, json = accepted_quality(header, RESPONSE), accepted_quality(header, JSON)
    if _stream_quality(header) > max(response, json):
        return EVENT_STREAM
    if max(response, json) <= 0:
        return None
    named = any(entry.type == RESPONSE for entry in parse_accept(header))
    return RESPONSE if response > json or (response == json and named) else JSON


def executed(
    request: Request,
    result: ExecutionResult,
    media_type: str,
    price: Price,
    ctx: Context,
    *,
    bounded: bool,
) -> Response:
    """Return the answer of an operation that was run. Raises answer-too-large where it is `bounded`."""
    errors = result.errors or ()
    actual = objects(result.data)
    data = _bounded(result) if bounded else result.data
    reached = result.data is not None or any(error.path for error in errors)
    body: dict[str, Any] = {}
    if errors:
        body["errors"] = [formatted_error(request, error) for error in errors]
    if reached:
        body["data"] = data
    body["extensions"] = {"cost": _cost(price, actual, ctx.budgets)}
    if ctx.replayed:
        body["extensions"]["idempotentReplayed"] = True
    if media_type == EVENT_STREAM:
        return _single(body)
    status = 200 if reached or media_type == JSON else max(problem_of(error).type.status for error in errors)
    response = _response(body, status, media_type)
    away = next((problem for error in errors if (problem := problem_of(error)).type is UNAVAILABLE), None)
    if away is not None:
        response.headers.update(problem_headers(away))
    return response


def _bounded(result: ExecutionResult) -> object:
    """Return the data, its lists weighed, or refuse the whole answer where a page was too large, or they are."""
    for error in result.errors or ():
        if (problem := problem_of(error)).type is ANSWER_TOO_LARGE:
            raise problem
    data = result.data
    return _weighed(data) if data and not all(isinstance(value, Row) for value in data.values()) else data


def _weighed(data: object) -> object:
    """Return data with its outermost lists as JSON, each piece weighed as it is written: before all is one."""
    left = MAX_ANSWER

    def weigh(value: object) -> object:
        nonlocal left
        if isinstance(value, dict):
            return {name: weigh(item) for name, item in value.items()}
        if not isinstance(value, list):
            return value
        pieces = []
        for text, weight in _pieces(value):
            pieces.append(orjson.Fragment(text))
            left -= weight
            if left < 0:
                raise too_large()
        return pieces

    return weigh(data)


def _pieces(items: list[Any]) -> Iterator[tuple[bytes, int]]:
    """Give the items of a list as JSON: rows several at a time, a comma between two, which is not in their weight."""
    if isinstance(items, Shown):
        if items:
            yield items.json(), sum([len(one.json) for one in items])
        return
    if rows_of_one_kind(items) is None:
        for item in items:
            text = orjson.dumps(item, default=row_json)
            yield text, len(text)
        return
    for start in range(0, len(items), _PIECE):
        rows = items[start : start + _PIECE]
        text = rows_json(rows)[1:-1]
        yield text, len(text) - len(rows) + 1


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
    body = {"errors": [formatted_error(request, error) for error in errors]}
    status = 200 if media_type == JSON else max(problem_of(error).type.status for error in errors)
    return _response(body, status, media_type)


def refused(request: Request, problem: Problem, media_type: str) -> Response:
    """Return a request error: nothing was executed. Plain JSON shows it as 200 where the request was well-formed."""
    body = {"errors": [told(request, problem)]}
    well_formed = problem.type in GRAPHQL_LIMITS or problem.type in {GRAPHQL_VALIDATION, ANSWER_TOO_LARGE}
    status = 200 if media_type == JSON and well_formed else problem.type.status
    response = _response(body, status, media_type)
    response.headers.update(problem_headers(problem))
    if problem.type is METHOD_NOT_ALLOWED:
        response.headers["Allow"] = str(problem.extra["allow"])
    if problem.type is UNSUPPORTED_MEDIA_TYPE:
        response.headers["Accept"] = JSON
    return response


def told(connection: HTTPConnection, problem: Problem) -> dict[str, Any]:
    """Return a problem as GraphQL has errors."""
    return formatted_error(connection, GraphQLError(problem.detail, original_error=problem))


def log_internal(connection: HTTPConnection, errors: Sequence[GraphQLError]) -> None:
    """Log the first error of ours: a list may have the same one in each of its items."""
    first = next(filter(is_internal, errors), None)
    if first is not None:
        state_of(connection).log.failure(connection.scope, first.original_error or first)


def result_body(connection: HTTPConnection, result: ExecutionResult) -> dict[str, Any]:
    """Return one result of many, as streams tell it; what went wrong inside is in the log."""
    log_internal(connection, result.errors or ())
    errors = [formatted_error(connection, error) for error in result.errors or ()]
    forget_frames(result.errors or ())
    return {**({"errors": errors} if errors else {}), "data": result.data}


def as_json(body: object) -> bytes:
    """Return what an answer holds as JSON."""
    return orjson.dumps(body, default=row_json)


def _single(body: dict[str, Any]) -> Response:
    """Return the answer of an operation that has one result, as a stream of it."""
    content = block(event="next", data=as_json(body)) + COMPLETE
    return Answer(content, 200, _HEADS[EVENT_STREAM])


def formatted_error(request: HTTPConnection, error: GraphQLError) -> dict[str, Any]:
    """Return an error as GraphQL has it, counted."""
    state_of(request).metrics.problem(request.scope, problem_of(error).type)
    explain = state_of(request).settings.introspection
    return formatted(error, base_url(request), request_id(request), explain=explain)


def _response(body: dict[str, Any], status: int, media_type: str) -> Response:
    return Answer(as_json(body), status, _HEADS[media_type])
