"""How OpenAPI describes files of customers, and the report of an import."""

from __future__ import annotations

import json
from typing import Any, Final

from app.rest.examples import EXAMPLES
from app.rest.files import CSV, NDJSON
from app.transfer.formats import template

Media = dict[str, Any]

_NDJSON: Final = "One customer in each line, as a JSON object (NDJSON)."
_CSV: Final = "One customer in each line; the first line names the columns (RFC 4180)."
_REPORT: Final = "One refused line in each line, as a JSON object with `line` and `problem` (NDJSON)."


def customer_files() -> Media:
    """Return the formats of a file of customers, each with one to begin with."""
    return {
        NDJSON: _media(_NDJSON, "One customer", template("ndjson").decode()),
        CSV: _media(_CSV, "One customer", template("csv").decode()),
    }


def report_file() -> Media:
    """Return the format of the report of refused lines."""
    error = EXAMPLES["Operation"]["errors"][0]
    return {NDJSON: _media(_REPORT, "One refused line", json.dumps(error) + "\n")}


def _media(description: str, summary: str, value: str) -> Media:
    schema = {"type": "string", "description": description}
    return {"schema": schema, "examples": {"example": {"summary": summary, "value": value}}}
