"""The schemas of operations and of what may become one."""

from __future__ import annotations

from typing import Final, get_args

from app.rest.shapes import COUNT, TEXT, UUID, Schema, closed_object, open_object, ref
from resolvers.jobs import MOST_LISTED
from resolvers.validation import MOST_FAULTS
from storage.jobs import MOST_ERRORS, JobKind, Status

_TIME: Final[Schema] = {"type": "string", "format": "date-time"}


def job_schemas() -> dict[str, Schema]:
    """Return them by name."""
    items = {"type": "array", "items": ref("Operation"), "maxItems": MOST_LISTED}
    deleted = closed_object({"deleted": COUNT}, "How many customers were erased, or would be.")
    return {
        "Operation": _operation(),
        "OperationError": _error(),
        "Operations": closed_object({"content": items}, "Operations of the caller, the newest first."),
        "Deletion": deleted,
        "EnvelopedDeletion": deleted,
    }


def _operation() -> Schema:
    counts = {
        "type": "object",
        "additionalProperties": COUNT,
        "description": "How often each outcome came, by its name.",
    }
    members: Schema = {
        "id": {**UUID, "description": "The operation's id."},
        "kind": {"type": "string", "enum": list(get_args(JobKind)), "description": "What it does."},
        "status": {
            "type": "string",
            "enum": list(get_args(Status)),
            "description": "Whether it goes on, or how it ended.",
        },
        "done": {**COUNT, "description": "How many lines, or customers, are done."},
        "total": {**COUNT, "type": ["integer", "null"], "description": "Of how many; null until that is known."},
        "failed": {**COUNT, "description": "How many of those done were refused."},
        "counts": counts,
        "errors": {"type": "array", "items": ref("OperationError"), "maxItems": MOST_ERRORS},
        "dryRun": {"type": "boolean", "description": "Whether it only checks and stores nothing."},
        "cancelRequested": {"type": "boolean", "description": "Whether its owner wants it to end."},
        "createdAt": _TIME,
        "updatedAt": _TIME,
    }
    return closed_object(members, "Work that goes on after its request was answered.")


def _error() -> Schema:
    fault = closed_object({"field": TEXT, "pointer": TEXT, "message": TEXT}, "One fault of the line.")
    problem = open_object(
        {
            "type": {"type": "string", "format": "uri", "description": "The page that describes the problem."},
            "title": TEXT,
            "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599},
            "detail": TEXT,
            "code": {"type": "integer", "format": "int32", "minimum": 1000, "maximum": 9999},
            "fields": {
                "type": "array",
                "items": TEXT,
                "maxItems": 10,
                "description": "conflict: the fields in conflict.",
            },
            "errors": {
                "type": "array",
                "items": fault,
                "maxItems": MOST_FAULTS,
                "description": "All faults of the line.",
            },
        },
        "The problem that a request of its own would have had.",
        "fields",
        "errors",
    )
    line = {**COUNT, "type": ["integer", "null"], "description": "The line, from 1; null where it is about the whole."}
    return closed_object({"line": line, "problem": problem}, "A line that was refused.")
