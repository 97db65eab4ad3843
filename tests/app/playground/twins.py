"""The playground's own translation, and how the answers of the two doors are compared."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.harness import Gateway
from tests.parity.doors import lower

Json = dict[str, Any]
_INNER = ("explain", "content", "nodes", "items", "deliveries")
_UNEQUAL = {"milliseconds", "query"}
"""What two explanations of one question may differ in: the doors read the fields that they show."""


class Twins:
    """The playground's own translation, run by Node: a line in, a line out."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def to_rest(self, query: str, variables: Json | None = None, name: str | None = None) -> Any:
        """Return the requests of REST for an operation of GraphQL, or {"none": why}."""
        return self._ask(
            {
                "graphql": {"query": query, "variables": variables, "operationName": name},
                "origin": "http://gateway.test",
            }
        )

    def to_graphql(self, text: str) -> Json:
        """Return the operation of GraphQL for an address or a curl line, or {"none": why}."""
        answer: Json = self._ask({"rest": text})
        return answer

    def _ask(self, question: Json) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the translation ended; has `make setup` run?"
        return json.loads(line)


def ask_rest(gateway: Gateway, twin: Json) -> Any:
    """Send a request of REST as the twin has it, and return its body."""
    request: Json = twin["request"]
    response = gateway.http.request(
        request["method"], twin["address"], headers=request["headers"], json=request.get("body")
    )
    assert response.is_success, (twin["address"], response.text)
    return response.json() if response.content else None


def content(body: Any) -> Any:
    """Return what an answer of either door is about, without what is around it."""
    while isinstance(body, dict):
        inner = next((body[name] for name in _INNER if name in body), None)
        if inner is None and len(body) == 1 and isinstance(next(iter(body.values())), dict | list):
            inner = next(iter(body.values()))
        if inner is None:
            break
        body = inner
    return lower(body)


def common(one: Any, other: Any) -> int:
    """Assert that two answers agree in all that both show, and return how many values that is."""
    if isinstance(one, dict) and isinstance(other, dict):
        return sum(common(one[name], other[name]) for name in one.keys() & other.keys() - _UNEQUAL)
    if isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other)
        return sum(common(left, right) for left, right in zip(one, other, strict=True))
    if isinstance(one, str) and isinstance(other, str) and one.isupper():  # an enumeration, which REST writes small
        assert one.lower() == other.lower()
        return 1
    assert one == other
    return 1
