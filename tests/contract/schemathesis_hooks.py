"""What Schemathesis may not send, how it sends a file, and what it holds against answers besides its own checks."""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import schemathesis

from tests.fuzz.judge import reasons
from tests.fuzz.requests import Sent
from tests.fuzz.wire import Answer

COUNTS = "SCHEMATHESIS_COUNTS"
"""The variable that names the file in which the counts of answers are left."""
_ANSWERS: Counter[int] = Counter()


@schemathesis.hook
def filter_query(_context: schemathesis.HookContext, query: dict[str, Any] | None) -> bool:
    """Leave out addresses of 64 KiB and more, which uvicorn refuses itself, in its own words."""
    return len(urlencode(query or {}, doseq=True)) < 60_000


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], _kwargs: dict[str, Any]) -> None:
    """Leave out `fields`, which asks for less than the schema promises; tests/app/rest has tests of it."""
    if case.query:
        case.query.pop("fields", None)


@schemathesis.serializer("application/x-ndjson")
def ndjson(_context: schemathesis.SerializationContext, value: object) -> bytes:
    """Send a file as its text."""
    return str(value).encode("utf-8", "replace")


@schemathesis.hook
def after_call(
    _context: schemathesis.HookContext, _case: schemathesis.Case[Any], response: schemathesis.Response
) -> None:
    """Count what is answered."""
    _ANSWERS[response.status_code] += 1


@atexit.register
def write_counts() -> None:
    """Leave the counts where `tests/fuzz/schemas.py` looks for them."""
    if COUNTS in os.environ:
        Path(os.environ[COUNTS]).write_text(json.dumps(_ANSWERS), encoding="utf-8")


@schemathesis.check
def our_promises(
    _context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Hold an answer against what the fuzzer of our own demands: ETags, problems, headers, nothing from inside."""
    headers = {name.lower(): values for name, values in response.headers.items()}
    sent = Sent("Schemathesis", case.method.upper(), f"{case.formatted_path}?{urlencode(case.query or {}, doseq=True)}")
    wrong = list(reasons(sent, Answer(response.status_code, headers, response.content)))
    assert not wrong, "; ".join(wrong)
