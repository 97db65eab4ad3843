"""No read that begins after a write was acknowledged, or after another read has ended, sees an older version.

Writers and readers of a few customers take turns at random. An operation notes the newest version of each
customer that any operation ended with before it began; if it ends with an older one, time went back.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

import orjson
import pytest

from resolvers.pages import PageReads
from resolvers.renderings import Renderings, RenderMemory
from storage.documents import Customer, CustomerId
from storage.errors import WriteConflict
from storage.query import Question, by_ids
from storage.reads import GatheredReads, Read, SharedReads
from storage.store import Store
from tests.storage.test_customers import customer

GONE = 1 << 30
"""Stands for the version of a customer that was deleted."""


@dataclass
class History:
    """What operations have ended with so far: the `newest` version of each customer, and what versions say.

    Several may have `tried` to write one version; only one may be `acknowledged`.
    """

    newest: dict[CustomerId, int] = field(default_factory=dict)
    tried: dict[tuple[CustomerId, int], set[str]] = field(default_factory=dict)
    acknowledged: dict[tuple[CustomerId, int], str] = field(default_factory=dict)
    deleting: set[CustomerId] = field(default_factory=set)
    reads: int = 0
    faults: list[str] = field(default_factory=list)

    def saw(self, before: dict[CustomerId, int], customer_id: CustomerId, found: Customer | None, how: str) -> None:
        """Note what a read found that began when the newest versions were `before`."""
        self.reads += 1
        if found is not None:
            version = found["version"]
            self._check_words((customer_id, version), found["lastName"], how)
        else:
            version = GONE if customer_id in self.deleting and before.get(customer_id) else 0
        if version < before.get(customer_id, 0):
            self.faults.append(f"{how} saw {version} after {before[customer_id]}")
        self.ended(customer_id, version)

    def _check_words(self, key: tuple[CustomerId, int], name: str, how: str) -> None:
        if name not in self.tried.get(key, ()) or self.acknowledged.get(key, name) != name:
            self.faults.append(f"{how} saw in {key[1]} what was not written there")

    def wrote(self, key: tuple[CustomerId, int], name: str) -> None:
        """Note that a version was acknowledged to who wrote it."""
        if key in self.acknowledged:
            self.faults.append(f"two were told that they wrote version {key[1]}")
        self.acknowledged[key] = name
        self.ended(*key)

    def ended(self, customer_id: CustomerId, version: int) -> None:
        """Note that an operation has ended and told its caller of a version."""
        self.newest[customer_id] = max(version, self.newest.get(customer_id, 0))


@dataclass
class Actors:
    """Those who write and read, over one history."""

    store: Store
    chance: random.Random
    customers: list[Customer]
    history: History = field(default_factory=History)
    renderings: Renderings = field(
        default_factory=lambda: RenderMemory(1_000_000).form(None, lambda one: (orjson.dumps(one), 0))
    )

    async def pause(self) -> None:
        """Give way a few times, or not at all."""
        for _ in range(self.chance.choice((0, 0, 1, 2, 5, 20))):
            await asyncio.sleep(0)

    async def create(self, made: Customer) -> None:
        """Create one customer, which others already look for."""
        key = (made["id"], 1)
        self.history.tried[key] = {made["lastName"]}
        await self.pause()
        await self.store.customers.create(made)
        self.history.wrote(key, made["lastName"])

    async def replace(self) -> None:
        """Read a customer and put the next version in its place; of several who try, one may win."""
        current = await self.get(self.chance.choice(self.customers)["id"])
        if current is None:
            return
        await self.pause()
        name = f"Name{self.chance.getrandbits(64)}"
        wanted = cast("Customer", {**current, "version": current["version"] + 1, "lastName": name})
        key = (wanted["id"], wanted["version"])
        self.history.tried.setdefault(key, set()).add(name)
        if await self.store.customers.replace(wanted, version=current["version"]):
            self.history.wrote(key, name)

    async def delete(self) -> None:
        """Delete the last customer, if it is there."""
        current = await self.get(self.customers[-1]["id"])
        if current is None:
            return
        self.history.deleting.add(current["id"])
        try:
            erased = await self.store.customers.delete(
                current["id"], version=current["version"], deleted_at=current["createdAt"]
            )
        except WriteConflict:
            return
        if erased is not None:
            self.history.ended(current["id"], GONE)

    async def get(self, customer_id: CustomerId) -> Customer | None:
        """Read by id, together with whoever else reads."""
        before = dict(self.history.newest)
        found = await self.store.customers.get(customer_id)
        self.history.saw(before, customer_id, found, "get")
        return found

    async def read(self) -> None:
        """Read one customer by id or e-mail, or all as a list."""
        wanted = self.chance.choice(self.customers)
        before = dict(self.history.newest)
        match self.chance.randrange(8):
            case 0:
                found = await self.store.customers.find_by_email(wanted["email"])
                self.history.saw(before, wanted["id"], found, "by e-mail")
            case 1 | 2 | 3 | 4:
                await self._list(before)
            case _:
                await self.get(wanted["id"])

    async def _list(self, before: dict[CustomerId, int]) -> None:
        ids = tuple(one["id"] for one in self.customers)
        question = Question(by_ids(ids), limit=100)
        rendered = self.chance.random() < 0.5
        found = {one["id"]: one for one in await (self._shown(question) if rendered else self._found(question))}
        for customer_id in ids:
            self.history.saw(before, customer_id, found.get(customer_id), "rendered list" if rendered else "list")

    async def _found(self, question: Question) -> list[Customer]:
        return await self.store.customers.find(question)

    async def _shown(self, question: Question) -> list[Customer]:
        """Read a list as it is shown, by versions first or not."""
        self.renderings._share = self.chance.choice((0.0, 1.0))
        page = await self.renderings.read(PageReads(), self.store, question)
        return [orjson.loads(one.json) for one in page.shown or ()]


async def repeat(actors: Actors, action: Callable[[], Awaitable[object]], times: int) -> None:
    for _ in range(times):
        await actors.pause()
        await action()


async def play(store: Store, seed: int) -> History:
    """Let eight writers and readers act at once on four new customers."""
    actors = Actors(store, random.Random(seed), [customer() for _ in range(4)])
    async with asyncio.TaskGroup() as group:
        for one in actors.customers:
            group.create_task(actors.create(one))
        for _ in range(3):
            group.create_task(repeat(actors, actors.replace, 12))
        for _ in range(6):
            group.create_task(repeat(actors, actors.read, 16))
        group.create_task(repeat(actors, actors.delete, 1))
    await settle(actors)
    return actors.history


async def settle(actors: Actors) -> None:
    """See that every acknowledged write has counted, once all have ended."""
    history = actors.history
    for one in actors.customers:
        found = await actors.get(one["id"])
        if found is not None and found["version"] != history.newest[one["id"]]:
            history.faults.append("the last version is not the newest one acknowledged")


@pytest.mark.parametrize("batch", range(4))
async def test_c028_no_read_sees_an_older_version_than_was_told_before_it_began(store: Store, batch: int) -> None:
    histories = [await play(store, 1000 * batch + number) for number in range(10)]
    reads, writes = sum(one.reads for one in histories), sum(len(one.acknowledged) for one in histories)
    print(f"{reads} versions seen, {writes} writes acknowledged")
    assert [fault for one in histories for fault in one.faults] == []
    assert reads > 1000
    assert writes > 100


class Joining(GatheredReads[Customer]):
    """The mistake that gathering must not make: a read joins one of the same id that has begun."""

    def __init__(self, read: Read[Customer]) -> None:
        super().__init__(read)
        self.out: dict[str, asyncio.Future[Customer | None]] = {}

    async def get(self, key: str) -> Customer | None:
        if key not in self.out:
            self.out[key] = asyncio.ensure_future(super().get(key))
            self.out[key].add_done_callback(lambda _: self.out.pop(key))
        return await asyncio.shield(self.out[key])


class Remembering(GatheredReads[Customer]):
    """Another one: the first answer is kept for a few reads."""

    def __init__(self, read: Read[Customer]) -> None:
        super().__init__(read)
        self.kept: dict[str, tuple[Customer | None, int]] = {}

    async def get(self, key: str) -> Customer | None:
        found, left = self.kept.get(key, (None, 0))
        if left == 0:
            found, left = await super().get(key), 3
        self.kept[key] = (found, left - 1)
        return found


class JoiningLists(SharedReads[Question, list[Customer]]):
    """The same mistake with lists: an equal question joins a read that has begun."""

    def __init__(self, read: Callable[[Question], Awaitable[list[Customer]]]) -> None:
        super().__init__(read)
        self.out: dict[Question, asyncio.Future[list[Customer]]] = {}

    async def get(self, question: Question) -> list[Customer]:
        if question not in self.out:
            self.out[question] = asyncio.ensure_future(self.read(question))
            self.out[question].add_done_callback(lambda _: self.out.pop(question))
        return await asyncio.shield(self.out[question])


def joining(store: Store) -> None:
    object.__setattr__(store.customers, "_reads", Joining(store.customers._read_many))


def remembering(store: Store) -> None:
    object.__setattr__(store.customers, "_reads", Remembering(store.customers._read_many))


def joining_lists(store: Store) -> None:
    object.__setattr__(store.customers, "_lists", JoiningLists(store.customers._find))


@pytest.mark.parametrize(
    ("mistake", "who"),
    [(joining, "get"), (remembering, "get"), (joining_lists, "list")],
    ids=["joining", "remembering", "joining-lists"],
)
async def test_a_gather_that_makes_a_mistake_is_caught(
    store: Store, mistake: Callable[[Store], None], who: str
) -> None:
    for seed in range(200):
        mistake(store)
        history = await play(store, seed)
        if any(fault.startswith(f"{who} saw") for fault in history.faults):
            print(f"caught in round {seed + 1}: {history.faults[:3]}")
            return
    raise AssertionError("nobody noticed")
