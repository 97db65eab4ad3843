"""Asking GraphQL over HTTP, and what an answer must look like."""

from __future__ import annotations

import json
from typing import Any, Final

import httpx2

RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
VIEWER: Final = "{ viewer { name } }"
ASKED: Final = json.dumps({"query": VIEWER})


def slug(response: httpx2.Response) -> str:
    """Return the kind of the first problem of an answer."""
    return str(response.json()["errors"][0]["extensions"]["type"].rsplit("/", 1)[-1])


def ask(client: httpx2.Client, query: str, **members: Any) -> httpx2.Response:
    """Send a document."""
    return client.post("/graphql", content=json.dumps({"query": query, **members}))


def refused(response: httpx2.Response, status: int, kind: str) -> None:
    """Assert that a request was refused as a whole: a status, a problem, and no data."""
    assert response.status_code == status, response.text
    body = response.json()
    assert slug(response) == kind
    assert "data" not in body
    for error in body["errors"]:
        assert error["extensions"].keys() >= {"type", "title", "status", "code", "requestId"}
        assert error["extensions"]["requestId"] == response.headers["X-Request-Id"]
    assert body["errors"][0]["extensions"]["status"] == status


def well_answered(response: httpx2.Response) -> None:
    """Assert that the viewer was answered."""
    assert response.status_code == 200, response.text
    body = response.json()
    assert (body["data"], body.keys()) == ({"viewer": {"name": "test"}}, {"data", "extensions"})


def error_of(response: httpx2.Response) -> dict[str, Any]:
    """Return the problem of the first error."""
    extensions: dict[str, Any] = response.json()["errors"][0]["extensions"]
    return extensions
