"""The operation that erases many customers by one request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from resolvers.commands import DeleteCustomers
from resolvers.context import Context, Scope
from resolvers.erasures import Erasure
from resolvers.filtering import all_of, condition
from resolvers.idempotency import Keyed
from resolvers.jobs import begin_job, check_room
from resolvers.operation import operation
from resolvers.problem import JsonValue, Problem
from resolvers.problems import INVALID_PARAMETER
from storage.documents import instant
from storage.erasing import Erasing, kept_filter
from storage.errors import Unavailable
from storage.jobs import Job
from storage.query import EVERYTHING, And, Compare, Filter, Not, Or, Some

_OF_EMPTY_TEXT: Final[dict[str, bool]] = {"startsWith": True, "ge": True, "lt": False}
"""What comparisons with the empty text say of every text: a value that was forgotten must not mean everybody."""
AT_ONCE: Final = 1000
"""How many customers are erased before the answer; more of them, or where that takes too long, by an operation."""


@dataclass(frozen=True, slots=True)
class DeletedCustomers:
    """How many customers were erased, or would be; `job` erases the rest, or all, where it is there."""

    count: int
    job: Job | None = None


def _keyed(_ctx: Context, command: DeleteCustomers) -> Keyed[DeletedCustomers] | None:
    """Return what a deletion means: its filter as the store reads it."""
    if command.key is None or command.dry_run:
        return None
    means: list[JsonValue] = [command.everything, kept_filter(command.where).hex()]
    return Keyed(command.key, means, lambda outcome: DeletedCustomers(0, outcome["job"]))


@operation(
    "deleteCustomers",
    scope=Scope.ADMIN,
    rest=("DELETE /customers",),
    graphql=("Mutation.deleteCustomers",),
    summary="Erase all customers that a filter finds",
    keyed=_keyed,
)
async def delete_customers(ctx: Context, command: DeleteCustomers) -> DeletedCustomers:
    """Erase customers, each with its tombstone; those who are made after the request stay.

    Raises:
        Problem: invalid-parameter unless it says which ones, rate-limited, unavailable.
    """
    _check_meant(command)
    if command.dry_run:
        return DeletedCustomers(await ctx.store.customers.count(command.where))
    now = condition("createdAt", "le", instant(ctx.now()))
    kept = kept_filter(now if command.where == EVERYTHING else all_of([command.where, now]))
    erasure = Erasure(ctx.store, kept, clock=ctx.services.clock, note=ctx.note)
    if ctx.claim is not None or await Erasing.of(ctx.store, kept).count(AT_ONCE + 1) > AT_ONCE:
        return DeletedCustomers(0, await _begin(ctx, erasure))
    return await _erase(ctx, erasure)


def _check_meant(command: DeleteCustomers) -> None:
    """Refuse a request that might mean more than it says."""
    if command.everything == (_same_for_all(command.where) is not True):
        raise Problem(
            INVALID_PARAMETER,
            "Say which customers are to be erased, by a filter that leaves some out, or confirm that all of them are.",
        )


def _same_for_all(where: Filter) -> bool | None:
    """Return what a filter says of every customer alike, such as one put together from empty parts; None if it asks."""
    if isinstance(where, Compare):
        return _OF_EMPTY_TEXT.get(where.operator) if where.value == "" and not where.field.nullable else None
    if isinstance(where, Some):
        return _same_for_all(where.term)  # no customer is without an address and a phone number
    if isinstance(where, Not):
        inner = _same_for_all(where.term)
        return None if inner is None else not inner
    if not isinstance(where, And | Or):
        return None
    decisive, found = isinstance(where, Or), {_same_for_all(term) for term in where.terms}
    return decisive if decisive in found else None if None in found else not decisive


async def _erase(ctx: Context, erasure: Erasure) -> DeletedCustomers:
    """Erase within half of the request's time; what is left then goes to an operation."""
    end = ctx.deadline - ctx.services.request_timeout / 2
    while await erasure.step():
        if time.monotonic() > end:
            return DeletedCustomers(erasure.erased, await _begin(ctx, erasure))
    return DeletedCustomers(erasure.erased)


async def _begin(ctx: Context, erasure: Erasure) -> Job:
    task, position = {"filter": erasure.kept}, {"place": erasure.place}
    begun: dict[str, Any] = {"done": erasure.erased, "counts": {"deleted": erasure.erased}}
    try:
        if not erasure.erased:
            await check_room(ctx)
        return await begin_job(ctx, "delete", task, position=position, **begun)
    except Unavailable as error:
        raise Unavailable("unknown" if erasure.erased else error.outcome) from error
