"""The one way to change a customer, over a real store with either driver."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from resolvers.changes import Target
from resolvers.commands import AddPart, ChangeCustomer, CreateCustomer, DeleteCustomer, GetCustomer, RemovePart
from resolvers.context import ALL_SCOPES, Context
from resolvers.customers import create_customer, delete_customer, get_customer, replace_customer, update_customer
from resolvers.etags import etag
from resolvers.operations import OPERATIONS
from resolvers.part_operations import ADDRESSES
from resolvers.patches import MergePatch, Replace
from resolvers.preconditions import ANY, Precondition
from resolvers.problem import Problem
from storage.documents import Customer, CustomerId, PartId
from tests import factories
from tests.resolvers.conftest import Hands, NewContext


async def created(ctx: Context, **changes: Any) -> Customer:
    body = factories.customer(**changes)
    return await create_customer(ctx, CreateCustomer(lambda: body))


async def patched(ctx: Context, customer: Customer, **changes: Any) -> Customer:
    target = Target(customer["id"], Precondition(version=customer["version"]))
    return await update_customer(ctx, ChangeCustomer(target, MergePatch(lambda: changes)))


async def refused(attempt: Any) -> Problem:
    with pytest.raises(Problem) as raised:
        await attempt
    return raised.value


async def test_the_version_begins_at_one_and_grows_by_one_with_each_change(context: NewContext) -> None:
    ctx = context()
    customer = await created(ctx)
    for number in range(1, 6):
        assert customer["version"] == number
        customer = await patched(ctx, customer, firstName=f"Name {number}")
    assert (await get_customer(ctx, GetCustomer(customer["id"])))["version"] == 6


async def test_what_changes_nothing_keeps_version_and_time(context: NewContext, clock: Hands) -> None:
    ctx = context()
    customer = await created(ctx)
    clock.turn(hours=1)
    assert await patched(ctx, customer, firstName=customer["firstName"]) == customer
    assert await get_customer(ctx, GetCustomer(customer["id"])) == customer


async def test_updated_at_never_moves_back_when_the_clock_does(context: NewContext, clock: Hands) -> None:
    ctx = context()
    customer = await created(ctx)
    times = [customer["updatedAt"]]
    for step in (1.0, -7200.0, 0.5, 3600.0, 7200.0):
        clock.turn(seconds=step)
        customer = await patched(ctx, customer, firstName=f"Name {step}")
        times.append(customer["updatedAt"])
    assert times == sorted(times)
    assert customer["createdAt"] == times[0]
    assert times[-1] > times[0]


async def test_times_are_kept_to_the_millisecond(context: NewContext, clock: Hands) -> None:
    clock.turn(microseconds=123_999)
    customer = await created(context())
    assert customer["createdAt"] == "2100-01-01T00:00:00.123Z"


async def test_of_many_changes_with_one_version_exactly_one_wins(context: NewContext) -> None:
    ctx = context()
    customer = await created(ctx)
    attempts = [patched(context(), customer, firstName=f"Name {number}") for number in range(32)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    winners = [result for result in results if not isinstance(result, BaseException)]
    problems = {result.type.slug for result in results if isinstance(result, Problem)}
    assert len(winners) == 1
    assert problems == {"precondition-failed"}
    assert await get_customer(ctx, GetCustomer(customer["id"])) == winners[0]


async def test_changes_that_are_good_for_any_version_all_happen(context: NewContext) -> None:
    customer = await created(context())
    body = factories.address(city="Ulm")
    adds = [ADDRESSES.add(context(), AddPart(Target(customer["id"], Precondition()), lambda: body)) for _ in range(12)]
    await asyncio.gather(*adds)
    after = await get_customer(context(), GetCustomer(customer["id"]))
    assert (len(after["addresses"]), after["version"]) == (13, 13)


async def test_of_removals_that_race_one_part_stays(context: NewContext) -> None:
    customer = await created(context(), addresses=[factories.address(city=str(number)) for number in range(4)])
    removals = [
        ADDRESSES.remove(context(), RemovePart(Target(customer["id"], Precondition()), address["id"]))
        for address in customer["addresses"]
    ]
    results = await asyncio.gather(*removals, return_exceptions=True)
    assert [result.type.slug for result in results if isinstance(result, Problem)] == ["validation-error"]
    assert len((await get_customer(context(), GetCustomer(customer["id"])))["addresses"]) == 1


async def test_deletions_that_race_have_one_winner(context: NewContext) -> None:
    customer = await created(context())
    deletions = [delete_customer(context(), DeleteCustomer(Target(customer["id"], Precondition()))) for _ in range(8)]
    results = await asyncio.gather(*deletions, return_exceptions=True)
    assert [result.type.slug for result in results if isinstance(result, Problem)] == ["not-found"] * 7


async def test_a_deletion_leaves_a_tombstone_of_the_next_version(context: NewContext) -> None:
    ctx = context()
    customer = await created(ctx)
    tombstone = await delete_customer(ctx, DeleteCustomer(Target(customer["id"], Precondition())))
    assert tombstone == {"id": customer["id"], "version": 2, "deletedAt": "2100-01-01T00:00:00.000Z"}
    assert (await refused(get_customer(ctx, GetCustomer(customer["id"])))).type.slug == "gone"


async def test_parts_keep_their_ids_through_a_replacement(context: NewContext) -> None:
    ctx = context()
    one, two, three = (factories.address(city=city) for city in ("Ulm", "Bonn", "Köln"))
    customer = await created(ctx, addresses=[one, two])
    ids = [address["id"] for address in customer["addresses"]]
    body = factories.customer(email=customer["email"], addresses=[two, three, one])
    target = Target(customer["id"], Precondition(match=ANY))
    changed = await replace_customer(ctx, ChangeCustomer(target, Replace(lambda: body)))
    after = [address["id"] for address in changed["addresses"]]
    assert (after[0], after[2]) == (ids[1], ids[0])
    assert after[1] not in ids


async def test_etag_and_version_are_one_token(context: NewContext) -> None:
    ctx = context()
    customer = await created(ctx)
    for precondition in (
        Precondition(match=(etag(customer),)),
        Precondition(match=(etag(customer, "e"),)),
        Precondition(version=1),
    ):
        change = ChangeCustomer(Target(customer["id"], precondition), MergePatch(dict))
        assert await update_customer(ctx, change) == customer
    await patched(ctx, customer, firstName="Bea")
    for precondition in (Precondition(match=(etag(customer),)), Precondition(version=1)):
        change = ChangeCustomer(Target(customer["id"], precondition), MergePatch(dict))
        assert (await refused(update_customer(ctx, change))).type.slug == "precondition-failed"


async def test_no_operation_runs_without_its_scope(context: NewContext) -> None:
    stranger = Context(context().services, None, "request")
    for operation in OPERATIONS:
        assert (await refused(operation(stranger, None))).type.slug == "unauthorized"
        others = {*ALL_SCOPES} - {operation.scope}
        if operation.scope is not None:
            assert (await refused(operation(context(*others), None))).type.slug == "forbidden"


async def test_when_the_time_is_over_the_outcome_that_is_told_is_true(context: NewContext) -> None:
    ctx = context()
    ctx.deadline -= 3600
    problem = await refused(created(ctx, email="late@example.com"))
    assert problem.type.slug == "unavailable"
    stored = await ctx.store.customers.find_by_email("late@example.com")
    assert problem.extra["outcome"] == "unknown" or stored is None


async def test_an_unknown_part_is_not_found_and_changes_nothing(context: NewContext) -> None:
    ctx = context()
    customer = await created(ctx)
    target = Target(customer["id"], Precondition())
    problem = await refused(ADDRESSES.remove(ctx, RemovePart(target, PartId(str(uuid.uuid4())))))
    assert (problem.type.slug, problem.resource) == ("not-found", "addresses")
    assert await get_customer(ctx, GetCustomer(customer["id"])) == customer


async def test_an_id_never_seen_is_not_found_whatever_the_precondition_says(context: NewContext) -> None:
    target = Target(CustomerId(str(uuid.uuid4())), Precondition(version=7, required=True))
    problem = await refused(update_customer(context(), ChangeCustomer(target, MergePatch(dict))))
    assert problem.type.slug == "not-found"


async def test_a_tombstone_expires_after_thirty_days(context: NewContext, clock: Hands) -> None:
    ctx = context()
    customer = await created(ctx)
    await delete_customer(ctx, DeleteCustomer(Target(customer["id"], Precondition())))
    stored = await ctx.store.client[ctx.store.database]["tombstones"].find_one({"id": customer["id"]})
    assert stored is not None
    assert stored["expires"].replace(tzinfo=clock.now.tzinfo) == clock.now + timedelta(days=30)
    assert set(stored) == {"_id", "id", "version", "deletedAt", "expires"}
