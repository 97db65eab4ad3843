"""Batches: many operations on single customers in one request, each by the rules of the single one.

The operations run one after the other on staged customers, which are stored as one transaction. An atomic batch is
one transaction or nothing. Item by item, `_AT_ONCE` of them go into one, and those that somebody else's writes
keep getting in the way of are done one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from random import Random
from typing import Final, NamedTuple

from resolvers.audit import Entry
from resolvers.audit import Outcome as AuditOutcome
from resolvers.batches import Batch, Done, Item
from resolvers.commands import ChangeCustomer, CreateCustomer, DeleteCustomer
from resolvers.context import Context, Scope
from resolvers.customers import create_customer, delete_customer, replace_customer, update_customer
from resolvers.idempotency import Keyed, once
from resolvers.kept_batches import earlier, kept, meaning
from resolvers.operation import operation, problem_of, unavailable
from resolvers.problem import Failure, Path, Problem
from resolvers.problems import BATCH_FAILED, GONE
from storage.bulk import Bulk
from storage.claims import Claim
from storage.deadlines import seconds_left
from storage.errors import ClaimLost, DocumentTooLarge, Outcome, StoreError, Unavailable
from storage.ledger import KEPT
from storage.staging import StagedCustomers
from storage.turns import Turns

_RANDOM: Final = Random()  # noqa: S311 - it only spreads
_AT_ONCE: Final = 100
_MOST_FAULTS: Final = 10_000
"""How many faults the answer to a batch tells, of each operation the same number: a client's flood stays one."""
_TRIES: Final = 3
_LONGEST_PAUSE: Final = 0.05
"""Seconds between two tries of a transaction that others got in the way of."""


class Attempt(NamedTuple):
    """Operations that were run on staged customers: what became of each, and what the audit is to know of them."""

    staged: StagedCustomers
    results: list[Done]
    entries: list[Entry]

    async def store(self, ctx: Context, *, last: bool) -> bool:
        """Store what was staged, and tell the audit what became of it; False where it is to be decided anew.

        Under an idempotency key what became of it is stored as well; it is whole with the `last` operations.
        """
        try:
            stored = await (self._keep(ctx, ctx.claim, last=last) if ctx.claim else self.staged.store())
        except Unavailable as error:
            self.note(ctx, "unknown" if error.outcome == "unknown" else "refused", "unavailable")
            raise
        if stored:
            self.note(ctx, "done")
        return stored

    async def _keep(self, ctx: Context, claim: Claim, *, last: bool) -> bool:
        return await claim.store(self.staged, [kept(one) for one in self.results], ctx.now() + KEPT, last=last)

    def note(self, ctx: Context, outcome: AuditOutcome, problem: str = "") -> None:
        """Tell the audit of each change that it has this outcome, and of each refusal."""
        for entry in self.entries:
            told = entry._replace(outcome=outcome, problem=problem) if entry.outcome == "done" else entry
            ctx.services.audit(told)


async def _run(ctx: Context, batch: Batch) -> list[Done]:
    if batch.key is None or batch.dry_run:
        return await _decided(batch, ctx)
    keyed = Keyed(batch.key, await meaning(ctx, batch), lambda outcome: earlier(outcome["results"]))
    return await once(ctx, "batchCustomers", keyed, partial(_under_claim, batch))


async def _under_claim(batch: Batch, ctx: Context) -> list[Done]:
    try:
        return await _decided(batch, ctx)
    except ClaimLost:
        raise
    except StoreError as error:
        raise problem_of(error) from error


async def _decided(batch: Batch, ctx: Context) -> list[Done]:
    if batch.atomic:
        return await _together(ctx, batch)
    return await _one_by_one(ctx, batch)


@operation(
    "batchCustomers",
    scope=Scope.WRITE,
    rest=("POST /customers:batch",),
    graphql=("Mutation.batchCustomers",),
    summary="Create, replace, change and erase customers in one request",
)
async def batch_customers(ctx: Context, batch: Batch) -> list[Done]:
    """Do all operations, or each for itself, and return what became of them in their order.

    Raises:
        Problem: batch-failed where an atomic batch has an operation that cannot be done, body-too-large,
            unavailable where nothing is known of any.
    """
    return await _run(ctx, batch)


@operation(
    "replaceCustomers",
    scope=Scope.WRITE,
    rest=("PUT /customers",),
    graphql=("Mutation.batchCustomers",),
    summary="Replace several customers",
)
async def replace_customers(ctx: Context, batch: Batch) -> list[Done]:
    """Replace each customer for itself, as `batch_customers` does."""
    return await _run(ctx, batch)


@operation(
    "updateCustomers",
    scope=Scope.WRITE,
    rest=("PATCH /customers",),
    graphql=("Mutation.batchCustomers",),
    summary="Change several customers",
)
async def update_customers(ctx: Context, batch: Batch) -> list[Done]:
    """Change each customer for itself, as `batch_customers` does."""
    return await _run(ctx, batch)


async def _together(ctx: Context, batch: Batch) -> list[Done]:
    for tries in count():
        attempt = await _attempt(ctx, batch.items, _told(batch))
        failures = [
            Failure(index, one.kind, one.id, one.problem)
            for index, one in enumerate(attempt.results)
            if one.problem is not None
        ]
        if failures:
            if ctx.claim is not None:
                await ctx.claim.release()  # a retry may have done it all: then that is what is answered
            if not batch.dry_run:
                attempt.note(ctx, "refused", BATCH_FAILED.slug)
            raise _failed(failures)
        if batch.dry_run or await attempt.store(ctx, last=True):
            return attempt.results
        await _pause(tries)
    raise AssertionError  # the deadline ends it


