"""The answers of OpenAPI: headers, problems by status, bodies in both representations."""

from __future__ import annotations

from typing import Any, Final

from app.rest.endpoints import Endpoint, Kind
from app.rest.examples import EXAMPLES, ID, TIMES, problem_example
from app.rest.schemas import ref
from resolvers import problems as p
from resolvers.problems import ProblemType

Answers = dict[str, Any]

_READ: Final = (p.MALFORMED_REQUEST, p.INVALID_ID, p.UNKNOWN_PARAMETER, p.INVALID_PARAMETER)
_JSON: Final = tuple(kind for kind in p.PROBLEM_TYPES if 1001 <= kind.code <= 1009)
_EVERY: Final = (
    p.UNAUTHORIZED,
    p.FORBIDDEN,
    p.NOT_ACCEPTABLE,
    p.URI_TOO_LONG,
    p.HEADERS_TOO_LARGE,
    p.INTERNAL_ERROR,
    p.UNAVAILABLE,
)
_ITEM: Final = (p.NOT_FOUND, p.GONE)
_BODY: Final = (*_JSON, p.BODY_TOO_LARGE, p.UNSUPPORTED_MEDIA_TYPE, p.VALIDATION_ERROR)
_CONDITION: Final = (p.PRECONDITION_FAILED,)
_REQUIRED: Final = (p.PRECONDITION_MISSING, p.PRECONDITION_FAILED)

PROBLEMS: Final[dict[Kind, tuple[ProblemType, ...]]] = {
    "list": (*_READ, p.INVALID_CURSOR, *_EVERY),
    "read": (*_READ, *_ITEM, *_EVERY),
    "create": (*_READ, *_BODY, p.CONFLICT, *_EVERY),
    "replace": (*_READ, *_BODY, *_ITEM, *_REQUIRED, p.CONFLICT, *_EVERY),
    "patch": (*_READ, *_BODY, p.INVALID_PATCH, *_ITEM, *_REQUIRED, p.CONFLICT, p.PATCH_CONFLICT, *_EVERY),
    "delete": (*_READ, p.NOT_FOUND, p.GONE, *_CONDITION, p.VALIDATION_ERROR, *_EVERY),
}
_COMMON_HEADERS: Final = ("X-Request-Id", "API-Version")
HEADERS: Final[dict[str, Any]] = {
    "X-Request-Id": {"description": "The request's id: the client's own, or a new one.", "schema": {"type": "string"}},
    "API-Version": {"description": "MAJOR.MINOR.PATCH of the API.", "schema": {"type": "string"}},
    "ETag": {"description": "The strong ETag of this representation.", "schema": {"type": "string"}},
    "Location": {"description": "Where the new resource is.", "schema": {"type": "string", "format": "uri-reference"}},
    "Link": {"description": "The pages around (RFC 8288).", "schema": {"type": "string"}},
    "Next-Cursor": {"description": "The cursor of the next page.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds after which to try again.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"description": "Which credentials are taken.", "schema": {"type": "string"}},
}


def headers(*names: str) -> dict[str, Any]:
    """Return references to headers of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*_COMMON_HEADERS, *names)}


def problem_answers(kinds: tuple[ProblemType, ...]) -> Answers:
    """Return the answers for problems, by status, each with an example."""
    statuses: dict[int, list[ProblemType]] = {}
    for kind in dict.fromkeys(kinds):
        statuses.setdefault(kind.status, []).append(kind)
    return {str(status): _problem_answer(status, statuses[status]) for status in sorted(statuses)}


def _problem_answer(status: int, kinds: list[ProblemType]) -> dict[str, Any]:
    more = {401: ("WWW-Authenticate",), 503: ("Retry-After",), 412: ("ETag",)}.get(status, ())
    return {
        "description": "; ".join(kind.title for kind in kinds) + ".",
        "headers": headers(*more),
        "content": {
            "application/problem+json": {
                "schema": ref("Problem"),
                "examples": {kind.slug: {"summary": kind.title, "value": problem_example(kind)} for kind in kinds},
            }
        },
    }


def success_answers(endpoint: Endpoint) -> Answers:
    """Return the answers of an endpoint when all goes well."""
    if endpoint.kind == "delete":
        return {"204": {"description": "Done.", "headers": headers()}} if endpoint.tag else {}
    name = str(endpoint.gives)
    if endpoint.kind == "list":
        return {"200": _body("A page of customers.", name, headers("Link", "Next-Cursor"))}
    if endpoint.kind == "create":
        dry = _body("What would be created (`dryRun=true`).", name, headers())
        return {"200": dry, "201": _body("Created.", name, headers("ETag", "Location"))}
    answer = _body("The resource as it is now.", name, headers("ETag"))
    if endpoint.kind in {"replace", "patch"}:
        media = answer["content"]["application/json"]
        media["schema"] = {"oneOf": [media["schema"], ref("Changed")]}
        short = {"id": ID, "updatedAt": TIMES["updatedAt"]}
        media["examples"]["short"] = {"summary": "With resource=false or Prefer: return=minimal", "value": short}
        return {"200": answer}
    return {"200": answer, "304": {"description": "Not modified.", "headers": headers("ETag")}}


def _body(description: str, name: str, with_headers: dict[str, Any]) -> dict[str, Any]:
    example = {"summary": name, "value": EXAMPLES[name]}
    media = {"schema": ref(name), "examples": {"plain": example}}
    return {"description": description, "headers": with_headers, "content": {"application/json": media}}
