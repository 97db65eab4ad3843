"""Batches over a real store, with each driver: order, all or nothing, races, the end of the time."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest

from resolvers import bulk
from resolvers.audit import Entry
from resolvers.batches import Batch, Done, Item, Kind
from resolvers.bulk import batch_customers
from resolvers.changes import Target
from resolvers.commands import ChangeCustomer, CreateCustomer, DeleteCustomer
from resolvers.context import Context
from resolvers.customers import create_customer, update_customer
from resolvers.patches import MergePatch
from resolvers.preconditions import ANY, Precondition
from resolvers.problem import JsonValue, Problem
from storage.documents import Customer, CustomerId
from storage.errors import Unavailable
from storage.staging import StagedCustomers
from storage.store import Store
from tests import factories
from tests.resolvers.conftest import NewContext


def created(**changes: Any) -> Item:
    body = factories.customer(**changes)
    return Item("create", CreateCustomer(lambda: body), email=body["email"])


def _existing(kind: Kind, customer: Customer, version: int | None, patch: JsonValue = None) -> Item:
    precondition = Precondition(match=ANY) if version is None else Precondition(version=version)
    target = Target(customer["id"], precondition)
    command: Any = DeleteCustomer(target) if kind == "delete" else ChangeCustomer(target, MergePatch(lambda: patch))
    return Item(kind, command, customer["id"])


def updated(customer: Customer, version: int | None = None, **patch: Any) -> Item:
    return _existing("update", customer, version, patch)


def deleted(customer: Customer, version: int | None = None) -> Item:
    return _existing("delete", customer, version)


async def new(ctx: Context, **changes: Any) -> Customer:
    body = factories.customer(**changes)
    return await create_customer(ctx, CreateCustomer(lambda: body))


async def each(ctx: Context, *items: Item) -> list[Done]:
    return await batch_customers(ctx, Batch(items, atomic=False))


async def whole(ctx: Context, *items: Item) -> list[Done]:
    return await batch_customers(ctx, Batch(items))


def slugs(results: list[Done]) -> list[str]:
    return [one.problem.type.slug if one.problem else str(one.status) for one in results]


async def stored(store: Store, customer_id: CustomerId | None) -> Customer:
    found = await store.customers.get(CustomerId(customer_id or ""))
    assert found is not None
    return found


@pytest.mark.parametrize("run", [each, whole], ids=["each", "whole"])
async def test_c120_operations_follow_each_other_and_each_sees_what_those_before_it_did(
    store: Store, context: NewContext, run: Any
) -> None:
    ctx = context()
    one, two = await new(ctx), await new(ctx)
    address = factories.unique_email()
    results = await run(
        ctx,
        updated(one, 1, firstName="First"),
        updated(one, 2, lastName="Second"),
        updated(one, email=address),
        updated(two, email=one["email"]),
        deleted(one, 4),
        created(email=address.upper()),
    )
    assert slugs(results) == ["200", "200", "200", "200", "204", "201"]
    assert [one.version for one in results] == [2, 3, 4, 2, 5, 1]
    assert await store.customers.get(one["id"]) is None
    tombstone = await store.customers.get_tombstone(one["id"])
    assert tombstone is not None
    assert tombstone["version"] == 5
    assert (await stored(store, two["id"]))["email"] == one["email"]
    kept = await store.client[store.database]["customers"].find_one({"id": two["id"]})
    assert kept is not None
    assert kept["keys"]["changed"] == ["email"]
    assert await stored(store, results[-1].id) == results[-1].customer


async def test_c120_each_operation_has_its_own_outcome_and_none_is_left_out(store: Store, context: NewContext) -> None:
    ctx = context()
    one, two = await new(ctx), await new(ctx)
    taken = created(email=one["email"])
    results = await each(
        ctx, created(), taken, updated(one, 9, firstName="No"), updated(one, firstName=""), updated(two, lastName="Y"),
        deleted(two), deleted(two), updated(two, lastName="Late"), created(email=two["email"]), updated(one),
    )  # fmt: skip
    assert slugs(results) == [
        "201", "conflict", "precondition-failed", "validation-error", "200", "204", "not-found", "gone", "201", "200",
    ]  # fmt: skip
    assert (await stored(store, one["id"])) == one
    assert results[-1].version == 1
    assert await store.customers.find_by_email(two["email"]) == results[8].customer


async def test_of_an_atomic_batch_with_a_failure_in_the_middle_nothing_is_stored(
    store: Store, context: NewContext
) -> None:
    ctx = context()
    one, two = await new(ctx), await new(ctx)
    count = await store.customers.count_all()
    items = [created(), updated(one, firstName="No"), created(lastName=" "), deleted(two), updated(two, lastName="No")]
    with pytest.raises(Problem) as refusal:
        await whole(ctx, *items)
    assert refusal.value.type.slug == "batch-failed"
    assert [(one.index, one.kind, one.problem.type.slug) for one in refusal.value.failures] == [
        (2, "create", "validation-error"),
        (4, "update", "gone"),
    ]
    assert [await stored(store, one["id"]), await stored(store, two["id"])] == [one, two]
    assert await store.customers.get_tombstone(two["id"]) is None
    assert await store.customers.count_all() == count


@pytest.mark.parametrize("atomic", [True, False])
async def test_a_dry_run_tells_what_would_become_of_everything_and_stores_nothing(
    store: Store, context: NewContext, *, atomic: bool
) -> None:
    ctx = context()
    one = await new(ctx)
    items = (updated(one, 1, firstName="Dry"), deleted(one, 2), created(email=one["email"]))
    results = await batch_customers(ctx, Batch(items, atomic, dry_run=True))
    assert slugs(results) == ["200", "204", "201"]
    assert await stored(store, one["id"]) == one
    assert await store.customers.get_tombstone(one["id"]) is None


@pytest.mark.parametrize("run", [each, whole], ids=["each", "whole"])
async def test_a_thousand_creates_are_stored_in_their_order(store: Store, context: NewContext, run: Any) -> None:
    results = await run(context(), *(created(lastName=f"Number {number}") for number in range(1000)))
    assert [one.customer["lastName"] for one in results if one.customer] == [f"Number {n}" for n in range(1000)]
    assert await store.customers.count_all() == 1000


async def test_of_atomic_batches_that_race_for_a_version_one_wins_and_the_others_change_nothing(
    store: Store, context: NewContext
) -> None:
    first = context()
    shared, owns = await new(first), [await new(first) for _ in range(6)]
    runs = [whole(context(), updated(own, lastName="Won"), updated(shared, 1, lastName="Won")) for own in owns]
    ended = await asyncio.gather(*runs, return_exceptions=True)
    assert sum(isinstance(one, list) for one in ended) == 1
    lost = [one for one in ended if isinstance(one, Problem)]
    assert [(one.type.slug, one.failures[0].problem.type.slug) for one in lost] == [
        ("batch-failed", "precondition-failed")
    ] * 5
    names = [(await stored(store, own["id"]))["lastName"] for own in owns]
    assert [name == "Won" for name in names] == [isinstance(one, list) for one in ended]
    assert (await stored(store, shared["id"]))["version"] == 2


@pytest.mark.parametrize("run", [each, whole], ids=["each", "whole"])
async def test_batches_that_race_for_any_version_all_succeed_and_none_is_lost(
    store: Store, context: NewContext, run: Any
) -> None:
    shared = await new(context())
    runs = [run(context(), created(), updated(shared, lastName=f"Writer {number}")) for number in range(8)]
    ended = await asyncio.gather(*runs)
    assert [slugs(one) for one in ended] == [["201", "200"]] * 8
    assert sorted(one[1].version or 0 for one in ended) == list(range(2, 10))
    assert (await stored(store, shared["id"]))["version"] == 9


async def test_batches_that_race_for_one_address_store_it_once(store: Store, context: NewContext) -> None:
    address = factories.unique_email()
    ended = await asyncio.gather(*(each(context(), created(email=address), created()) for _ in range(6)))
    assert sorted(slugs(one)[0] for one in ended) == ["201"] + ["conflict"] * 5
    assert {slugs(one)[1] for one in ended} == {"201"}
    assert await store.customers.count_all() == 7


async def test_when_somebody_else_is_always_faster_the_operations_are_done_one_by_one(
    store: Store, context: NewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = context()
    busy, calm = await new(ctx), await new(ctx)
    store_all = StagedCustomers.store

    async def overtaken(staged: StagedCustomers) -> bool:
        target = Target(busy["id"], Precondition(match=ANY))
        names = {"lastName": factories.unique_email().partition("@")[0]}
        await update_customer(context(), ChangeCustomer(target, MergePatch(lambda: {**names})))
        return await store_all(staged)

    monkeypatch.setattr(StagedCustomers, "store", overtaken)
    results = await each(ctx, updated(busy, firstName="Here"), updated(calm, firstName="Here"), created())
    assert slugs(results) == ["200", "200", "201"]
    assert (await stored(store, busy["id"]))["firstName"] == "Here"
    assert [results[0].version, results[1].version] == [1 + bulk._TRIES + 1, 2]


async def test_when_the_time_ends_what_had_not_begun_is_certain_and_what_was_on_its_way_is_unknown(
    store: Store, context: NewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = itertools.count()
    store_all = StagedCustomers.store

    async def lost_answer(staged: StagedCustomers) -> bool:
        done = await store_all(staged)
        if next(turns) == 1:
            raise Unavailable("unknown")
        return done

    monkeypatch.setattr(StagedCustomers, "store", lost_answer)
    one = await new(context())
    items = [created() for _ in range(250)]
    items[150] = created(email=one["email"])
    results = await each(context(), *items)
    outcomes = [one.problem.extra["outcome"] if one.problem else "done" for one in results]
    second = ["unknown"] * 50 + ["none"] + ["unknown"] * 49
    assert outcomes == ["done"] * 100 + second + ["none"] * 50
    assert await store.customers.count_all() == 1 + 100 + 99


async def test_the_audit_is_told_of_each_change_once_with_what_became_of_it(
    store: Store, context: NewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries: list[Entry] = []
    ctx = context()
    one, two = await new(ctx), await new(ctx)
    ctx.services = replace(ctx.services, audit=entries.append)
    store_all, ends = StagedCustomers.store, iter(["overtaken", "stored", "lost"])

    async def ended(staged: StagedCustomers) -> bool:
        end = next(ends)
        stored = end != "overtaken" and await store_all(staged)
        if end == "lost":
            raise Unavailable("unknown")
        return stored

    monkeypatch.setattr(StagedCustomers, "store", ended)
    await each(ctx, updated(one, firstName="Bea"), updated(one, 9), deleted(one))
    with pytest.raises(Problem):
        await whole(ctx, updated(two, firstName="Cy"), deleted(one))
    with pytest.raises(Problem):
        await whole(ctx, updated(two, firstName="Cy"))
    await batch_customers(ctx, Batch((updated(two, firstName="Di"), updated(one)), dry_run=True, atomic=False))
    assert [(told.operation, told.outcome, told.customer, told.version, told.problem) for told in entries] == [
        ("updateCustomer", "done", one["id"], 2, ""),
        ("updateCustomer", "refused", one["id"], 0, "precondition-failed"),
        ("deleteCustomer", "done", one["id"], 3, ""),
        ("updateCustomer", "refused", two["id"], 2, "batch-failed"),
        ("deleteCustomer", "refused", one["id"], 0, "not-found"),
        ("batchCustomers", "refused", "", 0, "batch-failed"),
        ("updateCustomer", "unknown", two["id"], 2, "unavailable"),
        ("batchCustomers", "unknown", "", 0, "unavailable"),
    ]


@pytest.mark.parametrize("run", [each, whole], ids=["each", "whole"])
async def test_without_any_time_nothing_is_done_and_the_whole_batch_says_so(
    store: Store, context: NewContext, run: Any
) -> None:
    ctx = context()
    ctx.deadline = 0.0
    with pytest.raises(Problem) as refusal:
        await run(ctx, created(), created())
    assert (refusal.value.type.slug, refusal.value.extra) == ("unavailable", {"outcome": "none"})
    assert await store.customers.count_all() == 0


async def test_a_deletion_in_a_batch_needs_its_scope_and_the_rest_is_done(store: Store, context: NewContext) -> None:
    one = await new(context())
    ctx = context("customers:write")
    assert slugs(await each(ctx, deleted(one), updated(one, firstName="Here"))) == ["forbidden", "200"]
    with pytest.raises(Problem) as refusal:
        await whole(ctx, updated(one, firstName="Gone"), deleted(one))
    assert refusal.value.failures[0].problem.extra["scope"] == "customers:delete"
    assert (await stored(store, one["id"]))["firstName"] == "Here"
