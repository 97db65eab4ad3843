"""No answer is larger than it may be, at either door, and what would be is not read to its end.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import httpx2
import pytest

from resolvers.pages import MAX_ANSWER
from storage.store import StoreOptions, open_store
from tests.contract.asking import JSON, RESPONSE, ask, refused
from tests.crowd import LIST, SEARCH, problem
from tests.harness import Gateway, running
from tests.heavy import customers_of, id_of, of
from tests.selections import CUSTOMER
from tests.wiretap import recorder

COUNT: Final = 60
"""So many of the largest customers are over 16 MiB, which is a batch of the store; 29 are over an answer."""
LARGEST: Final = {"filter": "startswith(email,'largest')"}


@pytest.fixture(scope="module", params=["pymongo", "motor"])
def full(mongod_url: str, request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """A gateway over the largest customers that there can be, and a few others."""
    recorder()
    database = f"test_{uuid4().hex[:16]}"

    async def fill() -> None:
        async with open_store(StoreOptions(mongod_url, database, timeout=60)) as store:
            await store.ensure_indexes()
            for customer in customers_of("largest", COUNT):
                await store.customers.create(customer)
            await store.customers.create_many(list(customers_of("plain", 100)))

    asyncio.run(fill())
    with running(mongod_url, database, mongodb_driver=request.param) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def asking(full: Gateway) -> Iterator[httpx2.Client]:
    """A client of GraphQL over HTTP."""
    with full.client(**{"X-API-Key": full.key, "Accept": RESPONSE, "Content-Type": JSON}) as client:
        yield client


def too_large(response: httpx2.Response) -> None:
    """Assert that REST refused an answer for its size."""
    status, slug, detail = problem(response)
    assert (status, slug) == (400, "answer-too-large")
    assert response.json()["limit"] == MAX_ANSWER
    assert str(MAX_ANSWER) in detail


@pytest.mark.parametrize("size", [29, 60, 100])
def test_c085_rest_refuses_a_list_that_is_too_large(size: int, full: Gateway) -> None:
    too_large(full.http.get(LIST, params={"size": size, **LARGEST}))
    too_large(full.http.get(LIST, params={"size": size, "cursor": "", **LARGEST}))
    too_large(full.http.post(SEARCH, json={"size": size, **LARGEST}))
    enveloped = {"Accept": "application/json;profile=enveloped"}
    answer = full.http.get(LIST, params={"size": size, **LARGEST}, headers=enveloped)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 1701


def test_c085_what_is_smaller_is_answered(full: Gateway) -> None:
    answer = full.http.get(LIST, params={"size": 28, **LARGEST})
    assert (answer.status_code, len(answer.json()["content"])) == (200, 28)
    assert MAX_ANSWER * 0.9 < len(answer.content) <= MAX_ANSWER
    few = full.http.get(LIST, params={"size": 100, "fields": "email", **LARGEST})
    assert len(few.json()["content"]) == COUNT
    assert (
        len(full.http.get(LIST, params={"size": 100, "filter": "startswith(email,'plain')"}).json()["content"]) == 100
    )


@pytest.mark.parametrize("size", [29, 60, 100])
@pytest.mark.parametrize("root", ["customers(first: %s, %s) { nodes", "customerPage(size: %s, %s) { items"])
def test_c085_graphql_refuses_it_as_a_whole(root: str, size: int, asking: httpx2.Client) -> None:
    query = f"{{ viewer {{ name }} {root % (size, of('largest'))} {{ {CUSTOMER} }} }} }}"
    refused(ask(asking, query), 400, "answer-too-large")
    plain = asking.post("/graphql", json={"query": query}, headers={"Accept": JSON})
    assert (plain.status_code, "data" in plain.json()) == (200, False)


def test_c085_graphql_answers_what_is_smaller(asking: httpx2.Client) -> None:
    answer = ask(asking, f"{{ customers(first: 27, {of('largest')}) {{ nodes {{ {CUSTOMER} }} }} }}")
    assert (answer.status_code, len(answer.json()["data"]["customers"]["nodes"])) == (200, 27)
    names = ask(asking, f"{{ customers(first: 100, {of('largest')}) {{ nodes {{ firstName email version etag }} }} }}")
    assert len(names.json()["data"]["customers"]["nodes"]) == COUNT


def commands_of(full: Gateway, asking: httpx2.Client, query: str) -> list[str]:
    """Return which commands a query sends about customers."""
    with recorder().recording(full.database) as commands:
        refused(ask(asking, query), 400, "answer-too-large")
        return [next(iter(one)) for one in commands if "customers" in one.values()]


def test_c085_the_rest_of_a_page_over_a_batch_is_not_read(full: Gateway, asking: httpx2.Client) -> None:
    page = f"customers(first: 100, {of('largest')}) {{ nodes {{ addresses {{ id }} phoneNumbers {{ id }} }} }}"
    assert commands_of(full, asking, f"{{ {page} }}") == ["find", "killCursors"]
    assert commands_of(full, asking, f"{{ a: {page} b: {page} }}") == ["find", "killCursors"]


def test_c085_pages_are_read_in_turn_until_they_are_too_much_together(full: Gateway, asking: httpx2.Client) -> None:
    page = f"customers(first: 20, {of('largest')}) {{ nodes {{ addresses {{ city }} }} }}"
    pages = " ".join(f"p{number}: {page}" for number in range(15))
    assert commands_of(full, asking, f"{{ {pages} }}") == ["find", "find"]


@pytest.mark.parametrize(
    "selected",
    [
        " ".join(f"a{number}: addresses {{ id street1 street2 city state country }}" for number in range(15)),
        f"addresses {{ {' '.join(f'a{number}: street1' for number in range(15))} }}",
    ],
    ids=["a list by 15 aliases", "a leaf by 15 aliases"],
)
def test_c085_what_is_read_once_and_answered_often_is_refused_too(selected: str, asking: httpx2.Client) -> None:
    query = f"{{ customers(first: 20, {of('largest')}) {{ nodes {{ {selected} }} }} }}"
    refused(ask(asking, query), 400, "answer-too-large")


def test_c085_so_is_one_customer_a_hundred_times(asking: httpx2.Client) -> None:
    query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Customer {{ {CUSTOMER} }} }} }}"
    refused(ask(asking, query, variables={"ids": [id_of("largest", 0)] * 100}), 400, "answer-too-large")
    two: dict[str, Any] = ask(asking, query, variables={"ids": [id_of("largest", 0)] * 2}).json()
    assert len(two["data"]["nodes"]) == 2


def test_c085_a_mutation_tells_what_it_did_whatever_its_size(full: Gateway, asking: httpx2.Client) -> None:
    parts = "addresses { id street1 street2 city state country } "
    many = " ".join(f"a{number}: {parts}" for number in range(14)) + parts
    change = f'setNotificationPreferences(customerId: "%s", ifVersion: 1, patch: {{sms: true}}) {{ {many} }}'
    for number in (50, 51):
        answer = ask(asking, f"mutation {{ {change % id_of('largest', number)} }}")
        assert "errors" not in answer.json()
        assert len(answer.content) > MAX_ANSWER * 0.3
