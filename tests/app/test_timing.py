"""Where the time went, and how few calls of the store it takes."""

from __future__ import annotations

import re

from tests.harness import Gateway


def calls(header: str) -> int:
    """Return how many calls of the store an answer's Server-Timing tells."""
    found = re.fullmatch(r'store;dur=[0-9]+\.[0-9]{2};desc="([0-9]+) calls", total;dur=[0-9]+\.[0-9]{2}', header)
    assert found, header
    return int(found[1])


def test_every_answer_says_how_long_the_store_and_the_whole_took(gateway: Gateway) -> None:
    for path in ("/health/live", "/api/v1/customers?size=1", "/api/v1/nowhere"):
        assert calls(gateway.http.get(path).headers["Server-Timing"]) >= 0


def test_c089_a_page_of_100_with_its_nested_parts_takes_at_most_three_calls(gateway: Gateway) -> None:
    gateway.http.get("/api/v1/customers?size=1")  # key and total are looked at closely the first time
    query = "{ customers(first: 100) { totalCount nodes { id addresses { id city } phoneNumbers { id number } } } }"
    response = gateway.http.post("/graphql", json={"query": query})
    assert "errors" not in response.json()
    assert calls(response.headers["Server-Timing"]) <= 3


def test_ids_that_come_one_by_one_are_read_together(gateway: Gateway) -> None:
    """Ten aliases of one query are ten waits, and one or two reads of the store."""
    ids = [gateway.create()["id"] for _ in range(10)]
    query = "{" + " ".join(f'c{number}: customer(id: "{one}") {{ id }}' for number, one in enumerate(ids)) + "}"
    response = gateway.http.post("/graphql", json={"query": query})
    assert calls(response.headers["Server-Timing"]) <= 2
    data = response.json()["data"]
    assert [data[f"c{number}"]["id"] for number in range(10)] == ids
