"""Operations on whole customers."""

from __future__ import annotations

from typing import Any, cast

from resolvers.changes import change_customer, check_email_free, existing
from resolvers.commands import (
    ChangeCustomer,
    CreateCustomer,
    DeleteCustomer,
    GetCustomer,
    GetCustomerByEmail,
    GetCustomers,
)
from resolvers.context import Context, Scope
from resolvers.filtering import compare
from resolvers.meanings import keyed_change, keyed_create
from resolvers.operation import operation
from resolvers.parts import ADDRESS, PHONE_NUMBER, Part, shown, with_ids
from resolvers.patches import Change
from resolvers.problem import JsonValue, Problem
from resolvers.problems import NOT_FOUND
from resolvers.validation import Locate, check, check_read_only, nearest
from storage.documents import Customer, CustomerFields, Tombstone, instant, new_id
from storage.errors import WriteConflict
from storage.model import CustomerInput
from storage.query import CUSTOMER_FIELDS, Question, by_ids

READ_ONLY = ("id", "createdAt", "updatedAt")
"""What the server makes itself; a client that sends them is not obeyed."""


@operation(
    "createCustomer",
    scope=Scope.WRITE,
    rest=("POST /customers",),
    graphql=("Mutation.createCustomer",),
    summary="Create a customer",
    keyed=keyed_create,
)
async def create_customer(ctx: Context, command: CreateCustomer) -> Customer:
    """Store a new customer and return it. Raises validation-error, and conflict where the e-mail is taken."""
    sent = command.body()
    fields = checked(ctx, sent, {}, strict=command.strict, locate=nearest(sent))
    now = instant(ctx.now())
    customer = cast("Customer", {"id": new_id(), "version": 1, **fields, "createdAt": now, "updatedAt": now})
    if command.dry_run:
        await check_email_free(ctx, customer["email"])
    else:
        ctx.created = customer["id"]
        await ctx.writes.create(customer)
        ctx.created = ""
        ctx.note("done", customer["id"], 1)
    return customer


@operation(
    "getCustomer",
    scope=Scope.READ,
    rest=("GET /customers/{customerId}",),
    graphql=("Query.customer", "Query.node"),
    summary="Get one customer",
)
async def get_customer(ctx: Context, command: GetCustomer) -> Customer:
    """Return one customer. Raises not-found, and gone for 30 days after it was deleted."""
    return await existing(ctx, command.id)


@operation(
    "getCustomers",
    scope=Scope.READ,
    rest=("GET /customers?id={id}&id={id}",),
    graphql=("Query.nodes",),
    summary="Get several customers by id",
)
async def get_customers(ctx: Context, command: GetCustomers) -> list[Customer | None]:
    """Return the customers in the order of their ids, None where there is none. Raises answer-too-large."""
    question = Question(by_ids(command.ids), limit=max(len(command.ids), 1))
    found = await ctx.pages.find(ctx.store, question)
    by_id = {customer["id"]: customer for customer in found}
    return [by_id.get(customer_id) for customer_id in command.ids]


@operation(
    "getCustomerByEmail",
    scope=Scope.READ,
    rest=("GET /customers?email={email}",),
    graphql=("Query.customerByEmail",),
    summary="Get one customer by e-mail address",
)
async def get_customer_by_email(ctx: Context, command: GetCustomerByEmail) -> Customer | None:
    """Return the customer with an e-mail address, compared without case, or None.

    Raises:
        Problem: invalid-filter for what a filter of addresses does not take either: NUL, and text that is too long.
    """
    compare(CUSTOMER_FIELDS["email"], "eq", command.email)
    return await ctx.customers.find_by_email(command.email)


@operation(
    "replaceCustomer",
    scope=Scope.WRITE,
    rest=("PUT /customers/{customerId}",),
    graphql=("Mutation.replaceCustomer",),
    summary="Replace a customer",
    keyed=keyed_change,
)
async def replace_customer(ctx: Context, command: ChangeCustomer) -> Customer:
    """Put another customer in the place of this one. Raises what `change_customer` raises."""
    return await _changed(ctx, command)


@operation(
    "updateCustomer",
    scope=Scope.WRITE,
    rest=("PATCH /customers/{customerId}",),
    graphql=("Mutation.updateCustomer",),
    summary="Change parts of a customer",
    keyed=keyed_change,
)
async def update_customer(ctx: Context, command: ChangeCustomer) -> Customer:
    """Apply a merge patch or a JSON Patch to a customer. Raises what `change_customer` raises."""
    return await _changed(ctx, command)


async def _changed(ctx: Context, command: ChangeCustomer) -> Customer:
    def decide(current: Customer) -> CustomerFields:
        return decided(ctx, current, command.change, strict=command.strict)

    return await change_customer(ctx, command.target, decide)


@operation(
    "deleteCustomer",
    scope=Scope.DELETE,
    rest=("DELETE /customers/{customerId}",),
    graphql=("Mutation.deleteCustomer",),
    summary="Erase a customer",
)
async def delete_customer(ctx: Context, command: DeleteCustomer) -> Tombstone:
    """Erase a customer and return its tombstone. Raises not-found (also for one deleted before)."""
    target = command.target
    while True:
        current = await ctx.customers.get(target.id)
        if current is None:
            raise Problem(NOT_FOUND, "There is no customer with this id.")
        target.precondition.check(current, tuple)
        now = instant(ctx.now())
        if target.dry_run:
            return {"id": target.id, "version": current["version"] + 1, "deletedAt": now}
        tombstone = await _erase(ctx, current)
        if tombstone is not None:
            ctx.note("done", target.id, tombstone["version"])
            return tombstone


async def _erase(ctx: Context, current: Customer) -> Tombstone | None:
    try:
        return await ctx.customers.delete(current["id"], version=current["version"], deleted_at=instant(ctx.now()))
    except WriteConflict:
        return None  # someone else wrote between: look again


def representation(customer: Customer) -> dict[str, JsonValue]:
    """Return the full customer of the Customer JSON Schema: without version, without ids of parts."""
    body = cast("dict[str, Any]", customer.copy())
    body.pop("version", None)
    for kind in (ADDRESS, PHONE_NUMBER):
        if kind.list_name in body:
            body[kind.list_name] = [shown(part) for part in body[kind.list_name]]
    return body


def decided(ctx: Context, current: Customer, change: Change, *, strict: bool) -> CustomerFields:
    """Return the fields of a customer after a change of its full representation."""
    before = representation(current)
    after = change.apply(before)
    if isinstance(after, dict):
        if strict:
            check_read_only(READ_ONLY, before, after, change.locate)
        after = {name: value for name, value in after.items() if name not in READ_ONLY}
    return checked(ctx, after, current, strict=strict, locate=change.locate)


def checked(
    ctx: Context, value: JsonValue, current: Customer | dict[str, Any], *, strict: bool, locate: Locate
) -> CustomerFields:
    """Return clean fields whose parts have ids: those of the present customer where they fit."""
    fields = check(CustomerInput, value, strict=strict, us_address_rules=ctx.services.us_address_rules, locate=locate)
    for kind in (ADDRESS, PHONE_NUMBER):
        old: list[Part] = current.get(kind.list_name, [])  # type: ignore[assignment]
        fields[kind.list_name] = with_ids(fields[kind.list_name], old)
    return cast("CustomerFields", fields)
