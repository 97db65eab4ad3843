"""Batches as data: what is asked for, and what became of each operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from resolvers.commands import ChangeCustomer, CreateCustomer, DeleteCustomer
from resolvers.context import IdempotencyKey
from resolvers.problem import Fault, Path, Problem
from resolvers.validation import refused
from storage.documents import Customer, CustomerId, Tombstone

MAX_ITEMS: Final = 1000
"""The most operations of one batch."""

Kind = Literal["create", "replace", "update", "delete"]
_STATUSES: Final[Mapping[Kind | None, int]] = MappingProxyType(
    {"create": 201, "replace": 200, "update": 200, "delete": 204}
)
"""What both doors show of an operation that was done, or would be, as REST answers the single one."""


@dataclass(frozen=True, slots=True)
class Item:
    """One operation of a batch; a problem in place of its command is what was wrong with its form.

    `at` is where its customer, or its patch, stands in what was sent. `email` is the address that it seems to
    want: it is only read in advance.
    """

    kind: Kind | None
    command: CreateCustomer | ChangeCustomer | DeleteCustomer | Problem
    id: CustomerId | None = None
    at: Path = ()
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Operations in their order; `dry_run` stores nothing. A `key` stands for all of them."""

    items: tuple[Item, ...]
    atomic: bool = True
    dry_run: bool = False
    key: IdempotencyKey | None = None


class Done(NamedTuple):
    """What became of an item: the customer as it is then, or its tombstone, or the problem for which it was refused."""

    kind: Kind | None
    id: CustomerId | None
    customer: Customer | None = None
    tombstone: Tombstone | None = None
    problem: Problem | None = None

    @property
    def status(self) -> int:
        """The status that both doors show."""
        return _STATUSES[self.kind] if self.problem is None else self.problem.type.status

    @property
    def version(self) -> int | None:
        """The version that the customer has, or that its deletion made."""
        document = self.customer or self.tombstone
        return document["version"] if document else None


def check_size(size: int, path: Path) -> None:
    """Raise validation-error for a batch with too many operations, or with none; `path` is where they stand."""
    if not 1 <= size <= MAX_ITEMS:
        told = "must have at least 1 item" if size == 0 else f"must have at most {MAX_ITEMS} items"
        raise refused([Fault(path, told, path)])
