"""Lists as they are shown: rendered once for each version of a customer, and never older than the request."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import httpx2
import orjson
import pytest
from pymongo import MongoClient

from resolvers.changes import Target
from resolvers.commands import ChangeCustomer, CreateCustomer, DeleteCustomer
from resolvers.context import Context
from resolvers.customers import create_customer, delete_customer, update_customer
from resolvers.pages import PageReads
from resolvers.patches import MergePatch
from resolvers.preconditions import ANY, Precondition
from resolvers.renderings import ReadPage, RenderMemory
from storage.documents import Customer
from storage.query import Order, OrderField, Question
from storage.store import Store
from tests import factories
from tests.conftest import StartGateway
from tests.crowd import LIST
from tests.harness import Gateway
from tests.resolvers.conftest import NewContext

ALL = Question(order=(Order(OrderField.FIRST_NAME),), limit=100)


class Counting:
    """Renders whole customers, and notes at which versions."""

    def __init__(self, most: int = 1_000_000) -> None:
        self.rendered: list[int] = []
        self.memory = RenderMemory(most)
        self.form = self.memory.form(None, self._render)

    def _render(self, customer: Customer) -> tuple[bytes, int]:
        self.rendered.append(customer["version"])
        return orjson.dumps(customer), 0

    async def read(self, store: Store, pages: PageReads | None = None) -> ReadPage:
        """Read the list of all."""
        return await self.form.read(pages or PageReads(), store, ALL)

    async def names(self, store: Store) -> list[str]:
        """Read the list; return what is shown as names, each with its version."""
        page = await self.read(store)
        shown = orjson.loads(b"[%b]" % page.shown.json()) if page.shown is not None else []
        assert [one["id"] for one in page.customers] == [one["id"] for one in shown]
        return [f"{one['firstName']} {one['version']}" for one in shown]


async def made(ctx: Context, *names: str) -> list[Customer]:
    commands = [CreateCustomer(partial(factories.customer, firstName=name)) for name in names]
    return [await create_customer(ctx, command) for command in commands]


async def renamed(ctx: Context, customer: Customer, name: str) -> None:
    await update_customer(
        ctx, ChangeCustomer(Target(customer["id"], Precondition(match=ANY)), MergePatch(lambda: {"firstName": name}))
    )


async def warm(renderings: Counting, store: Store) -> None:
    """Ask often enough that versions are asked for first."""
    for _ in range(5):
        await renderings.names(store)
    renderings.rendered.clear()


async def test_each_version_is_rendered_once(context: NewContext, store: Store) -> None:
    ctx, renderings = context(), Counting()
    ann, _bob = await made(ctx, "Ann", "Bob")
    await warm(renderings, store)
    assert await renderings.names(store) == ["Ann 1", "Bob 1"]
    await renamed(ctx, ann, "Anna")
    await made(ctx, "Cyd")
    assert await renderings.names(store) == ["Anna 2", "Bob 1", "Cyd 1"]
    assert await renderings.names(store) == ["Anna 2", "Bob 1", "Cyd 1"]
    assert sorted(renderings.rendered) == [1, 2]
    assert (renderings.memory.entries, renderings.memory.hits > renderings.memory.misses) == (3, True)


async def test_nothing_but_versions_is_read_of_those_at_hand(context: NewContext, store: Store) -> None:
    renderings = Counting()
    await made(context(), "Ann", "Bob")
    whole = (await renderings.read(store)).customers
    await warm(renderings, store)
    stubs = (await renderings.read(store)).customers
    assert "email" in whole[0]
    assert [set(one) for one in stubs] == [{"id", "version", "firstName"}] * 2


async def test_who_is_erased_is_shown_no_more(context: NewContext, store: Store) -> None:
    ctx, renderings = context(), Counting()
    ann, bob = await made(ctx, "Ann", "Bob")
    await warm(renderings, store)
    await delete_customer(ctx, DeleteCustomer(Target(ann["id"], Precondition(match=ANY))))
    assert await renderings.names(store) == ["Bob 1"]

    class Meanwhile(PageReads):
        """Erases Bob before the second read of a list."""

        async def find(self, store: Store, question: Question) -> list[Customer]:
            if question.fields is None and await store.customers.get(bob["id"]):
                await delete_customer(ctx, DeleteCustomer(Target(bob["id"], Precondition(match=ANY))))
            return await super().find(store, question)

    await renamed(ctx, bob, "Rob")
    page = await renderings.read(store, Meanwhile())
    assert (page.customers, page.shown) == ([], [])


@pytest.mark.parametrize("act", ["erase", "rename"])
async def test_a_page_is_whole_and_in_order_whatever_happens_between_its_two_reads(
    context: NewContext, store: Store, act: str
) -> None:
    """A page that lacks one would seem to be the last, and who walks by cursor would miss all that follow."""
    ctx, renderings = context(), Counting()
    ann, *_ = await made(ctx, "Ann", "Bob", "Cyd", "Dan")
    await warm(renderings, store)
    await renamed(ctx, ann, "Anna")

    class Meanwhile(PageReads):
        """Erases or renames Ann before the second read."""

        reads = 0

        async def find(self, store: Store, question: Question) -> list[Customer]:
            self.reads += 1
            if self.reads == 2 and act == "erase":
                await delete_customer(ctx, DeleteCustomer(Target(ann["id"], Precondition(match=ANY))))
            elif self.reads == 2:
                await renamed(ctx, ann, "Zoe")
            return await super().find(store, question)

    page = await renderings.form.read(Meanwhile(), store, replace(ALL, limit=3))
    assert page.shown is not None
    assert [orjson.loads(one.json)["firstName"] for one in page.shown] == ["Bob", "Cyd", "Dan"]
    assert [(one["id"], one["version"]) for one in page.customers] == [
        (orjson.loads(one.json)["id"], one.version) for one in page.shown
    ]


async def test_what_was_made_before_the_last_turn_is_let_go(context: NewContext, store: Store) -> None:
    renderings = Counting()
    await made(context(), "Ann", "Bob")
    await warm(renderings, store)
    renderings.memory.turn()
    await renderings.names(store)
    assert (renderings.memory.entries, renderings.rendered) == (2, [])
    renderings.memory.turn()
    assert renderings.memory.entries == 0
    assert await renderings.names(store) == ["Ann 1", "Bob 1"]
    assert renderings.rendered == [1, 1]


@pytest.mark.parametrize("most", [500, 2000, 5000])
async def test_they_take_no_more_memory_than_they_may(context: NewContext, store: Store, most: int) -> None:
    renderings = Counting(most)
    await made(context(), *(f"Name{number}" for number in range(9)))
    expected = [f"Name{number} 1" for number in range(9)]
    other = renderings.memory.form(None, lambda _customer: (bytes(100), 0))

    def check() -> None:
        held = [*renderings.form.kept.values(), *other.kept.values()]
        assert renderings.memory._bytes == sum(len(one.json) + 350 for one in held) <= most
        assert renderings.memory.entries == len(held) < 18

    for _ in range(6):
        assert await renderings.names(store) == expected
        check()
        await other.read(PageReads(), store, ALL)
        check()


SHAPES: tuple[dict[str, Any], ...] = (
    {},
    {"size": 3, "page": 2},
    {"size": 4, "count": "none"},
    {"size": 4, "cursor": ""},
    {"sort": "updatedAt,desc", "size": 6},
    {"sort_by": "-lastName,+firstName", "cursor": "", "size": 5},
    {"city": "k\u00f6ln"},
    {"q": "name00"},
    {"fields": "firstName,addresses.city"},
)


def asked(gateway: Gateway, shape: dict[str, Any], profile: str) -> tuple[int, bytes, dict[str, str]]:
    """Return a list as a client gets it, with the headers that lead on by page; cursors are sealed anew each time."""
    answer = gateway.http.get(LIST, params=shape, headers={"Accept": f"application/json;profile={profile}"})
    link = "" if "cursor" in shape else answer.headers.get("link", "")
    return answer.status_code, answer.content, {"link": link, "type": answer.headers["content-type"]}


def test_what_is_kept_shows_in_no_answer(start_gateway: StartGateway) -> None:
    """Every kind of list is answered alike with and without renderings, before and after each change by another."""
    kept, plain = start_gateway(), start_gateway(render_cache="0")
    bodies = [factories.customer(firstName=f"Name00{number}", lastName=f"Last{number % 3}") for number in range(9)]
    made = [plain.http.post(LIST, json=body).json()["id"] for body in bodies]
    for change in range(4):
        for _ in range(4):
            for shape in SHAPES:
                assert asked(kept, shape, "plain") == asked(plain, shape, "plain")
        for shape in SHAPES[:3]:
            assert asked(kept, shape, "enveloped") == asked(plain, shape, "enveloped")
        searched = {"size": 4, "sort": "firstName,desc"}
        assert kept.http.post(f"{LIST}:search", json=searched).content == (
            plain.http.post(f"{LIST}:search", json=searched).content
        )
        headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
        one = f"{LIST}/{made[change]}"
        assert plain.http.patch(one, content=b'{"lastName": "Other"}', headers=headers).status_code == 200
        assert plain.http.delete(f"{LIST}/{made[-1 - change]}").status_code == 204
    hits = next(line for line in metrics(kept) if "listed-customers" in line and '"hit"' in line)
    assert float(hits.split()[-1]) > 200


QUESTIONS = (
    "{ customerPage(size: 100) { items { id version etag firstName addresses { id city } phoneNumbers { number } } } }",
    "{ customerPage(size: 4) { items { email addresses { type } } page { totalElements } again: __typename } }",
    "{ customerPage(size: 4) { a: items { email addresses { type } } b: items { lastName phoneNumbers { type } } } }",
    '{ customerPage(size: 4, filter: {lastName: {eq: "Last1"}}) { items { n: firstName addresses { id } } } }',
    "{ customers(first: 3) { nodes { id addresses { id state } __typename } pageInfo { hasNextPage } } }",
    "{ customers(last: 3) { edges { node { id addresses { id state } } } } }",
    "{ customers(last: 3) { nodes { addresses { id } } edges { node { email } } totalCount } }",
    "{ customerPage(size: 0) { items { addresses { id } } } }",
)


def told(gateway: Gateway, query: str) -> tuple[int, Any, Any]:
    """Return data, problems and cost of an answer."""
    answer = httpx2.post(f"{gateway.url}/graphql", json={"query": query}, headers={"X-API-Key": gateway.key})
    body = answer.json()
    errors = [{**one, "extensions": one["extensions"]["code"]} for one in body.get("errors", ())]
    data = answer.content.partition(b'"extensions"')[0] if not errors else body.get("data")
    return answer.status_code, (data, errors), body["extensions"]["cost"]["actual"]


def test_what_is_kept_shows_in_no_answer_of_graphql(start_gateway: StartGateway) -> None:
    """Each question is answered byte for byte alike with and without renderings; a broken document as one that is."""
    kept, plain = start_gateway(), start_gateway(render_cache="0")
    bodies = [factories.customer(firstName=f"Name00{number}", lastName=f"Last{number % 3}") for number in range(9)]
    made = [plain.http.post(LIST, json=body).json()["id"] for body in bodies]
    headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    for change in range(3):
        for _ in range(5):
            for query in QUESTIONS:
                assert told(kept, query) == told(plain, query), query
        one = f"{LIST}/{made[change]}"
        assert plain.http.patch(one, content=b'{"lastName": "Other"}', headers=headers).status_code == 200
        assert plain.http.delete(f"{LIST}/{made[-1 - change]}").status_code == 204
    hits = next(line for line in metrics(kept) if "listed-customers" in line and '"hit"' in line)
    assert float(hits.split()[-1]) > 100
    broken = {"$set": {"addresses.0.city": None}, "$inc": {"version": 1}}
    with MongoClient[dict[str, Any]](plain.store_url) as client:
        client[plain.database]["customers"].update_one({"id": made[0]}, broken)
    for query in QUESTIONS:
        assert told(kept, query) == told(plain, query), query


def metrics(gateway: Gateway) -> list[str]:
    """Return the lines of /metrics."""
    return httpx2.get(f"{gateway.url}/metrics", headers={"X-API-Key": gateway.key}).text.splitlines()
