"""What requests to REST cost, in units; GraphQL has a formula of its own. `docs/limits.md` shows this table."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Price:
    """The units of one request, or of each item in it."""

    units: int
    what: str
    each_item: bool = False


PRICES: Final = MappingProxyType(
    {
        "read": Price(1, "Reading a customer, a part of one, or anything else by its address"),
        "list": Price(1, "A page of a list"),
        "search": Price(1, "A page of a search"),
        "log": Price(1, "A page of a log"),
        "create": Price(1, "Creating a customer or a part of one"),
        "replace": Price(1, "Replacing a customer or a part of one"),
        "patch": Price(1, "Changing a customer or a part of one"),
        "delete": Price(1, "Deleting a customer or a part of one"),
        "erase": Price(10, "Deleting all customers that a filter finds"),
        "poll": Price(1, "Reading an operation"),
        "cancel": Price(1, "Cancelling an operation"),
        "report": Price(1, "Reading the report of an import"),
        "events": Price(1, "Opening a stream of events"),
        "action": Price(1, "Any other request that does something"),
        "explain": Price(10, "Explaining how a list is found"),
        "bulk": Price(1, "Changing many customers at once", each_item=True),
        "batch": Price(1, "Several operations at once", each_item=True),
        "import": Price(50, "An import"),
        "export": Price(50, "An export"),
    }
)
"""By kind of endpoint. HEAD costs what GET costs; OPTIONS and health cost nothing and are never refused."""


def price(kind: str, items: int = 1) -> int:
    """Return the units that a request costs, at least 1; `items` counts only where each has its price."""
    entry = PRICES[kind]
    return entry.units * max(1, items) if entry.each_item else entry.units
