"""Over HTTP a gateway with plans answers as one without, also about customers that another hand has damaged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import pytest
from pymongo import MongoClient

from tests.contract.asking import JSON, RESPONSE
from tests.crowd import Crowd, crowded, member
from tests.harness import Gateway, running
from tests.schema.test_plan_matrix import FRAGMENTS, MERGED, RENAMED, WHOLE

QUESTIONS: Final = {
    "one": f"query($id: ID!) {{ customer(id: $id) {{ {WHOLE} etag }} }}",
    "node": f"query($id: ID!) {{ node(id: $id) {{ id ... on Customer {{ {WHOLE} }} }} }}",
    "nodes": f"query($id: ID!) {{ nodes(ids: [$id, $id]) {{ ... on Customer {{ {RENAMED} }} }} }}",
    "by email": f'{{ customerByEmail(email: "nobody@example.com") {{ {WHOLE} }} }}',
    "list": f"{{ customers(first: 100) {{ nodes {{ {WHOLE} }} totalCount pageInfo {{ hasNextPage }} }} }}",
    "page": f"{{ customerPage(size: 100) {{ items {{ {MERGED} }} page {{ totalElements }} }} }} {FRAGMENTS}",
    "several": f"query($id: ID!) {{ viewer {{ name scopes }} a: customer(id: $id) {{ {MERGED} }} "
    f"customers {{ edges {{ node {{ id }} }} }} }} {FRAGMENTS}",  # of two that fail, either may be the first
    "a variable that does not fit": "query($n: Int!) { viewer { id } customers(last: $n) { nodes { id } } }",
    "an argument that does not fit": 'query($id: ID!) { customer(id: "no id") { id } node(id: $id) { id } }',
    "a list refused": "{ customers(first: 1000) { nodes { id } } }",
    "a change": "mutation($id: ID!) { updateCustomer(id: $id, patch: {firstName: \"New\"}, ifVersion: 1, dryRun: true)"
    f" {{ {RENAMED.replace('createdAt: updatedAt', '').replace('version: email', '')} }} }}",
    "a change refused": "mutation($id: ID!) { updateCustomer(id: $id, patch: {firstName: \"\"}, ifVersion: 7) { id } }",
}  # fmt: skip
DAMAGES: Final[dict[str, dict[str, Any]]] = {
    "sound": {},
    "an unknown kind of address": {"$set": {"addresses.0.type": "castle"}},
    "an address without a city": {"$unset": {"addresses.1.city": ""}},
    "a number for a name": {"$set": {"lastName": 5}},
    "null for the preferences": {"$set": {"notificationPreferences": None}},
    "a version beyond 32 bits": {"$set": {"version": 2**40}},
}


@pytest.fixture(scope="module")
def doors(mongod_url: str) -> Iterator[tuple[Crowd, list[Gateway]]]:
    """A crowd and three gateways over it: without plans, with plans for values, with plans for all."""
    with (
        crowded(mongod_url, [member(number) for number in range(40)], graphql_plans="off") as crowd,
        ExitStack() as stack,
    ):
        modes = ("values", "on")
        others = [
            stack.enter_context(running(mongod_url, crowd.gateway.database, graphql_plans=mode)) for mode in modes
        ]
        yield crowd, [crowd.gateway, *others]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("accept", [JSON, RESPONSE])
def test_a_gateway_with_plans_answers_as_one_without(
    doors: tuple[Crowd, list[Gateway]], damage: str, accept: str
) -> None:
    crowd, gateways = doors
    number = list(DAMAGES).index(damage) + 1
    _damage(crowd, number, DAMAGES[damage])
    for question, text in QUESTIONS.items():
        answers = {_answer(gateway, text, crowd.customers[number]["id"], accept) for gateway in gateways}
        assert len(answers) == 1, f"{question}: {answers}"


def _damage(crowd: Crowd, number: int, damage: dict[str, Any]) -> None:
    if damage:
        with MongoClient[dict[str, Any]](crowd.gateway.store_url) as client:
            customers = client[crowd.gateway.database]["customers"]
            assert customers.update_one({"id": crowd.customers[number]["id"]}, damage).matched_count == 1


def _answer(gateway: Gateway, text: str, customer_id: str, accept: str) -> tuple[int, bytes]:
    """Ask, and return status and body; a request's own address and id are made the same."""
    headers = {"Accept": accept, "X-Request-Id": "same"}
    body = {"query": text, "variables": {"id": customer_id} if "$id" in text else {}}
    response = gateway.http.post("/graphql", json=body, headers=headers)
    return response.status_code, response.content.replace(gateway.url.encode(), b"")