def _failed(failures: Sequence[Failure]) -> Problem:
    """Return the problem of an atomic batch: where the store was away for one, for all."""
    if any("outcome" in one.problem.extra for one in failures):
        return unavailable("none")
    number = "One operation" if len(failures) == 1 else f"{len(failures)} operations"
    return Problem(BATCH_FAILED, f"{number} cannot be done; nothing was changed.", failures=tuple(failures))


async def _one_by_one(ctx: Context, batch: Batch) -> list[Done]:
    told = _told(batch)
    if batch.dry_run:
        return (await _attempt(ctx, batch.items, told)).results
    results = await _begun(ctx)
    away = False
    while len(results) < len(batch.items):
        items = batch.items[len(results) : len(results) + _AT_ONCE]
        if not away:
            done, away = await _portion(ctx, items, told, last=len(results) + len(items) == len(batch.items))
            results += done
        else:
            results += [_lost(item, "none") for item in items]
    if away and ctx.claim is not None:
        await ctx.claim.release()
    if all(one.problem is not None and one.problem.extra.get("outcome") == "none" for one in results):
        raise unavailable("none")
    return results


async def _begun(ctx: Context) -> list[Done]:
    """Return what became of the operations that an earlier run with the same key has done before it died."""
    if ctx.claim is None:
        return []
    results = await ctx.claim.earlier()
    if results is None:
        raise Problem(GONE, "A customer that this request was about has been deleted.")
    return earlier(results)


async def _portion(ctx: Context, items: Sequence[Item], told: int, *, last: bool) -> tuple[list[Done], bool]:
    """Return what became of some items, and whether the store or the time failed, so that no more are to begin."""
    for tries in range(_TRIES):
        try:
            attempt = await _attempt(ctx, items, told)
        except Unavailable as error:
            return [_lost(item, error.outcome) for item in items], True
        try:
            if await attempt.store(ctx, last=last):
                return attempt.results, False
        except Unavailable as error:
            # What was refused may have been so because of what another item of the portion was about to do.
            outcomes: list[Outcome] = [error.outcome if one.problem is None else "none" for one in attempt.results]
            return [_lost(item, outcome) for item, outcome in zip(items, outcomes, strict=True)], True
        except DocumentTooLarge:
            break
        await _pause(tries)
    if ctx.claim is not None:
        return await _alone(ctx, items, told, last=last)
    alone = ctx.over(ctx.customers, ctx.services.audit)
    return [await _done(alone, item, told) for item in items], False


async def _alone(ctx: Context, items: Sequence[Item], told: int, *, last: bool) -> tuple[list[Done], bool]:
    """Do what `_portion` does, each operation in a transaction of its own with what became of it."""
    results: list[Done] = []
    for index, item in enumerate(items):
        for tries in count():
            try:
                attempt = await _attempt(ctx, [item], told)
                if await attempt.store(ctx, last=last and index == len(items) - 1):
                    results += attempt.results
                    break
            except Unavailable as error:
                lost = [_lost(item, error.outcome), *(_lost(one, "none") for one in items[index + 1 :])]
                return results + lost, True
            await _pause(tries)
    return results, False


def _told(batch: Batch) -> int:
    """Return how many faults of each operation are told."""
    return _MOST_FAULTS // len(batch.items)


async def _attempt(ctx: Context, items: Sequence[Item], told: int) -> Attempt:
    """Run operations on customers that are read anew, and return those with all changes, and what became of each.

    Of what is wrong with an operation `told` faults are told.

    Raises:
        Unavailable: the customers cannot be read, or the time is over.
    """
    staged = StagedCustomers(Bulk.of(ctx.store))
    ids = {item.id for item in items if item.id is not None}
    await staged.load(ids, {item.email for item in items if item.email is not None})
    attempt = Attempt(staged, [], [])
    inner, turns = ctx.over(staged, attempt.entries.append), Turns()
    for item in items:
        if (left := seconds_left()) is not None and left <= 0:
            raise Unavailable("none")
        attempt.results.append(await _done(inner, item, told))
        await turns.give()
    return attempt


async def _done(ctx: Context, item: Item, told: int) -> Done:
    """Do one operation by its own rules, and return what became of it."""
    command = item.command
    try:
        if isinstance(command, CreateCustomer):
            customer = await create_customer(ctx, command)
            return Done(item.kind, customer["id"], customer)
        if isinstance(command, DeleteCustomer):
            return Done(item.kind, item.id, tombstone=await delete_customer(ctx, command))
        if isinstance(command, ChangeCustomer):
            change = replace_customer if item.kind == "replace" else update_customer
            return Done(item.kind, item.id, await change(ctx, command))
    except Problem as problem:
        command = problem
    return Done(item.kind, item.id, problem=_placed(command, item.at, told))


def _placed(problem: Problem, at: Path, told: int) -> Problem:
    """Return a problem whose faults point into the batch as it was sent, and that holds nothing of how it came."""
    faults = [replace(fault, sent=(*at, *fault.sent)) for fault in problem.faults[:told]]
    return replace(problem, faults=tuple(faults))


def _lost(item: Item, outcome: Outcome) -> Done:
    return Done(item.kind, item.id, problem=unavailable(outcome))


async def _pause(tries: int) -> None:
    await asyncio.sleep(_RANDOM.uniform(0, min(_LONGEST_PAUSE, 0.002 * 2 ** min(tries, 10))))
