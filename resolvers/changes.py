"""The one way in which an existing customer is changed, by any operation of either door.

Read it, check existence and precondition, decide what it should become, write it where its version
still is the one that was read. Of all who race with one ETag exactly one wins; a change that is good for
any version is decided anew on the newer document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from resolvers.context import Context, Scope
from resolvers.operation import email_taken
from resolvers.preconditions import Precondition
from resolvers.problem import Problem
from resolvers.problems import GONE, NOT_FOUND
from storage.documents import Customer, CustomerFields, CustomerId, Instant, instant
from storage.emails import email_key

Decide = Callable[[Customer], CustomerFields]
"""Gives the fields as they should become; raises a problem where the change is not valid."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which customer is to change, under which condition; `dry_run` stores nothing."""

    id: CustomerId
    precondition: Precondition
    dry_run: bool = False


async def existing(ctx: Context, customer_id: CustomerId) -> Customer:
    """Return a customer; raises not-found for an id never seen and gone for a deleted one."""
    found = await ctx.customers.get(customer_id)
    if found is not None:
        return found
    if await ctx.customers.get_tombstone(customer_id) is not None:
        raise Problem(GONE, "The customer has been deleted.")
    raise Problem(NOT_FOUND, "There is no customer with this id.")


async def change_customer(ctx: Context, target: Target, decide: Decide) -> Customer:
    """Change a customer and return it as it is then; an equal result changes nothing.

    Raises:
        Problem: not-found, gone, precondition-missing, precondition-failed, conflict, and what `decide`
            raises.
    """
    while True:
        current = await existing(ctx, target.id)
        target.precondition.check(current, lambda: differing(ctx, current, decide))  # noqa: B023 - called at once
        fields = decide(current)
        names = _changes(current, fields)
        if not names:
            if ctx.claim is None or await ctx.claim.keep(current):
                return current
            continue
        changed = _next_version(ctx, current, fields)
        if target.dry_run:
            await _check_email(ctx, current, changed)
            return changed
        if await ctx.writes.replace(changed, version=current["version"], changed=names):
            ctx.note("done", target.id, changed["version"], names)
            return changed


def _next_version(ctx: Context, current: Customer, fields: CustomerFields) -> Customer:
    now = Instant(max(instant(ctx.now()), current["updatedAt"]))
    changed = {**current, **fields, "version": current["version"] + 1, "updatedAt": now}
    return cast("Customer", changed)


async def _check_email(ctx: Context, current: Customer, changed: Customer) -> None:
    if email_key(current["email"]) != email_key(changed["email"]):
        await check_email_free(ctx, changed["email"])


async def check_email_free(ctx: Context, email: str) -> None:
    """Raise the problem conflict when a customer has this e-mail address (for a dry run)."""
    if await ctx.customers.find_by_email(email) is not None:
        raise email_taken()


def differing(ctx: Context, current: Customer, decide: Decide) -> Sequence[str]:
    """Return the fields in which what was sent differs from what is there, for callers who may read."""
    if not ctx.allows(Scope.READ):
        return ()
    try:
        wanted = decide(current)
    except Problem:
        return ()  # what was sent is not valid either; the precondition comes first
    return _changes(current, wanted)


def _changes(current: Customer, fields: CustomerFields) -> list[str]:
    """Return which fields change; one that was not there when the customer was stored is empty."""
    before = cast("dict[str, Any]", current)
    return [name for name, value in fields.items() if before.get(name) != value]
