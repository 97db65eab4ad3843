"""Batches with an idempotency key: one effect and one outcome, whoever repeats them and whatever dies in between."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from resolvers import bulk
from resolvers.batches import Batch, Done, Item
from resolvers.bulk import batch_customers
from resolvers.changes import Target
from resolvers.commands import DeleteCustomer
from resolvers.context import Context, IdempotencyKey
from resolvers.customers import delete_customer
from resolvers.preconditions import Precondition
from resolvers.problem import Problem
from storage.claims import Claim
from storage.errors import Unavailable
from storage.store import Store
from tests.resolvers.conftest import NewContext
from tests.resolvers.test_bulk import created, deleted, new, slugs, updated

KEY = IdempotencyKey("batch")


async def keyed(ctx: Context, *items: Item, atomic: bool = False) -> list[Done]:
    return await batch_customers(ctx, Batch(items, atomic, key=KEY))


async def refused(ctx: Context, *items: Item, atomic: bool = False) -> str:
    try:
        done = await keyed(ctx, *items, atomic=atomic)
    except Problem as problem:
        return problem.type.slug
    pytest.fail(f"not refused, replayed: {ctx.replayed}, {shown(done)[:2]}")


def shown(results: list[Done]) -> list[Any]:
    """Return what the doors show of results, problems by their members."""
    return [(*one[:4], one.problem and one.problem.members("", "")) for one in results]


@pytest.mark.parametrize("atomic", [True, False])
async def test_c043_a_batch_that_is_sent_again_answers_what_became_of_each_operation(
    store: Store, context: NewContext, *, atomic: bool
) -> None:
    ctx = context()
    one, two = await new(ctx), await new(ctx)
    bad = [] if atomic else [created(lastName=" "), created(email=one["email"]), updated(two, 9, firstName="No")]
    items = [created(), updated(one, 1, firstName="New"), updated(two), *bad]
    first = await keyed(ctx, *items, atomic=atomic)
    changed = context()
    await delete_customer(changed, DeleteCustomer(Target((await new(changed))["id"], Precondition())))
    again = context()
    assert shown(await keyed(again, *items, atomic=atomic)) == shown(first)
    assert (ctx.replayed, again.replayed) == (False, True)
    assert await store.customers.count_all() == 3
    assert await refused(context(), *items[:2], atomic=atomic) == "idempotency-key-reused"
    assert await refused(context(), *items, atomic=not atomic) == "idempotency-key-reused"


@pytest.mark.parametrize("atomic", [True, False])
async def test_c044_of_batches_that_race_with_one_key_one_is_done(
    store: Store, context: NewContext, *, atomic: bool
) -> None:
    items = [created() for _ in range(5)]
    runs = (keyed(context(), *items, atomic=atomic) for _ in range(6))
    ended = await asyncio.gather(*runs, return_exceptions=True)
    done = [one for one in ended if isinstance(one, list)]
    assert done
    assert all(shown(one) == shown(done[0]) for one in done)
    problems = {one.type.slug for one in ended if isinstance(one, Problem)}
    assert problems <= {"idempotency-in-progress"}
    assert await store.customers.count_all() == 5


@pytest.mark.parametrize("fault", [asyncio.CancelledError(), Unavailable("none"), Unavailable("unknown")])
async def test_c042_a_batch_whose_run_ended_half_way_is_gone_on_with_and_nothing_is_made_twice(
    store: Store, context: NewContext, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    items = [created() for _ in range(250)]
    keep, stored = Claim.store, list[list[Any]]()

    async def ending(claim: Claim, staged: Any, results: Any, *more: Any, **others: Any) -> bool:
        if stored:
            if isinstance(fault, Unavailable) and fault.outcome == "unknown":
                await keep(claim, staged, results, *more, **others)
            raise fault
        stored.append([one["id"] for one in results])
        return await keep(claim, staged, results, *more, **others)

    monkeypatch.setattr(Claim, "store", ending)
    with pytest.raises(asyncio.CancelledError) if isinstance(fault, asyncio.CancelledError) else _nothing():
        assert {*slugs(await keyed(context(), *items))} == {"201", "unavailable"}
    monkeypatch.undo()
    ledger = store.client[store.database]["ledger"]
    await ledger.update_one({"lease": {"$exists": True}}, [{"$set": {"lease": "$$NOW"}}])
    results = await keyed(context(), *items)
    assert slugs(results) == ["201"] * 250
    assert [one.id for one in results[:100]] == stored[0]
    assert await store.customers.count_all() == 250
    assert shown(await keyed(context(), *items)) == shown(results)


class _nothing:  # noqa: N801 - it stands beside pytest.raises
    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        return


@pytest.mark.parametrize("atomic", [True, False])
async def test_c045_whoever_is_erased_is_in_no_piece_of_a_batch(
    store: Store, context: NewContext, *, atomic: bool
) -> None:
    items = [created(firstName="Qanary"), *(created() for _ in range(150))]
    results = await keyed(context(), *items, atomic=atomic)
    assert results[0].customer is not None
    await delete_customer(context(), DeleteCustomer(Target(results[0].customer["id"], Precondition())))
    assert await refused(context(), *items, atomic=atomic) == "gone"
    assert "Qanary" not in json.dumps([one async for one in store.client[store.database]["ledger"].find()], default=str)


async def test_whom_a_batch_itself_erases_it_tells_of_by_id_alone(
    store: Store, context: NewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_AT_ONCE", 2)
    one = await new(context(), firstName="Qanary")
    items = [created(), updated(one, 1, lastName="Qanary"), deleted(one, 2), created()]
    first = await keyed(context(), *items)
    again = await keyed(context(), *items)
    assert slugs(again) == slugs(first) == ["201", "200", "204", "201"]
    assert (again[1].id, again[1].customer, again[2]) == (one["id"], None, first[2])
    assert "Qanary" not in json.dumps([one async for one in store.client[store.database]["ledger"].find()], default=str)


async def test_under_a_key_too_operations_are_done_one_by_one_when_somebody_else_is_always_faster(
    store: Store, context: NewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = Claim.store
    tries: list[int] = []

    async def overtaken(claim: Claim, staged: Any, results: Any, *more: Any, **others: Any) -> bool:
        tries.append(len(results))
        return len(results) == 1 and await keep(claim, staged, results, *more, **others)

    monkeypatch.setattr(Claim, "store", overtaken)
    items = [created(), created(), created()]
    first = await keyed(context(), *items)
    assert tries == [3, 3, 3, 1, 1, 1]
    assert shown(await keyed(context(), *items)) == shown(first)
    assert await store.customers.count_all() == 3


async def test_an_atomic_batch_that_fails_leaves_its_key_free(store: Store, context: NewContext) -> None:
    one = await new(context())
    assert await refused(context(), created(), created(email=one["email"]), atomic=True) == "batch-failed"
    assert slugs(await keyed(context(), created(), atomic=True)) == ["201"]
    assert await store.customers.count_all() == 2
