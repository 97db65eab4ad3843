"""One question, every door: the same ids in the same order, and those that plain Python finds."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.documents import Customer, instant, new_id
from storage.query import Search
from storage.store import StoreOptions, open_store
from tests import factories, questions
from tests.conftest import StartGateway
from tests.evaluate import bare, holds, ordered
from tests.harness import Gateway

COUNT = 90
EXAMPLES = int(os.environ.get("QUESTIONS", "60"))
"""How many questions each property asks; `make questions` asks more."""
ORDERS = ("id", "firstName", "middleName", "lastName", "email", "createdAt", "updatedAt")
ENUMS = {name: "".join(f"_{c}" if c.isupper() else c.upper() for c in name) for name in ORDERS}
_BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANTS = tuple(instant(_BEGIN + timedelta(milliseconds=step * 500)) for step in range(12))


def _part(part: dict[str, Any]) -> dict[str, Any]:
    return {"id": new_id(), **part}


def _customer(chance: random.Random) -> Customer:
    pick = chance.choice
    address = [
        _part(
            factories.address(
                type=pick(("home", "work", "billing")),
                city=pick(questions.CITIES),
                street1=pick(questions.CITIES),
                country=pick(questions.COUNTRIES),
                street2=pick((None, "b", "")),
            )
        )
        for _ in range(pick((1, 2, 3)))
    ]
    phones = [
        _part(
            factories.phone_number(
                type=pick(("mobile", "other")),
                number=pick(questions.NUMBERS),
                countryCode=pick(questions.CODES),
                extension=pick((None, "12")),
            )
        )
        for _ in range(pick((1, 2)))
    ]
    document = factories.customer(
        firstName=pick(questions.NAMES),
        middleName=pick((None, None, *questions.NAMES)),
        lastName=pick(questions.NAMES),
        addresses=address,
        phoneNumbers=phones,
        notificationPreferences={name: chance.random() < 0.5 for name in ("email", "sms", "push", "mail")},
    )
    times = sorted(chance.choices(INSTANTS, k=2))
    return cast("Customer", {"id": new_id(), "version": 1, **document, "createdAt": times[0], "updatedAt": times[1]})


@dataclass(repr=False)
class World:
    """A gateway over known customers."""

    gateway: Gateway
    customers: list[dict[str, Any]]


@pytest.fixture(scope="module")
def world(mongod_url: str) -> Iterator[World]:
    """A gateway over customers that differ in every way that matters."""
    from tests.harness import running

    customers = [_customer(random.Random(number)) for number in range(COUNT)]
    database = f"test_{new_id()[:13]}"

    async def fill() -> None:
        async with open_store(StoreOptions(mongod_url, database)) as store:
            await store.ensure_indexes()
            await store.customers.create_many(customers)

    asyncio.run(fill())
    with running(mongod_url, database) as gateway:
        yield World(gateway, cast("list[dict[str, Any]]", customers))


_QUERY = """query Q($filter: CustomerFilter, $search: String, $orderBy: [CustomerOrder!]) {
  customers(first: 100, filter: $filter, search: $search, orderBy: $orderBy) { totalCount nodes { id } }
  customerPage(size: 100, filter: $filter, search: $search, orderBy: $orderBy) { items { id } page { totalElements } }
}"""


def _ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


def _rest(world: World, **parameters: Any) -> list[str]:
    response = world.gateway.http.get("/api/v1/customers", params={"size": 100, **parameters})
    assert response.status_code == 200, (parameters, response.text)
    body = response.json()
    assert body["page"]["totalElements"] == len(body["content"])
    return _ids(body["content"])


def _searched(world: World, **body: Any) -> list[str]:
    response = world.gateway.http.post("/api/v1/customers:search", json={"size": 100, **body})
    assert response.status_code == 200, response.text
    return _ids(response.json()["content"])


def _graphql(world: World, **variables: Any) -> list[str]:
    data = world.gateway.data(_QUERY, **variables)
    nodes, page = _ids(data["customers"]["nodes"]), data["customerPage"]
    assert nodes == _ids(page["items"])
    assert data["customers"]["totalCount"] == page["page"]["totalElements"] == len(nodes)
    return nodes


_TERMS = st.lists(st.tuples(st.sampled_from(ORDERS), st.booleans()), min_size=1, max_size=3, unique_by=lambda t: t[0])
_SLOW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@_SLOW
@given(condition=questions.conditions(INSTANTS), terms=_TERMS)
def test_every_door_answers_a_filter_as_plain_python_does(
    world: World, condition: questions.Condition, terms: list[tuple[str, bool]]
) -> None:
    where = questions.tree(condition)
    expected = ordered([c for c in world.customers if holds(where, c)], terms)
    text = questions.odata(condition)
    sort_by = ",".join(("-" if down else "+") + name for name, down in terms)
    if len(text) < 1000:
        assert _rest(world, filter=text, sort_by=sort_by) == expected
    sorts = [f"{name},{'desc' if down else 'asc'}" for name, down in terms]
    assert _searched(world, filter=text, sort=sorts) == expected
    order = [{"field": ENUMS[name], "direction": "DESC" if down else "ASC"} for name, down in terms]
    assert _graphql(world, filter=questions.graphql(condition), orderBy=order) == expected


_WORDS = st.lists(
    st.sampled_from([name[:length] for name in (*questions.NAMES, *questions.CITIES) for length in (1, 2, 3, 7)]),
    min_size=1,
    max_size=2,
)


@_SLOW
@given(parts=_WORDS)
def test_every_door_searches_words_as_plain_python_does(world: World, parts: list[str]) -> None:
    import re

    text = " ".join(parts)
    if re.fullmatch(r"[0-9+()./ \t-]*[0-9][0-9+()./ \t-]*", text):
        asked: tuple[str, ...] = (re.sub(r"[^0-9]", "", text),)
    else:
        asked = tuple(re.findall(r"[^\W_]+", bare(text)))
    where = Search(asked)
    expected = ordered([c for c in world.customers if holds(where, c)], [("createdAt", False)])
    assert _rest(world, q=text) == expected
    assert _searched(world, q=text) == expected
    assert _graphql(world, search=text) == expected


SIMPLE = (
    ("lastName", "müLLER", ("is", "lastName", "eq", "müLLER")),
    ("last_name", "weiss", ("is", "lastName", "eq", "weiss")),
    ("city", "berlin", ("some", "addresses", ("is", "city", "eq", "berlin"))),
    ("country", "DE", ("some", "addresses", ("is", "country", "eq", "DE"))),
    ("addressType", "work", ("some", "addresses", ("is", "type", "eq", "work"))),
    ("phone_type", "other", ("some", "phoneNumbers", ("is", "type", "eq", "other"))),
    ("phone", "+1 202-875 4343", ("is", "phone", "eq", "12028754343")),
    ("createdAfter", INSTANTS[4], ("is", "createdAt", "gt", INSTANTS[4])),
    ("created_before", INSTANTS[4], ("is", "createdAt", "lt", INSTANTS[4])),
    ("updatedAfter", INSTANTS[6], ("is", "updatedAt", "gt", INSTANTS[6])),
    ("updatedBefore", INSTANTS[6], ("is", "updatedAt", "lt", INSTANTS[6])),
    ("notify", "sms", ("is", "notificationPreferences.sms", "eq", True)),
)


@pytest.mark.parametrize(("name", "value", "condition"), SIMPLE, ids=[name for name, _, _ in SIMPLE])
def test_a_simple_filter_means_its_condition(
    world: World, name: str, value: str, condition: questions.Condition
) -> None:
    expected = ordered([c for c in world.customers if holds(questions.tree(condition), c)], [("createdAt", False)])
    assert _rest(world, **{name: value}) == expected
    assert _graphql(world, filter=questions.graphql(condition)) == expected


DIALECTS: tuple[dict[str, Any], ...] = (
    {"sort": ["lastName,desc", "firstName,desc"]},
    {"sort_fields": "lastName,firstName", "sort": "desc"},
    {"sort_field": "last_name,first_name", "sort": "DESC"},
    {"sort_by": "-lastName,-firstName"},
    {"sortBy": "lastName:desc,first_name:desc"},
)


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_every_dialect_of_sorting_gives_the_same_order(world: World, dialect: dict[str, Any]) -> None:
    assert _rest(world, **dialect) == ordered(world.customers, [("lastName", True), ("firstName", True)])


@_SLOW
@given(
    condition=st.one_of(st.none(), questions.conditions(INSTANTS)),
    terms=_TERMS,
    size=st.sampled_from((7, 40)),
    backward=st.booleans(),
)
def test_cursors_walk_any_list_forward_and_backward(
    world: World, condition: questions.Condition | None, terms: list[tuple[str, bool]], size: int, *, backward: bool
) -> None:
    chosen = [c for c in world.customers if condition is None or holds(questions.tree(condition), c)]
    expected = ordered(chosen, terms)
    order = [{"field": ENUMS[name], "direction": "DESC" if down else "ASC"} for name, down in terms]
    asked = None if condition is None else questions.graphql(condition)
    limit, start = ("last", "before") if backward else ("first", "after")
    query = f"""query Q($n: Int, $c: String, $f: CustomerFilter, $o: [CustomerOrder!]) {{
      customers({limit}: $n, {start}: $c, filter: $f, orderBy: $o) {{
        edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
    seen: list[str] = []
    cursor = None
    for _ in range(len(expected) // size + 2):
        answer = world.gateway.data(query, n=size, c=cursor, f=asked, o=order)["customers"]
        ids, page = [edge["node"]["id"] for edge in answer["edges"]], answer["pageInfo"]
        seen = [*ids, *seen] if backward else [*seen, *ids]
        ahead, behind = ("hasPreviousPage", "hasNextPage") if backward else ("hasNextPage", "hasPreviousPage")
        assert page[behind] == (cursor is not None)
        assert page[ahead] == (len(seen) < len(expected))
        if not page[ahead]:
            break
        cursor = page["startCursor" if backward else "endCursor"]
    assert seen == expected


def test_a_gateway_can_be_started_for_questions_alone(start_gateway: StartGateway) -> None:
    """An empty list has no pages, no cursors and no totals but zero."""
    empty = start_gateway()
    body = empty.http.get("/api/v1/customers", params={"cursor": "", "count": "exact"})
    assert body.json() == {"content": [], "page": {"size": 25, "totalElements": 0, "totalPages": 0}}
    assert "Next-Cursor" not in body.headers
