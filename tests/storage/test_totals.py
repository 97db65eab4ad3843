"""Totals: the collection's own count where it is exact, else a true one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from app.cli.demo import demo_customers
from storage.customers import Customers
from storage.deadlines import wire_deadline
from storage.documents import Customer
from storage.errors import Duplicate, Unavailable
from storage.query import EVERYTHING, Filter
from storage.store import Store
from storage.timing import measure
from storage.totals import TRUSTED_SECONDS, Totals
from tests.storage.test_customers import customer

_ATTEMPTS = 30


@dataclass
class Counted:
    """Stands before real customers and says how they were counted.

    `off` is the error of the fast count; `fails` makes it fail; while it is `held`, it waits.
    """

    customers: Customers
    off: int = 0
    fails: bool = False
    asked: list[str] = field(default_factory=list)
    held: asyncio.Event | None = None

    async def count(self, where: Filter) -> int:
        assert where == EVERYTHING
        self.asked.append("exact")
        return await self.customers.count(where)

    async def count_all(self) -> int:
        self.asked.append("fast")
        if self.held is not None:
            await self.held.wait()
        if self.fails:
            raise Unavailable("none")
        return await self.customers.count_all() + self.off


def _totals(store: Store, off: int = 0) -> tuple[Totals, Counted]:
    counted = Counted(store.customers, off)
    return Totals(cast("Any", counted)), counted


async def test_the_fast_count_is_trusted_after_it_was_held_against_an_exact_one(store: Store) -> None:
    await store.customers.create_many(list(demo_customers(5)))
    found, counted = _totals(store)
    assert [await found.total() for _ in range(3)] == [5, 5, 5]
    assert counted.asked == ["exact", "fast", "fast", "fast"]


async def test_the_total_follows_every_write_at_once(store: Store) -> None:
    first, second, third = demo_customers(3)
    assert await store.totals.total() == 0
    await store.customers.create(first)
    assert await store.totals.total() == 1
    await store.customers.create_many([second, third])
    assert await store.totals.total() == 3
    await store.customers.delete(first["id"], version=1, deleted_at=first["createdAt"])
    assert await store.totals.total() == 2


async def test_totals_are_true_while_creates_are_gathered_and_some_are_refused(store: Store) -> None:
    taken = customer()
    await store.customers.create(taken)
    begun = stored = 1

    async def create(made: Customer) -> None:
        nonlocal begun, stored
        begun += 1
        try:
            await store.customers.create(made)
        except Duplicate:
            begun -= 1
        else:
            stored += 1

    async def watch() -> None:
        while True:
            least, most = stored, begun
            total = await store.totals.total()
            assert least <= total <= max(most, begun) + _ATTEMPTS // 5

    watching = asyncio.ensure_future(watch())
    for _ in range(4):
        attempts = [customer() if number % 5 else customer(email=taken["email"]) for number in range(_ATTEMPTS)]
        await asyncio.gather(*map(create, attempts))
        assert await store.totals.total() == stored == begun
    assert not watching.done()
    watching.cancel()
    assert stored == 1 + 4 * _ATTEMPTS * 4 // 5


@pytest.mark.parametrize("off", [-2, 3])
async def test_a_fast_count_that_is_off_is_never_shown(store: Store, off: int) -> None:
    await store.customers.create_many(list(demo_customers(4)))
    found, counted = _totals(store, off)
    assert [await found.total() for _ in range(3)] == [4, 4, 4]
    assert counted.asked == ["exact", "fast"] * 3
    counted.off = 0
    assert [await found.total() for _ in range(2)] == [4, 4]
    assert counted.asked[6:] == ["exact", "fast", "fast"]


async def test_trust_ends_and_is_won_again(store: Store) -> None:
    found, counted = _totals(store)
    began = time.monotonic()
    await found.total()
    assert began + TRUSTED_SECONDS <= found._trusted_until <= time.monotonic() + TRUSTED_SECONDS
    await found.total()
    assert counted.asked == ["exact", "fast", "fast"]
    found._trusted_until = time.monotonic()
    await found.total()
    assert counted.asked[3:] == ["exact", "fast"]


async def test_a_count_that_fails_wins_no_trust(store: Store) -> None:
    await store.customers.create_many(list(demo_customers(2)))
    found, counted = _totals(store)
    counted.fails = True
    with pytest.raises(Unavailable):
        await found.total()
    counted.fails = False
    assert [await found.total() for _ in range(2)] == [2, 2]
    assert counted.asked == ["exact", "fast", "exact", "fast", "fast"]


async def test_deleting_leaves_no_count_behind(store: Store) -> None:
    (only,) = demo_customers(1)
    await store.customers.create(only)
    assert await store.customers.delete(only["id"], version=1, deleted_at=only["createdAt"])
    assert (await store.customers.count_all(), await store.customers.count(EVERYTHING)) == (0, 0)


# --- sharing


async def test_who_asks_at_the_same_moment_shares_a_count_and_nobody_joins_one_that_has_begun(store: Store) -> None:
    found, counted = _totals(store)
    await found.total()
    counted.asked.clear()
    counted.held = asyncio.Event()
    first = [asyncio.ensure_future(found.total()) for _ in range(3)]
    await _turns()
    await store.customers.create(customer())
    later = [asyncio.ensure_future(found.total()) for _ in range(4)]
    await _turns()
    assert counted.asked == ["fast"], "the next one waits for the end of the first"
    counted.held.set()
    assert await asyncio.gather(*first, *later) == [1] * 7
    assert counted.asked == ["fast", "fast"]


async def test_a_total_that_was_begun_before_is_waited_for_later(store: Store) -> None:
    found, counted = _totals(store)
    begun = found.begin()
    await found.close()
    assert begun.done()
    await store.customers.create(customer())
    assert await found.total(begun) == 0
    assert await found.total() == 1
    assert counted.asked == ["exact", "fast", "fast"]


async def test_one_caller_s_deadline_or_end_is_not_the_others(store: Store) -> None:
    found, counted = _totals(store)
    counted.held = asyncio.Event()
    patient, leaving = (asyncio.ensure_future(found.total()) for _ in range(2))
    with wire_deadline(0.01), pytest.raises(Unavailable) as raised:
        await found.total()
    assert raised.value.outcome == "none"
    leaving.cancel()
    counted.held.set()
    assert await patient == 0
    assert leaving.cancelled()


async def test_a_shared_count_that_fails_fails_for_each_on_its_own_and_not_for_the_next(store: Store) -> None:
    found, counted = _totals(store)
    counted.fails = True
    results = await asyncio.gather(*(found.total() for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert len({id(result) for result in results}) == 3
    found.begin()  # nobody waits for it
    await found.close()
    counted.fails = False
    assert await found.total() == 0


async def test_each_request_counts_a_shared_count_once(store: Store) -> None:
    async def calls() -> int:
        spent = measure()
        await store.totals.total()
        assert spent.seconds > 0
        return spent.calls

    assert list(await asyncio.gather(calls(), calls())) == [1, 1]


async def _turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)
