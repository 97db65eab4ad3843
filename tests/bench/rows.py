"""What is asked of a small and of a large collection: each row is a list of requests, sent in turn."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests import factories
from tests.bench.processes import Client

Request = tuple[str, str, bytes | None]
RARE, RARE_COUNT = "Featherstonehaugh", 40
_DEEP_PAGES = 16
_WALK = {"size": "100", "fields": "id"}
_LAST_NAMES = ("Johnson", "Müller", "Lefèvre", "佐藤", "Araújo", "Patel", "Wójcik", "Γεωργίου", "O'Brien", "Okafor")
_CITIES = ("Berlin", "Paris", "東京", "São Paulo", "Mumbai", "Kraków", "Αθήνα", "Dublin", "Lagos", "New York")
_COUNTRIES = ("USA", "DE", "FR", "JP", "BR", "IN", "PL", "GR", "IE", "NG")
ALL_FIELDS = """id firstName middleName lastName email createdAt updatedAt
notificationPreferences { email sms push mail }
addresses { type street1 street2 city state postalCode country }
phoneNumbers { type countryCode number extension }"""


@dataclass(frozen=True)
class Row:
    """One line of the table; `flat` says that its cost must not grow with the collection."""

    name: str
    flat: bool
    requests: list[Request]


def add_rare(client: Client) -> None:
    """Create the customers of the rare name."""
    for number in range(RARE_COUNT):
        client.create(factories.customer(lastName=RARE, email=f"rare{number}@example.org"))


def rows(client: Client) -> list[Row]:
    """Return all rows for one collection; walks to the middle of its lists first."""
    walked, by_name = _half_way(client), _half_way(client, sort="lastName")
    return [
        *_flat(client, walked, by_name),
        *_graphql(client),
        *_scattered(client, walked, by_name),
        *_growing(client),
    ]


def _flat(client: Client, walked: list[str], by_name: list[str]) -> Iterator[Row]:
    def row(name: str, *lists: dict[str, str]) -> Row:
        return Row(name, True, [client.list_request({"size": "25", **one}) for one in lists])

    def deep(name: str, cursors: list[str], **of: str) -> Row:
        return row(name, *({**of, "cursor": cursor} for cursor in cursors[-_DEEP_PAGES:]))

    def first(name: str, parameter: str, values: tuple[str, ...]) -> Row:
        return row(name, *({parameter: value, "cursor": ""} for value in values))

    yield row("first page, with the total", {})
    yield deep("deep page by cursor", walked)
    yield row("`sort=lastName`, first page", {"sort": "lastName", "cursor": ""})
    yield deep("`sort=lastName`, deep page by cursor", by_name, sort="lastName")
    yield first("`lastName=`", "lastName", _LAST_NAMES)
    yield first("`city=`", "city", _CITIES)
    yield deep("`city=`, deep page by cursor", _half_way(client, city="Berlin"), city="Berlin")
    yield first("`country=`", "country", _COUNTRIES)
    yield first(f"`lastName=`, a rare one ({RARE_COUNT} customers)", "lastName", (RARE,))
    yield first("`filter=`, three conditions on one address", "filter", tuple(map(_address, _CITIES[:2])))
    yield row("`createdAfter=`, the newest 1,000", {"createdAfter": _recent(client), "cursor": ""})
    yield first("`notify=sms`", "notify", ("sms", "push"))
    yield first("`q=`, two letters", "q", ("an", "mu", "sa", "be", "jo"))
    yield first("`q=`, a long word", "q", ("johnson", "schafer", "lefevre", "gonçalves", "kowalska", "marseille"))
    yield first("`q=`, two words", "q", ("anna mu", "ava john", "zoe mor", "priya sha", "sean byr"))
    yield row("total of all customers", {"size": "1", "fields": "id"})


def _address(city: str) -> str:
    return f"addresses/any(a: a/city eq '{city}' and a/type eq 'home' and startswith(a/postalCode, '{_code(city)}'))"


def _code(city: str) -> str:
    return {"Berlin": "10", "Paris": "75"}[city]


def _half_way(client: Client, **of: str) -> list[str]:
    """Walk to the middle of a list, through the API; return the cursors on the way."""
    total = client.get({**of, "count": "exact", "size": "1", "fields": "id"})[0]["page"]["totalElements"]
    cursors = [""]
    for _ in range(total // 200):
        cursors.append(client.get({**_WALK, **of, "cursor": cursors[-1]})[1])
    return cursors


def _recent(client: Client) -> str:
    """Return the moment after which 1,000 customers were created."""
    page = {"size": "100", "page": "10", "count": "none", "fields": "createdAt", "sort": "createdAt,desc"}
    return str(client.get(page)[0]["content"][-1]["createdAt"])


def _graphql(client: Client) -> Iterator[Row]:
    def row(name: str, *queries: str) -> Row:
        return Row(name, True, [("POST", "/graphql", json.dumps({"query": query}).encode()) for query in queries])

    yield row("GraphQL: first page, all fields", f"{{ customers(first: 25) {{ nodes {{ {ALL_FIELDS} }} }} }}")
    filtered = "{ customers(first: 25, filter: %s) { nodes { id firstName lastName } } }"
    asked = ["{addresses: {some: {city: {eq: " + json.dumps(city, ensure_ascii=False) + "}}}}" for city in _CITIES]
    yield row("GraphQL: by city, three fields", *(filtered % one for one in asked))


def _scattered(client: Client, walked: list[str], by_name: list[str]) -> Iterator[Row]:
    """Places all over the list, in no order: what a store pays that cannot hold everything in its cache."""
    for name, of, cursors in (
        ("any page by cursor, each time another", {}, walked),
        ("`sort=lastName`, any page by cursor, each time another", {"sort": "lastName"}, by_name),
    ):
        places = random.Random(1).sample(cursors, len(cursors))
        yield Row(name, False, [client.list_request({"size": "25", **of, "cursor": cursor}) for cursor in places])


def _growing(client: Client) -> Iterator[Row]:
    def row(name: str, *lists: dict[str, str]) -> Row:
        return Row(name, False, [client.list_request(one) for one in lists])

    by_cursor = {"size": "25", "cursor": ""}
    yield row("page 1,000 by offset, of 10 each", {"page": "1000", "size": "10", "count": "none"})
    yield row("exact count of a filter (`country=`)", {"country": "DE", "size": "1", "fields": "id"})
    yield row("`q=`, two common words that never meet", {**by_cursor, "q": "anna moreau"})
    yield row("`contains`, found in few", {**by_cursor, "filter": "contains(lastName, 'tonehau')"})
    yield row("a filter in another order", {**by_cursor, "city": "Berlin", "sort": "lastName"})
    yield row("an order of two fields without an index", {**by_cursor, "sort_by": "firstName,email"})
