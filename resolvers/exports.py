"""Exports: all customers that a filter finds, in the order of their creation, in memory that does not grow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from resolvers.context import Context, Scope
from resolvers.operation import operation
from storage.bulk import Bulk
from storage.documents import Customer, Tombstone
from storage.errors import PageTooLarge
from storage.orders import key_of
from storage.query import DEFAULT_ORDER, EVERYTHING, Filter, Key, Question
from storage.store import Store

PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class ExportCustomers:
    """An export of the customers that a filter finds."""

    where: Filter = EVERYTHING


class Page(NamedTuple):
    """Some customers, and the place of the last one: reading goes on from there."""

    customers: list[Customer]
    after: Key


@dataclass(frozen=True, slots=True)
class Export:
    """The customers of a store. Each is as it was when it was read; none that stays meanwhile is left out."""

    opened: Store
    where: Filter = EVERYTHING

    async def pages(self, after: Key | None = None) -> AsyncIterator[Page]:
        """Give the customers after a place, page by page. Raises `Unavailable`."""
        size = PAGE
        while True:
            question = Question(self.where, DEFAULT_ORDER, size, after=after)
            try:
                found = await self.opened.customers.find(question)
            except PageTooLarge:
                size = max(size // 4, 1)
                continue
            if not found:
                return
            after = key_of(found[-1], DEFAULT_ORDER)
            yield Page(found, after)
            if len(found) < size:
                return

    async def tombstones(self, after: str = "") -> AsyncIterator[list[Tombstone]]:
        """Give what stayed of the customers that were erased within the last 30 days."""
        while found := await Bulk.of(self.opened).tombstones_after(after, PAGE):
            yield found
            after = found[-1]["id"]

    async def most_parts(self) -> tuple[int, int]:
        """Return how many addresses, and how many phone numbers, a customer has at most."""
        return await Bulk.of(self.opened).most_parts(self.where)

    async def count(self) -> int:
        """Return how many customers there are."""
        if self.where == EVERYTHING:
            return await self.opened.customers.count_all()
        return await self.opened.customers.count(self.where)


@operation(
    "exportCustomers",
    scope=Scope.ADMIN,
    rest=("GET /customers:export",),
    rest_alone="its answer is a file of any size; `customers` reads the same in pages.",
    summary="Export customers into a file",
)
async def export_customers(ctx: Context, command: ExportCustomers) -> Export:
    """Return the customers that a filter finds, still to be read."""
    return Export(ctx.store, command.where)
