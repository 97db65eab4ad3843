"""Which problems an endpoint answers with."""

from __future__ import annotations

from typing import Final

from app.rest.endpoints import Endpoint, Kind
from resolvers import problems as p
from resolvers.problem import ProblemType

_READ: Final = (p.MALFORMED_REQUEST, p.INVALID_ID, p.UNKNOWN_PARAMETER, p.INVALID_PARAMETER)
_JSON: Final = tuple(kind for kind in p.PROBLEM_TYPES if 1001 <= kind.code <= 1009)
_EVERY: Final = (
    p.UNAUTHORIZED,
    p.FORBIDDEN,
    p.RATE_LIMITED,
    p.QUOTA_EXHAUSTED,
    p.NOT_ACCEPTABLE,
    p.METHOD_NOT_ALLOWED,
    p.URI_TOO_LONG,
    p.HEADERS_TOO_LARGE,
    p.INTERNAL_ERROR,
    p.UNAVAILABLE,
    p.OVERLOADED,
)
_BODY: Final = (*_JSON, p.REQUEST_TIMEOUT, p.BODY_TOO_LARGE, p.UNSUPPORTED_MEDIA_TYPE, p.VALIDATION_ERROR)
_FILE: Final = (p.EMPTY_BODY, p.REQUEST_TIMEOUT, p.UNSUPPORTED_MEDIA_TYPE)
_KEYED: Final = (p.IDEMPOTENCY_KEY, p.IDEMPOTENCY_IN_PROGRESS, p.IDEMPOTENCY_KEY_REUSED, p.GONE)
_BY_KIND: Final[dict[Kind, tuple[ProblemType, ...]]] = {
    "list": (p.INVALID_CURSOR, p.INVALID_FILTER, p.ANSWER_TOO_LARGE),
    "search": (*_BODY, p.INVALID_CURSOR, p.INVALID_FILTER, p.ANSWER_TOO_LARGE),
    "read": (),
    "log": (p.INVALID_CURSOR,),
    "action": (),
    "create": _BODY,
    "replace": _BODY,
    "patch": (*_BODY, p.INVALID_PATCH, p.PATCH_CONFLICT),
    "delete": (),
    "batch": (*_BODY, p.BATCH_FAILED),
    "bulk": _BODY,
    "erase": (p.INVALID_FILTER,),
    "poll": (),
    "cancel": (),
    "import": (*_FILE, p.MALFORMED_REQUEST),
    "export": (p.INVALID_FILTER,),
    "report": (),
    "events": (p.HISTORY_LOST,),
}


def endpoint_problems(endpoint: Endpoint) -> tuple[ProblemType, ...]:
    """Return the problems that an endpoint answers with: those of its kind, of an existing customer, of a whole one."""
    existing = "{customerId}" in endpoint.path
    changes = endpoint.kind not in {"list", "search", "read", "events"}
    return (
        *_READ,
        *_BY_KIND[endpoint.kind],
        *((p.ORIGIN_REFUSED,) if endpoint.method != "GET" else ()),
        *((p.NOT_FOUND,) if "{" in endpoint.path else ()),
        *(_versioned_problems(endpoint, existing=existing, changes=changes) if endpoint.versioned else ()),
        *(_BODY if endpoint.kind == "action" and endpoint.takes else ()),
        *((p.CONFLICT,) if endpoint.kind == "create" and not endpoint.versioned else ()),
        *((p.IDEMPOTENCY_KEY,) if endpoint.method in {"POST", "PUT", "PATCH"} else ()),
        *(_KEYED if _takes_key(endpoint) else ()),
        *_EVERY,
    )


def _takes_key(endpoint: Endpoint) -> bool:
    changes = bool(endpoint.takes) or endpoint.kind == "action"
    return (endpoint.operation.keyed is not None and changes) or endpoint.kind in {"batch", "bulk", "import", "erase"}


def _versioned_problems(endpoint: Endpoint, *, existing: bool, changes: bool) -> tuple[ProblemType, ...]:
    missing, many = endpoint.kind in {"replace", "patch"}, endpoint.kind in {"batch", "bulk"}
    return (
        *((p.GONE,) if existing else ()),
        *((p.PRECONDITION_MISSING,) if missing else ()),
        *((p.PRECONDITION_FAILED,) if existing and (changes or endpoint.kind == "read") else ()),
        *((p.CONFLICT,) if endpoint.tag == "Customers" and endpoint.takes and changes and not many else ()),
        *((p.VALIDATION_ERROR,) if endpoint.tag != "Customers" and endpoint.kind == "delete" else ()),
    )
