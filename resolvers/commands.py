"""What the doors ask of the operations, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from resolvers.changes import Target
from resolvers.context import IdempotencyKey
from resolvers.patches import Body, Change
from resolvers.renderings import Renderings
from storage.changes import ChangeType
from storage.documents import Customer, CustomerId, PartId
from storage.jobs import JobId
from storage.query import DEFAULT_ORDER, DEFAULT_SIZE, EVERYTHING, Filter, Order

Count = Literal["auto", "exact", "none"]


@dataclass(frozen=True, slots=True)
class CreateCustomer:
    """A new customer; `strict` refuses unknown properties, `dry_run` stores nothing.

    A `key` makes this and other changes idempotent; with a dry run there is none.
    """

    body: Body
    strict: bool = False
    dry_run: bool = False
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class GetCustomer:
    """One customer by id."""

    id: CustomerId


@dataclass(frozen=True, slots=True)
class GetCustomers:
    """Several customers by id."""

    ids: tuple[CustomerId, ...]


@dataclass(frozen=True, slots=True)
class GetCustomerByEmail:
    """One customer by e-mail address, without regard to case."""

    email: str


@dataclass(frozen=True, slots=True)
class ChangeCustomer:
    """A change of a whole customer."""

    target: Target
    change: Change
    strict: bool = False
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class DeleteCustomer:
    """The end of a customer."""

    target: Target


@dataclass(frozen=True, slots=True)
class GetPart:
    """One nested part of a customer."""

    customer_id: CustomerId
    part_id: PartId


@dataclass(frozen=True, slots=True)
class AddPart:
    """A new nested part at the end of its list."""

    target: Target
    body: Body
    strict: bool = False
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class ChangePart:
    """A change of one nested part."""

    target: Target
    part_id: PartId
    change: Change
    strict: bool = False
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class RemovePart:
    """The end of one nested part."""

    target: Target
    part_id: PartId


@dataclass(frozen=True, slots=True)
class PartResult:
    """A nested part, and the customer it now belongs to."""

    customer: Customer
    part_id: PartId


@dataclass(frozen=True, slots=True)
class WatchCustomers:
    """Which changes to watch: of these customers and of these types, all where there is none; after an event's id."""

    ids: tuple[CustomerId, ...] = ()
    types: tuple[ChangeType, ...] = ()
    after: str | None = None


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which customers in which order; which of their fields are needed (None: all), and whether the version too.

    With `renderings` they are shown in that form; of the customers only id, version and place in the order are sure.
    """

    where: Filter = EVERYTHING
    order: tuple[Order, ...] = DEFAULT_ORDER
    fields: frozenset[str] | None = None
    version: bool = True
    renderings: Renderings | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list by number, from 1.

    `count` none leaves the total out, exact always counts, auto may take the collection's own count.
    """

    page: int = 1
    size: int = DEFAULT_SIZE
    count: Count = "auto"
    query: ListQuery = ListQuery()


@dataclass(frozen=True, slots=True)
class ListWindow:
    """A page of a list by cursor: the first `size` after one, or the last `size` before one."""

    size: int = DEFAULT_SIZE
    cursor: str | None = None
    backward: bool = False
    query: ListQuery = ListQuery()


@dataclass(frozen=True, slots=True)
class DeleteCustomers:
    """The end of all customers that a filter finds; `everything` says that none is meant to be left.

    With a `key` they are always erased by an operation, which the key finds.
    """

    where: Filter = EVERYTHING
    everything: bool = False
    dry_run: bool = False
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class GetJob:
    """One operation of the caller's own."""

    id: JobId
