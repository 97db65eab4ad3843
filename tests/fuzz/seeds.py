"""Good requests, from which bad ones are made: the examples of OpenAPI and of the playground."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import hypothesis
from graphql import build_schema
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis_graphql import Mode, from_schema, nodes

from app.cli.documents import graphql_schema
from app.cli.playground_examples import example
from app.rest.examples import PATH_EXAMPLES
from app.rest.openapi import openapi
from resolvers.operations import OPERATIONS

_ENDLESS: Final = {("get", "/api/v1/customer-events")}
"""Streams, whose answers do not end."""
Json = dict[str, Any]


@dataclass(frozen=True)
class Seed:
    """A request as it should be; its body is JSON or text."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    media: str
    body: Any


@cache
def rest_seeds() -> tuple[Seed, ...]:
    """Return a request for each example of OpenAPI, with all parameters of its operation."""
    return tuple(_rest_seeds())


def _rest_seeds() -> Iterator[Seed]:
    document = openapi()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if not isinstance(operation, dict) or (method, path) in _ENDLESS:
                continue
            query = tuple(_query(document, operation))
            for media, body in _bodies(operation):
                yield Seed(method.upper(), _filled(path), query, media, body)


def _filled(path: str) -> str:
    for name, value in {**PATH_EXAMPLES, "slug": "conflict", "path": "x.js"}.items():
        path = path.replace("{" + name + "}", value)
    return path


def _query(document: Json, operation: Json) -> Iterator[tuple[str, str]]:
    for parameter in operation.get("parameters", ()):
        reference = parameter.get("$ref", "").rpartition("/")[2]
        one = document["components"]["parameters"][reference] if reference else parameter
        values = one.get("example", "")
        for value in values if isinstance(values, list) else [values]:
            if one["in"] == "query":
                yield one["name"], value if isinstance(value, str) else json.dumps(value)


def _bodies(operation: Json) -> Iterator[tuple[str, Any]]:
    contents = operation.get("requestBody", {}).get("content", {})
    for media, content in contents.items():
        for shown in content.get("examples", {}).values():
            yield media, shown["value"]
    if not contents:
        yield "", None


@cache
def graphql_seeds() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return a document with its variables for each operation that GraphQL has."""
    schema = build_schema(graphql_schema())
    found = (example(schema, one) for one in OPERATIONS if one.graphql)
    return tuple((one["query"], one["variables"]) for one in found if not one["query"].startswith("subscription"))


def generated(count: int, seed: int, *, good: bool) -> list[str]:
    """Return documents that hypothesis-graphql makes of the schema; those that are not good break one rule of it."""
    made: list[str] = []
    scalars = {"DateTime": st.sampled_from(["2026-03-01T00:00:00Z", "2026", ""]).map(nodes.String)}
    mode = Mode.POSITIVE if good else Mode.NEGATIVE
    documents = from_schema(graphql_schema(), custom_scalars=scalars, mode=mode)
    settings = hypothesis.settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    @hypothesis.seed(seed)
    @settings
    @hypothesis.given(documents)
    def collect(document: object) -> None:
        made.append(str(document))

    collect()
    return made
