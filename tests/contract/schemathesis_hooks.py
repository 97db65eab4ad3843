"""What Schemathesis may not send, and how it sends a file."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import schemathesis


@schemathesis.hook
def filter_query(_context: schemathesis.HookContext, query: dict[str, Any] | None) -> bool:
    """Leave out addresses of 64 KiB and more, which uvicorn refuses itself, in its own words."""
    return len(urlencode(query or {}, doseq=True)) < 60_000


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], _kwargs: dict[str, Any]) -> None:
    """Leave out `fields`, by which a client asks for less than the schema promises; `test_fields.py` is about it."""
    if case.query:
        case.query.pop("fields", None)


@schemathesis.serializer("application/x-ndjson")
def ndjson(_context: schemathesis.SerializationContext, value: object) -> bytes:
    """Send a file as its text."""
    return str(value).encode("utf-8", "replace")
