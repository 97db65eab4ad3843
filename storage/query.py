"""A question to the collection, as data: which customers, in which order, which part of them.

Both doors build the same `Question`; `storage.filters` and `storage.customers` turn it into MongoDB's
language. Nothing here comes from a client unchecked: fields are members of `OrderField`, values are
plain scalars.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from storage.documents import CustomerId

DEFAULT_SIZE: Final = 25
MAX_SIZE: Final = 100
"""How many customers a page holds (REST API Design Guidelines, Offset Pagination)."""

Scalar = str | int | bool | None


class OrderField(Enum):
    """What a list may be ordered by; the value is the path in the document."""

    ID = "id"
    CREATED_AT = "createdAt"


@dataclass(frozen=True, slots=True)
class Order:
    """One term of an order."""

    field: OrderField
    descending: bool = False


DEFAULT_ORDER: Final = (Order(OrderField.CREATED_AT), Order(OrderField.ID))
"""By creation, then by id, so that the order is total."""


@dataclass(frozen=True, slots=True)
class Key:
    """The place of one customer in an order: its values for the order's terms."""

    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """Which customers; an empty one means all."""

    ids: tuple[CustomerId, ...] | None = None
    email: str | None = None

    @property
    def everything(self) -> bool:
        """Whether every customer is meant."""
        return self.ids is None and self.email is None


@dataclass(frozen=True, slots=True)
class Question:
    """A list to read: by offset (`skip`), or from a key on, forward or backward.

    `after` is the last customer already seen in the direction of reading; `backward` reads the order
    from its end, and the answer still comes in the order asked for.
    """

    where: Where = Where()
    order: tuple[Order, ...] = DEFAULT_ORDER
    limit: int = DEFAULT_SIZE
    skip: int = 0
    after: Key | None = None
    backward: bool = False
