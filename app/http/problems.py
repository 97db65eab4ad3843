"""Problems as HTTP answers, in the form that the client asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.http.negotiation import wants_envelope
from app.http.requests import base_url, path_of, request_id, state_of
from resolvers.problem import Failure, Problem
from resolvers.problems import PATCH_CONFLICT, PRECONDITION_FAILED, PRECONDITION_MISSING, UNAUTHORIZED, UNAVAILABLE

PROBLEM = "application/problem+json"
RETRY_AFTER_SECONDS = 1
REPLAYED = "Idempotent-Replayed"
"""The header of an answer that an earlier request with the same idempotency key has had already."""
_WITH_ETAG = {PRECONDITION_FAILED, PRECONDITION_MISSING, PATCH_CONFLICT}


def problem_response(request: HTTPConnection, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer for a problem: RFC 9457, or `errors[]` in the enveloped profile."""
    state_of(request).metrics.problem(request.scope, problem.type)
    enveloped = wants_envelope(request)
    members = problem.members(base_url(request), request_id(request))
    members["instance"] = path_of(request)
    body = enveloped_errors(problem, members) if enveloped else members
    return Response(
        orjson.dumps(body),
        status_code=problem.type.status,
        headers={**problem_headers(problem), "Vary": "Accept, Prefer", **(headers or {})},
        media_type="application/json; charset=utf-8" if enveloped else PROBLEM,
    )


def enveloped_errors(problem: Problem, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the error form of the REST API Design Guidelines, Error Handling: one entry for each fault."""
    common = {
        "httpStatus": problem.type.status,
        "request_id": members["requestId"],
        "code": problem.type.code,
        "resource": problem.resource,
        "title": problem.type.title,
    }
    if problem.failures:
        return {"errors": [entry for one in problem.failures for entry in _failed(one, members)]}
    messages = [f"{fault.field} {fault.message}".strip() for fault in problem.faults] or [
        enveloped_message(problem.detail, problem.extra)
    ]
    return {"errors": [{**common, "message": message} for message in messages]}


def enveloped_message(detail: str, extra: Mapping[str, Any]) -> str:
    """Return a detail with what the plain form tells of the present version in members: entries have none for it."""
    tag, fields = extra.get("currentETag"), extra.get("differingFields")
    said = [f"The present ETag is {tag}."] if tag else []
    said += [f"What was sent differs in {', '.join(fields)}."] if fields else []
    return " ".join([detail, *said])


def _failed(failure: Failure, members: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of one operation of a batch, which they name."""
    entries: list[dict[str, Any]] = enveloped_errors(failure.problem, members)["errors"]
    return [{**entry, "message": f"operation {failure.index}: {entry['message']}"} for entry in entries]


def problem_headers(problem: Problem) -> dict[str, str]:
    """Return the headers that belong to a problem, whichever door tells it."""
    return {**_own_headers(problem), **({REPLAYED: "true"} if problem.replayed else {})}


def _own_headers(problem: Problem) -> dict[str, str]:
    if problem.type is UNAUTHORIZED:
        return {"WWW-Authenticate": _challenge(problem)}
    if problem.type is UNAVAILABLE:
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if "retryAfter" in problem.extra:
        return {"Retry-After": str(problem.extra["retryAfter"])}
    if "webSocketVersion" in problem.extra:
        return {"Sec-WebSocket-Version": str(problem.extra["webSocketVersion"])}
    if problem.type in _WITH_ETAG and "currentETag" in problem.extra:
        return {"ETag": str(problem.extra["currentETag"])}
    return {}


def _challenge(problem: Problem) -> str:
    """Return what a 401 must say (RFC 9110 section 11.6.1); `error` is about tokens (RFC 6750 section 3)."""
    tail = f', error="{problem.extra["error"]}"' if "error" in problem.extra else ""
    return f'Bearer realm="customer-gateway"{tail}, Basic realm="customer-gateway"'
