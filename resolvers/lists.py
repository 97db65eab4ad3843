"""Lists of customers: by page number or by cursor, always in a total order."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from resolvers.commands import ListPage, ListWindow
from resolvers.context import Context, Scope
from resolvers.operation import operation
from resolvers.problems import INVALID_PARAMETER, Problem
from storage.documents import Customer
from storage.filters import key_of
from storage.query import DEFAULT_ORDER, MAX_SIZE, Question, Where


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page by number; `total` counts all customers of the list, None where it was not asked for."""

    customers: list[Customer]
    page: int
    size: int
    total: int | None

    @property
    def total_pages(self) -> int | None:
        """How many pages there are."""
        return None if self.total is None else -(-self.total // self.size)


@dataclass(frozen=True, slots=True)
class CustomerWindow:
    """One page by cursor, with the cursor of each customer and what lies beyond its ends."""

    customers: list[Customer]
    cursors: list[str]
    has_previous: bool
    has_next: bool


@operation(
    "listCustomers",
    scope=Scope.READ,
    rest=("GET /customers",),
    graphql=("Query.customerPage",),
    summary="List customers by page number",
)
async def list_customers(ctx: Context, command: ListPage) -> CustomerPage:
    """Return one page. Raises invalid-parameter for a page or size out of range."""
    if command.page < 1:
        raise Problem(INVALID_PARAMETER, "page must be 1 or more.")
    _check_size(command.size, "size")
    skip = (command.page - 1) * command.size
    if skip >= 2**31:
        raise Problem(INVALID_PARAMETER, "page is too far; use a cursor to read that deep.")
    found = await ctx.store.customers.find(Question(command.where, limit=command.size, skip=skip))
    total = await ctx.store.customers.count(command.where) if command.count else None
    return CustomerPage(found, command.page, command.size, total)


@operation(
    "walkCustomers",
    scope=Scope.READ,
    rest=("GET /customers?cursor={cursor}",),
    graphql=("Query.customers",),
    summary="List customers by cursor",
)
async def walk_customers(ctx: Context, command: ListWindow) -> CustomerWindow:
    """Return the customers after, or before, a cursor. Raises invalid-cursor and invalid-parameter."""
    _check_size(command.size, "last" if command.backward else "first")
    listing = _listing(command.where)
    after = ctx.services.cursors.open(command.cursor, listing) if command.cursor else None
    question = Question(command.where, limit=command.size + 1, after=after, backward=command.backward)
    found = await ctx.store.customers.find(question)
    more = len(found) > command.size
    shown = (found[-command.size :] if command.backward else found[: command.size]) if more else found
    cursors = [ctx.services.cursors.seal(key_of(customer, DEFAULT_ORDER), listing) for customer in shown]
    has_previous, has_next = (more, after is not None) if command.backward else (after is not None, more)
    return CustomerWindow(shown, cursors, has_previous, has_next)


@operation(
    "countCustomers",
    scope=Scope.READ,
    rest=("GET /customers",),
    graphql=("CustomerConnection.totalCount",),
    summary="Count the customers of a list",
)
async def count_customers(ctx: Context, command: Where) -> int:
    """Return exactly how many customers the list has."""
    return await ctx.store.customers.count(command)


def _check_size(size: int, name: str) -> None:
    if not 1 <= size <= MAX_SIZE:
        raise Problem(INVALID_PARAMETER, f"{name} must be from 1 to {MAX_SIZE}.")


def _listing(where: Where) -> bytes:
    """Return what binds a cursor to its list."""
    terms = [(term.field.value, term.descending) for term in DEFAULT_ORDER]
    return orjson.dumps([terms, where.ids, where.email])
