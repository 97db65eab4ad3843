"""The queries."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from resolvers.commands import (
    Count,
    GetCustomer,
    GetCustomerByEmail,
    GetCustomers,
    ListPage,
    ListQuery,
    ListWindow,
)
from resolvers.customers import get_customer, get_customer_by_email, get_customers
from resolvers.filtering import all_of, search
from resolvers.identifiers import customer_id
from resolvers.lists import explain_customers, list_customers, walk_customers
from resolvers.problem import Problem
from resolvers.problems import GONE, INVALID_PARAMETER, NOT_FOUND
from resolvers.renderings import Renderings
from resolvers.viewer import get_viewer
from schema.filters import CustomerFilter, CustomerOrder, order, where
from schema.jobs import JobQueries
from schema.lists import CustomerConnection, CustomerPage, QueryPlan
from schema.selection import counts, needed_fields, renderings_of
from schema.types import Customer, Info, Node, Viewer
from storage.query import DEFAULT_SIZE, EVERYTHING, MAX_SIZE

Id = Annotated[strawberry.ID, strawberry.argument(description="The customer's UUID.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description=f"Up to {MAX_SIZE} UUIDs.")]
Email = Annotated[str, strawberry.argument(description="An e-mail address, compared without case.")]
First = Annotated[int | None, strawberry.argument(description="How many customers from the front, 1 to 100.")]
Last = Annotated[int | None, strawberry.argument(description="How many customers from the end, 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Only customers after this cursor.")]
Before = Annotated[str | None, strawberry.argument(description="Only customers before this cursor.")]
Where = Annotated[CustomerFilter | None, strawberry.argument(description="Only customers that fulfil this.")]
Words = Annotated[
    str | None,
    strawberry.argument(description="Only customers with words that begin so: names, e-mail, city, phone digits."),
]
OrderBy = Annotated[list[CustomerOrder] | None, strawberry.argument(description="The order; by creation if absent.")]
Fields = frozenset[str] | None
PageNumber = Annotated[int | None, strawberry.argument(description="Which page, from 1.")]
PageSize = Annotated[int | None, strawberry.argument(description="How many customers a page has, 1 to 100.")]


@strawberry.type(description="Everything that can be asked.")
class Query(JobQueries):
    """The root of queries."""

    @strawberry.field(description="One customer by id; null where there is none (any more).")
    async def customer(self, info: Info, id: Id) -> Customer | None:  # noqa: A002 - the schema's name
        """Return one customer. Problems: invalid-id."""
        return cast("Customer | None", await _find(info, id))

    @strawberry.field(description="One customer by e-mail address; null where there is none.")
    async def customer_by_email(self, info: Info, email: Email) -> Customer | None:
        """Return one customer."""
        found = await get_customer_by_email(info.context, GetCustomerByEmail(email))
        return cast("Customer | None", found)

    @strawberry.field(
        description="Customers by cursor, oldest first unless ordered otherwise: the way to walk the whole list."
    )
    async def customers(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Where = None,  # noqa: A002 - the schema's name
        search: Words = None,
        order_by: OrderBy = None,
    ) -> CustomerConnection:
        """Return a Relay connection. Problems: invalid-parameter, invalid-filter, invalid-cursor."""
        fields = needed_fields(info, "edges|nodes")
        query = _query(filter, search, order_by, fields, renderings_of(info, fields))
        window = await walk_customers(info.context, _window(first, after, last, before, query))
        return CustomerConnection(window=window, where=query.where)

    @strawberry.field(description="Customers by page number, oldest first unless ordered otherwise: for tables.")
    async def customer_page(
        self,
        info: Info,
        page: PageNumber = 1,
        size: PageSize = DEFAULT_SIZE,
        filter: Where = None,  # noqa: A002 - the schema's name
        search: Words = None,
        order_by: OrderBy = None,
    ) -> CustomerPage:
        """Return one page. Problems: invalid-parameter, invalid-filter."""
        fields = needed_fields(info, "items")
        query = _query(filter, search, order_by, fields, renderings_of(info, fields))
        count: Count = "auto" if counts(info) else "none"
        command = ListPage(1 if page is None else page, DEFAULT_SIZE if size is None else size, count, query)
        return CustomerPage.of(await list_customers(info.context, command))

    @strawberry.field(description="How the store answers a list (scope customers:admin).")
    async def explain_customers(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Where = None,  # noqa: A002 - the schema's name
        search: Words = None,
        order_by: OrderBy = None,
    ) -> QueryPlan:
        """Return the plan. Problems: forbidden, and those of the list."""
        query = _query(filter, search, order_by, None)
        plan = await explain_customers(info.context, _window(first, after, last, before, query))
        return QueryPlan.of(plan)

    @strawberry.field(description="Anything by its id (Relay); null where there is nothing.")
    async def node(self, info: Info, id: Id) -> Node | None:  # noqa: A002 - the schema's name
        """Return one node. Problems: invalid-id."""
        return cast("Node | None", await _find(info, id))

    @strawberry.field(description="Several things by id, in that order (Relay); null where there is nothing.")
    async def nodes(self, info: Info, ids: Ids) -> list[Node | None]:
        """Return several nodes. Problems: invalid-id, invalid-parameter."""
        if len(ids) > MAX_SIZE:
            raise Problem(INVALID_PARAMETER, f"ids may hold at most {MAX_SIZE}.")
        command = GetCustomers(tuple(customer_id(text) for text in ids))
        return cast("list[Node | None]", await get_customers(info.context, command))

    @strawberry.field(description="Who the credentials belong to and what they allow.")
    async def viewer(self, info: Info) -> Viewer:
        """Return the caller."""
        return Viewer.of(await get_viewer(info.context, None))


async def _find(info: Info, text: str) -> object:
    try:
        return await get_customer(info.context, GetCustomer(customer_id(text)))
    except Problem as problem:
        if problem.type in {NOT_FOUND, GONE}:
            return None
        raise


def _query(
    asked: CustomerFilter | None,
    words: str | None,
    order_by: list[CustomerOrder] | None,
    fields: Fields,
    renderings: Renderings | None = None,
) -> ListQuery:
    parts = [where(asked), search(words) if words is not None else None]
    selected = all_of(part for part in parts if part != EVERYTHING)
    return ListQuery(selected, order(order_by), fields, renderings=renderings)


def _window(first: int | None, after: str | None, last: int | None, before: str | None, query: ListQuery) -> ListWindow:
    if first is not None and last is not None:
        raise Problem(INVALID_PARAMETER, "Give first or last, not both.")
    if after is not None and before is not None:
        raise Problem(INVALID_PARAMETER, "Give after or before, not both.")
    if (first is not None and before is not None) or (last is not None and after is not None):
        raise Problem(INVALID_PARAMETER, "Use first with after, and last with before.")
    if last is not None or before is not None:
        return ListWindow(DEFAULT_SIZE if last is None else last, before, backward=True, query=query)
    return ListWindow(DEFAULT_SIZE if first is None else first, after, query=query)
