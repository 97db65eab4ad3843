"""The schemas of what goes wrong: problems, enveloped errors, GraphQL's answers."""

from __future__ import annotations

from typing import Final

from app.rest.shapes import COUNT, TEXT, Schema, closed_object, open_object, ref
from resolvers.context import ALL_SCOPES
from resolvers.validation import MOST_FAULTS
from schema.limits import DocumentLimits

_CODE: Final = {
    "type": "integer",
    "format": "int32",
    "minimum": 1000,
    "maximum": 9999,
    "description": "The gateway's own number of the problem.",
}
_STATUS: Final = {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599}
_MAX_ERRORS: Final = 10_000
_MAX_CHARACTERS: Final = DocumentLimits().document
_REPLAYED: Final = {"type": "boolean", "description": "An earlier request with the same key had this outcome."}
_SAID: Final = ("cost", "idempotentReplayed")
_RATE: Final = {"type": "number", "minimum": 0}
_EXTENSIONS: Final[Schema] = {
    "allow": {"type": "string", "description": "method-not-allowed: the methods that work."},
    "credentials": {"type": "string", "enum": ["invalid"], "description": "unauthorized: some came, and are not good."},
    "error": {
        "type": "string",
        "enum": ["invalid_token", "insufficient_scope"],
        "description": "unauthorized, forbidden: the error code of RFC 6750.",
    },
    "scope": {"type": "string", "enum": list(ALL_SCOPES), "description": "forbidden: the scope that is lacking."},
    "fields": {"type": "array", "items": TEXT, "maxItems": 10, "description": "conflict: the fields in conflict."},
    "currentETag": {"type": "string", "description": "precondition-…: the present ETag."},
    "currentVersion": {**COUNT, "description": "precondition-…: the present version."},
    "differingFields": {
        "type": "array",
        "items": TEXT,
        "maxItems": 10,
        "description": "precondition-failed: the fields that differ from what was sent.",
    },
    "limit": {**COUNT, "description": "graphql-…, answer-too-large, rate-limited: the most that is taken."},
    "found": {**COUNT, "description": "graphql-…, answer-too-large: how much there is."},
    "what": {"type": "string", "description": "graphql-…: what was counted."},
    "cost": {**COUNT, "description": "graphql-cost, rate-limited: what it costs."},
    "retryAfter": {
        **COUNT,
        "description": "rate-limited, quota-exhausted, overloaded, idempotency-in-progress: seconds until it passes.",
    },
    "outcome": {
        "type": "string",
        "enum": ["none", "unknown"],
        "description": "unavailable: whether it is certain that nothing was changed.",
    },
    "failures": {
        "type": "array",
        "items": ref("BatchFailure"),
        "maxItems": 1000,
        "description": "batch-failed: the operations that cannot be done.",
    },
}
"""What single kinds of problems say beside what all say."""


def _problem_members() -> Schema:
    """Return what both doors show of a problem."""
    fault = closed_object({"field": TEXT, "pointer": TEXT, "message": TEXT}, "One fault in what was sent.")
    return {
        "type": {"type": "string", "format": "uri", "description": "The page that describes the problem."},
        "title": TEXT,
        "status": _STATUS,
        "code": _CODE,
        "requestId": {**TEXT, "description": "The request's id, also in the log."},
        "resource": {**TEXT, "description": "What the problem is about."},
        "errors": {
            "type": "array",
            "items": fault,
            "maxItems": MOST_FAULTS,
            "description": "All faults of a body; `detail` counts them where there are more.",
        },
        **_EXTENSIONS,
    }


def problem_schemas() -> dict[str, Schema]:
    """Return them by name."""
    return {
        "Problem": _problem(),
        "ItemProblem": _item_problem(),
        "EnvelopedErrors": closed_object(
            {"errors": {"type": "array", "items": ref("EnvelopedError"), "maxItems": _MAX_ERRORS}}, "Errors, enveloped."
        ),
        "EnvelopedError": _enveloped_error(),
        "GraphQLRequest": _graphql_request(),
        "GraphQLResponse": _graphql_response(),
    }


def _problem() -> Schema:
    own = {"detail": TEXT, "instance": {**TEXT, "description": "The path of the request."}}
    said = "A problem (RFC 9457); other members may stand beside these."
    return open_object({**_problem_members(), **own}, said, "errors", *_EXTENSIONS)


def _item_problem() -> Schema:
    """Return the problem of one operation of a batch, which has no address of its own."""
    members = {name: shape for name, shape in _problem_members().items() if name != "failures"}
    optional = [name for name in _EXTENSIONS if name != "failures"]
    said = "A problem of one operation of a batch; a `pointer` leads into the body of the batch."
    return open_object({**members, "detail": TEXT}, said, "errors", *optional)


def _enveloped_error() -> Schema:
    members = {"httpStatus": _STATUS, "request_id": TEXT, "code": _CODE}
    return closed_object(
        {**members, "resource": TEXT, "title": TEXT, "message": TEXT}, "One error, in the enveloped profile."
    )


def _graphql_request() -> Schema:
    members: Schema = {
        "query": {
            "type": "string",
            "pattern": r"\S",
            "minLength": 1,
            "maxLength": _MAX_CHARACTERS,
            "description": "The document.",
        },
        "variables": {"type": ["object", "null"], "description": "The values of its variables."},
        "operationName": {"type": ["string", "null"], "maxLength": _MAX_CHARACTERS, "description": "Which operation."},
        "extensions": {
            "type": ["object", "null"],
            "description": "`persistedQuery` names a document by its SHA-256 (`version` 1, `sha256Hash`).",
        },
    }
    optional = ("query", "variables", "operationName", "extensions")
    return open_object(members, "A GraphQL request (GraphQL over HTTP).", *optional)


def _graphql_response() -> Schema:
    place = closed_object({"line": COUNT, "column": COUNT}, "A place in the document.")
    path = {"type": "array", "items": {"type": ["string", "integer"]}, "maxItems": 100}
    error = open_object(
        {
            "message": TEXT,
            "locations": {"type": "array", "items": place, "maxItems": 100},
            "path": path,
            "extensions": open_object(
                {**_problem_members(), "idempotentReplayed": _REPLAYED},
                "The problem, as REST shows it.",
                "errors",
                "idempotentReplayed",
                *_EXTENSIONS,
            ),
        },
        "One error.",
        "locations",
        "path",
    )
    data = {"type": ["object", "null"], "description": "What was asked for."}
    errors = {"type": "array", "items": error, "maxItems": _MAX_ERRORS}
    cost = open_object(
        {"requested": COUNT, "actual": COUNT, "limit": COUNT, "units": COUNT, "left": COUNT, "restoreRate": _RATE},
        "Objects asked for and given, the most that is taken; units spent and left, and how many come back a second.",
        "left",
        "restoreRate",
    )
    extensions = open_object({"cost": cost, "idempotentReplayed": _REPLAYED}, "What the answer cost.", *_SAID)
    members = {"data": data, "errors": errors, "extensions": extensions}
    return open_object(members, "A GraphQL response.", *members)
