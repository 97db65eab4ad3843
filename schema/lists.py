"""Lists of customers as GraphQL shows them: by cursor, by page number, and how the store answers them."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import cast

import strawberry

from resolvers.lists import CustomerPage as Page
from resolvers.lists import CustomerWindow, count_customers
from schema.fields import described
from schema.types import Customer, Info
from storage.plans import QueryPlan as Plan
from storage.query import Filter


@strawberry.type(description="Where a page lies in its list (Relay).")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = described("Whether more customers follow.")
    has_previous_page: bool = described("Whether customers come before.")
    start_cursor: str | None = described("The cursor of the first customer of the page.")
    end_cursor: str | None = described("The cursor of the last customer of the page.")


@strawberry.type(description="A customer and its place in the list (Relay).")
class CustomerEdge:
    """Relay's edge."""

    node: Customer = described("The customer.")
    cursor: str = described("Its place, for after and before.")


@strawberry.type(description="A page of customers by cursor (Relay).")
class CustomerConnection:
    """Relay's connection over one window of the list."""

    window: strawberry.Private[CustomerWindow]
    where: strawberry.Private[Filter]

    @strawberry.field(description="The customers with their cursors.")
    def edges(self) -> list[CustomerEdge]:
        """Return customers with cursors."""
        window = self.window
        nodes = enumerate(window.customers)
        return [CustomerEdge(node=cast("Customer", node), cursor=window.cursor(place)) for place, node in nodes]

    @strawberry.field(description="The customers alone.")
    def nodes(self) -> list[Customer]:
        """Return customers without cursors."""
        return _listed(self.window)

    @strawberry.field(description="Where the page lies.")
    def page_info(self) -> PageInfo:
        """Return Relay's PageInfo."""
        window = self.window
        return PageInfo(
            has_next_page=window.has_next,
            has_previous_page=window.has_previous,
            start_cursor=window.cursor(0) if window.customers else None,
            end_cursor=window.cursor(-1) if window.customers else None,
        )

    @strawberry.field(description="How many customers the whole list has; counted only when asked for.")
    async def total_count(self, info: Info) -> int:
        """Count the list."""
        return await count_customers(info.context, self.where)


def _listed(page: Page | CustomerWindow) -> list[Customer]:
    """Return the customers of a page, as they are shown where that is at hand."""
    return cast("list[Customer]", page.customers if page.shown is None else page.shown)


@strawberry.type(description="Which page this is, of how many.")
class PageNumbers:
    """The page object, as REST shows it."""

    page: int = described("The number of this page, from 1.")
    size: int = described("The most customers of a page.")
    total_elements: int | None = described("How many customers the whole list has.")
    total_pages: int | None = described("How many pages the whole list has.")


@strawberry.type(description="A page of customers by number.")
class CustomerPage:
    """A page for tables."""

    items: list[Customer] = described("The customers of the page.")
    page: PageNumbers = described("Which page this is.")

    @staticmethod
    def of(page: Page) -> CustomerPage:
        """Return GraphQL's form of a page."""
        numbers = PageNumbers(page=page.page, size=page.size, total_elements=page.total, total_pages=page.total_pages)
        return CustomerPage(items=_listed(page), page=numbers)


@strawberry.type(description="How the store answers a list.")
class QueryPlan:
    """The store's plan."""

    query: str = described("The store's query, as JSON.")
    indexes: list[str] = described("The indexes it goes by.")
    scans_collection: bool = described("Whether it reads the whole collection.")
    sorts: bool = described("Whether it sorts what an index did not give in order.")
    keys_examined: int = described("How many index keys it looked at.")
    documents_examined: int = described("How many documents it looked at.")
    returned: int = described("How many documents it returned.")
    milliseconds: int = described("The store's own time.")

    @staticmethod
    def of(plan: Plan) -> QueryPlan:
        """Return GraphQL's form of a plan."""
        facts = {one.name: getattr(plan, one.name) for one in fields(plan)}
        query = json.dumps(plan.query, default=bytes.hex, ensure_ascii=False)
        return QueryPlan(**{**facts, "query": query, "indexes": list(plan.indexes)})
