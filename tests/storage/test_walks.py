"""Walks by key while others write: who stood the whole time is met once, in order, in both directions."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from storage.documents import Customer, instant, new_id
from storage.orders import key_of
from storage.query import Order, OrderField, Question
from storage.store import Store, StoreOptions, open_store
from tests import factories
from tests.evaluate import ordered

NAMES = (
    "Müller",
    "müller",
    "MÜLLER",
    "Muller",
    "muller",
    "mueller",
    "Zoë",
    "zoe",
    "ZOE",
    "e",
    "É",
    "é",
    "王",
    "Łoś",
    "los",
)
STILL, TOUCHED, MOVING = 200, 100, 150
_BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
F = OrderField
ORDERS: tuple[tuple[Order, ...], ...] = (
    (Order(F.CREATED_AT),),
    (Order(F.CREATED_AT, descending=True),),
    (Order(F.LAST_NAME),),
    (Order(F.MIDDLE_NAME, descending=True),),
    (Order(F.EMAIL),),
    (Order(F.ID),),
    (Order(F.UPDATED_AT),),
    (Order(F.LAST_NAME), Order(F.FIRST_NAME)),
    (Order(F.MIDDLE_NAME), Order(F.LAST_NAME, descending=True), Order(F.CREATED_AT)),
)


def _customer(chance: random.Random) -> Customer:
    fields = factories.customer(
        firstName=chance.choice(NAMES),
        middleName=chance.choice((None, None, *NAMES)),
        lastName=chance.choice(NAMES),
        addresses=[{"id": new_id(), **factories.address()}],
        phoneNumbers=[{"id": new_id(), **factories.phone_number()}],
    )
    time = instant(_BEGIN + timedelta(milliseconds=chance.randrange(40)))
    return cast("Customer", {"id": new_id(), "version": 1, **fields, "createdAt": time, "updatedAt": time})


@dataclass
class World:
    """A store with customers that stand still, that change beside every order, and that move."""

    store: Store
    still: list[Customer]
    touched: list[Customer]
    moving: list[Customer]
    writes: int = 0
    stopped: bool = field(default=False)

    async def touch(self) -> None:
        """Change what no order but that of the last change goes by."""
        for number in itertools.cycle(range(len(self.touched))):
            if self.stopped:
                return
            old = self.touched[number]
            flags = cast("Any", factories.preferences(sms=old["version"] % 2 == 0))
            changed = {"notificationPreferences": flags, "version": old["version"] + 1, "updatedAt": _now()}
            self.touched[number] = cast("Customer", {**old, **changed})
            assert await self.store.customers.replace(self.touched[number], version=old["version"])
            self.writes += 1

    async def move(self, seed: int) -> None:
        """Change names, delete, and create anew, each at random."""
        chance = random.Random(seed)
        mine = self.moving[seed::3]
        while not self.stopped:
            number = chance.randrange(len(mine))
            old, fresh = mine[number], _customer(chance)
            if chance.random() < 0.5:
                mine[number] = cast("Customer", {**fresh, "id": old["id"], "version": old["version"] + 1})
                assert await self.store.customers.replace(mine[number], version=old["version"])
            else:
                assert await self.store.customers.delete(old["id"], version=old["version"], deleted_at=_now())
                await self.store.customers.create(fresh)
                mine[number] = fresh
            self.writes += 1


def _now() -> Any:
    return instant(datetime.now(UTC))


@asynccontextmanager
async def _world(mongod_url: str, database: str) -> AsyncIterator[World]:
    chance = random.Random(11)
    still, touched, moving = ([_customer(chance) for _ in range(count)] for count in (STILL, TOUCHED, MOVING))
    async with open_store(StoreOptions(mongod_url, database, timeout=30)) as store:
        await store.ensure_indexes()
        await store.customers.create_many([*still, *touched, *moving])
        world = World(store, still, touched, moving)
        writers = [asyncio.create_task(world.touch()), *(asyncio.create_task(world.move(seed)) for seed in range(3))]
        try:
            yield world
        finally:
            world.stopped = True
            await asyncio.gather(*writers)


async def _walk(store: Store, order: tuple[Order, ...], size: int, *, backward: bool) -> list[str]:
    seen: list[str] = []
    question = Question(order=order, limit=size, backward=backward)
    while True:
        page = await store.customers.find(question)
        ids = [customer["id"] for customer in page]
        seen = [*ids, *seen] if backward else [*seen, *ids]
        if len(page) < size:
            return seen
        after = key_of(page[0 if backward else -1], order)
        question = Question(order=order, limit=size, after=after, backward=backward)


def _plain(order: tuple[Order, ...]) -> list[tuple[str, bool]]:
    return [(term.field.value, term.descending) for term in order]


def _walks() -> Iterator[tuple[tuple[Order, ...], bool, int]]:
    chance = random.Random(5)
    for order, backward in itertools.product(ORDERS, (False, True)):
        yield order, backward, chance.choice((9, 17, 26))


@pytest.mark.slow
async def test_c092_who_stood_the_whole_time_is_met_once_and_in_order_while_others_write(
    mongod_url: str, database: str
) -> None:
    walks = 0
    async with asyncio.timeout(120), _world(mongod_url, database) as world:
        while world.writes < 500:
            for order, backward, size in _walks():
                seen = await _walk(world.store, order, size, backward=backward)
                stands = world.still if order[0].field is F.UPDATED_AT else [*world.still, *world.touched]
                expected = ordered(cast("list[dict[str, Any]]", stands), _plain(order))
                known = set(expected)
                assert [identifier for identifier in seen if identifier in known] == expected, (order, backward)
                walks += 1
    print(f"{world.writes} writes during {walks} walks")


async def test_a_walk_from_a_customer_that_is_gone_goes_on_where_it_stood(mongod_url: str, database: str) -> None:
    chance = random.Random(3)
    crowd = [_customer(chance) for _ in range(30)]
    order = (Order(F.LAST_NAME), Order(F.FIRST_NAME, descending=True))
    expected = ordered(cast("list[dict[str, Any]]", crowd), _plain(order))
    async with open_store(StoreOptions(mongod_url, database)) as store:
        await store.ensure_indexes()
        await store.customers.create_many(crowd)
        page = await store.customers.find(Question(order=order, limit=10))
        key = key_of(page[-1], order)
        assert await store.customers.delete(page[-1]["id"], version=1, deleted_at=_now())
        after = await store.customers.find(Question(order=order, limit=10, after=key))
        before = await store.customers.find(Question(order=order, limit=10, after=key, backward=True))
    assert [customer["id"] for customer in after] == expected[10:20]
    assert [customer["id"] for customer in before] == expected[:9]


@pytest.mark.parametrize("backward", [False, True])
async def test_customers_equal_but_for_case_and_accents_stand_in_one_fixed_order(
    mongod_url: str, database: str, *, backward: bool
) -> None:
    chance = random.Random(8)
    crowd = [cast("Customer", {**_customer(chance), "lastName": name}) for name in NAMES for _ in range(3)]
    async with open_store(StoreOptions(mongod_url, database)) as store:
        await store.ensure_indexes()
        await store.customers.create_many(crowd)
        for order in ((Order(F.LAST_NAME),), (Order(F.LAST_NAME, descending=True),)):
            seen = await _walk(store, order, 1, backward=backward)
            assert seen == ordered(cast("list[dict[str, Any]]", crowd), _plain(order))
