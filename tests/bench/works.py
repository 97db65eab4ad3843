"""The work that is measured: what is asked of the gateway, what of the bare handler, and the goal."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import MongoClient

from tests import factories
from tests.bench.load import Load, Request
from tests.bench.rows import ALL_FIELDS

CUSTOMERS: Final = 10_000
SIZE: Final = 100
_THREE: Final = "id firstName lastName"
_PAGES: Final = range(1, CUSTOMERS // SIZE + 1)


@dataclass(frozen=True)
class Work:
    """One row: its key in `ROWS`, its name, the goal for CPU as a multiple of the bare handler's, both loads."""

    key: str
    name: str
    goal: float
    ours: Load
    bare: Load


def customer_ids(url: str, database: str) -> list[str]:
    """Return the ids of all customers of a database."""
    with MongoClient[dict[str, Any]](url) as client:
        return [customer["id"] for customer in client[database]["customers"].find({}, {"id": 1})]


def works(ids: Sequence[str]) -> tuple[Work, ...]:
    """Return all rows; those that write come last. `ids` are those of the customers that are there."""
    picked = random.Random(1).sample(ids, len(ids))
    one, page, create = _bare(picked)
    rest_one = Load(32, [("GET", f"/api/v1/customers/{one}", "") for one in picked])
    pages = Load(8, [("GET", f"/api/v1/customers?page={page}&size={SIZE}", "") for page in _PAGES])
    creates = Load(16, [("POST", "/api/v1/customers", body) for body in _new_customers()])
    return (
        Work("rest-one", "REST: one by id", 0.45, rest_one, one),
        Work("rest-list", f"REST: list of {SIZE}", 1.0, pages, page),
        Work("graphql-one", "GraphQL: one, all fields", 0.55, _one(picked, ALL_FIELDS), one),
        Work("graphql-one-three", "GraphQL: one, three fields", 0.5, _one(picked, _THREE), one),
        Work("graphql-list", f"GraphQL: list of {SIZE}, all fields", 1.25, _list(ALL_FIELDS), page),
        Work("graphql-list-three", f"GraphQL: list of {SIZE}, three fields", 0.6, _list(_THREE), page),
        Work("rest-create", "REST: create", 0.55, creates, create),
    )


def _bare(ids: Sequence[str]) -> tuple[Load, Load, Load]:
    return (
        Load(32, [("GET", f"/customers/{one}", "") for one in ids]),
        Load(8, [("GET", f"/customers?page={page}&size={SIZE}", "") for page in _PAGES]),
        Load(16, [("POST", "/customers", body) for body in _new_customers()]),
    )


def _new_customers() -> Iterator[str]:
    """Give bodies of customers, each with one or two parts of a kind and an e-mail address that wrk makes unique."""
    for number in range(4):
        parts = {
            "addresses": [factories.address() for _ in range(1 + number % 2)],
            "phoneNumbers": [factories.phone_number() for _ in range(1 + number // 2)],
        }
        yield json.dumps(factories.customer(email="person.@@@example.org", **parts))


def _one(ids: Sequence[str], fields: str) -> Load:
    query = f"query One($id: ID!) {{ customer(id: $id) {{ {fields} }} }}"
    return Load(32, [_graphql(query, {"id": one}) for one in ids])


def _list(fields: str) -> Load:
    query = f"query List($page: Int!) {{ customerPage(page: $page, size: {SIZE}) {{ items {{ {fields} }} }} }}"
    return Load(8, [_graphql(query, {"page": page}) for page in _PAGES])


def _graphql(query: str, variables: dict[str, Any]) -> Request:
    return "POST", "/graphql", json.dumps({"query": " ".join(query.split()), "variables": variables})
