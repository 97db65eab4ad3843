"""Lists of customers: by page number or by cursor, always in a total order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from resolvers.commands import Count, ListPage, ListQuery, ListWindow
from resolvers.context import Context, Scope
from resolvers.operation import operation
from resolvers.problem import Problem
from resolvers.problems import INVALID_PARAMETER
from resolvers.renderings import ReadPage, Shown
from storage.documents import Customer
from storage.orders import key_of
from storage.plans import QueryPlan
from storage.query import EVERYTHING, MAX_SIZE, Filter, Order, Question


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page by number; `total` counts all customers of the list, None where it was not asked for.

    `shown` are the customers' renderings, where those were asked for.
    """

    customers: list[Customer]
    shown: Shown | None
    page: int
    size: int
    total: int | None
    has_next: bool

    @property
    def total_pages(self) -> int | None:
        """How many pages there are."""
        return None if self.total is None else -(-self.total // self.size)


@dataclass(frozen=True, slots=True)
class CustomerWindow:
    """One page by cursor, and what lies beyond its ends. Cursors are sealed when they are asked for: few are."""

    customers: list[Customer]
    shown: Shown | None
    has_previous: bool
    has_next: bool
    seal: Callable[[Customer], str]
    _sealed: dict[int, str] = field(default_factory=dict)

    def cursor(self, position: int) -> str:
        """Return the cursor of the customer at a position, -1 for the last; always the same one."""
        place = position % len(self.customers)
        if place not in self._sealed:
            self._sealed[place] = self.seal(self.customers[place])
        return self._sealed[place]


@operation(
    "listCustomers",
    scope=Scope.READ,
    rest=("GET /customers",),
    graphql=("Query.customerPage",),
    summary="List customers by page number",
)
async def list_customers(ctx: Context, command: ListPage) -> CustomerPage:
    """Return one page. Raises invalid-parameter for a page or size out of range, and answer-too-large."""
    question = page_question(command)
    page, size = command.page, command.size
    if command.count == "none":
        found = await _read(ctx, question, command.query)
        more = len(found.customers) > size
        return CustomerPage(*found.part(slice(size)), page, size, None, has_next=more)
    if _is_all(question.where, command.count):
        counting = ctx.store.totals.begin()  # at the same time, so that the page, once here, is made an answer at once
        found = await _read(ctx, question, command.query)
        total = await ctx.store.totals.total(counting)
    else:
        found = await _read(ctx, question, command.query)
        total = await ctx.store.customers.count(question.where)
    return CustomerPage(*found, page, size, total, has_next=page * size < total)


search_customers = operation(
    "searchCustomers",
    scope=Scope.READ,
    rest=("POST /customers:search",),
    graphql=("Query.customerPage", "Query.customers"),
    summary="List customers by a question in the body",
)(list_customers.run)
"""The same list, asked for by a body: for questions that do not fit into a URI."""


@operation(
    "walkCustomers",
    scope=Scope.READ,
    rest=("GET /customers?cursor={cursor}",),
    graphql=("Query.customers",),
    summary="List customers by cursor",
)
async def walk_customers(ctx: Context, command: ListWindow) -> CustomerWindow:
    """Return the customers after, or before, a cursor.

    Raises:
        Problem: invalid-cursor, invalid-parameter, answer-too-large.
    """
    listing = _listing(command.query.order, command.query.where)
    question = window_question(ctx, command)
    found = await _read(ctx, question, command.query)
    more = len(found.customers) > command.size
    if more:
        found = found.part(slice(-command.size, None) if command.backward else slice(command.size))
    beyond = question.after is not None
    previous, following = (more, beyond) if command.backward else (beyond, more)

    def seal(customer: Customer) -> str:
        return ctx.services.cursors.seal(key_of(customer, command.query.order), listing)

    return CustomerWindow(*found, previous, following, seal)


@operation(
    "countCustomers",
    scope=Scope.READ,
    rest=("GET /customers?count=exact",),
    graphql=("CustomerConnection.totalCount",),
    summary="Count the customers of a list",
)
async def count_customers(ctx: Context, command: Filter) -> int:
    """Return how many customers the list has."""
    return await (ctx.store.totals.total() if _is_all(command, "auto") else ctx.store.customers.count(command))


@operation(
    "explainCustomers",
    scope=Scope.ADMIN,
    rest=("GET /customers?explain=true",),
    graphql=("Query.explainCustomers",),
    summary="Show how the store answers a list",
)
async def explain_customers(ctx: Context, command: ListPage | ListWindow) -> QueryPlan:
    """Return the store's query, its indexes and what it examined. Raises what the list raises."""
    question = page_question(command) if isinstance(command, ListPage) else window_question(ctx, command)
    return await ctx.store.customers.explain(question)


async def _read(ctx: Context, question: Question, query: ListQuery) -> ReadPage:
    if query.renderings is None:
        return ReadPage(await ctx.pages.find(ctx.store, question))
    return await query.renderings.read(ctx.pages, ctx.store, question)


def page_question(command: ListPage) -> Question:
    """Return the question of a page by number; where nothing counts, one customer more tells whether more follow."""
    if command.page < 1:
        raise Problem(INVALID_PARAMETER, "page must be 1 or more.")
    _check_size(command.size, "size")
    skip = (command.page - 1) * command.size
    if skip >= 2**31:
        raise Problem(INVALID_PARAMETER, "page is too far; use a cursor to read that deep.")
    query = command.query
    limit = command.size + 1 if command.count == "none" else command.size
    return Question(query.where, query.order, limit, skip, fields=query.fields, version=query.version)


def window_question(ctx: Context, command: ListWindow) -> Question:
    """Return the question of a page by cursor: one customer more than shown, to see whether more follow."""
    _check_size(command.size, "last" if command.backward else "first")
    query = command.query
    after = None
    if command.cursor:
        after = ctx.services.cursors.open(command.cursor, _listing(query.order, query.where))
    return Question(
        query.where,
        query.order,
        command.size + 1,
        after=after,
        backward=command.backward,
        fields=query.fields,
        version=query.version,
    )


def _is_all(where: Filter, count: Count) -> bool:
    """Tell whether the collection's own count may be the total."""
    return count == "auto" and where == EVERYTHING


def _check_size(size: int, name: str) -> None:
    if not 1 <= size <= MAX_SIZE:
        raise Problem(INVALID_PARAMETER, f"{name} must be from 1 to {MAX_SIZE}.")


def _listing(order: tuple[Order, ...], where: Filter) -> bytes:
    """Return what binds a cursor to its list: a digest of its order and filter."""
    return _unfiltered(order) if where == EVERYTHING else _digest(order, where)


@lru_cache(maxsize=256)
def _unfiltered(order: tuple[Order, ...]) -> bytes:
    return _digest(order, EVERYTHING)


def _digest(order: tuple[Order, ...], where: Filter) -> bytes:
    return hashlib.blake2b(repr((order, where)).encode(), digest_size=16).digest()
