"""A question to the collection, as data: which customers, in which order, which part of them, which fields.

Both doors build the same `Question`; `storage.filters` turns it into MongoDB's language. Fields are
members of the tables below, values plain scalars: nothing of a client's text becomes an operator or a path.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, get_args

from storage.documents import AddressType, CustomerId, PhoneType

DEFAULT_SIZE: Final = 25
MAX_SIZE: Final = 100
"""How many customers a page holds (REST API Design Guidelines, Offset Pagination)."""

Scalar = str | bool | None
Operator = Literal["eq", "in", "gt", "ge", "lt", "le", "startsWith", "contains"]
Kind = Literal["text", "email", "choice", "instant", "flag", "id", "digits"]
ListName = Literal["addresses", "phoneNumbers"]

_TEXT: Final[tuple[Operator, ...]] = ("eq", "in", "gt", "ge", "lt", "le", "startsWith", "contains")
OPERATORS: Final[dict[Kind, tuple[Operator, ...]]] = {
    "text": _TEXT,
    "email": _TEXT,
    "choice": ("eq", "in"),
    "instant": ("eq", "in", "gt", "ge", "lt", "le"),
    "flag": ("eq",),
    "id": ("eq", "in"),
    "digits": ("eq", "in", "startsWith", "contains"),
}
"""What a field of a kind can be asked; `ne` is the negation of `eq`."""


@dataclass(frozen=True, slots=True)
class Field:
    """Something that can be asked about: its path, its kind, and the mark of its search terms."""

    path: str
    kind: Kind
    mark: str
    nullable: bool = False
    choices: tuple[str, ...] = ()


def _fields(*fields: Field) -> dict[str, Field]:
    return {field.path: field for field in fields}


CUSTOMER_FIELDS: Final = _fields(
    Field("id", "id", ""),
    Field("firstName", "text", "fn:"),
    Field("middleName", "text", "mn:", nullable=True),
    Field("lastName", "text", "ln:"),
    Field("email", "email", "em:"),
    Field("createdAt", "instant", ""),
    Field("updatedAt", "instant", ""),
    Field("notificationPreferences.email", "flag", "pe:"),
    Field("notificationPreferences.sms", "flag", "ps:"),
    Field("notificationPreferences.push", "flag", "pp:"),
    Field("notificationPreferences.mail", "flag", "pm:"),
    Field("phone", "digits", "ph:"),
)
"""What can be asked of a customer; `phone` are the digits of any phone number, with or without country code."""

PART_FIELDS: Final[dict[ListName, dict[str, Field]]] = {
    "addresses": _fields(
        Field("type", "choice", "at:", choices=get_args(AddressType)),
        Field("street1", "text", "a1:"),
        Field("street2", "text", "a2:", nullable=True),
        Field("city", "text", "ac:"),
        Field("state", "text", "as:"),
        Field("postalCode", "text", "ap:"),
        Field("country", "text", "ao:"),
    ),
    "phoneNumbers": _fields(
        Field("type", "choice", "nt:", choices=get_args(PhoneType)),
        Field("countryCode", "text", "nc:"),
        Field("number", "text", "nn:"),
        Field("extension", "text", "nx:", nullable=True),
    ),
}
"""What can be asked of one element of a nested list."""


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison. `value` is a tuple for `in`; text is compared without case, e-mail addresses
    by their keys, instants as stored.
    """

    field: Field
    operator: Operator
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All of them; none at all is true."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them; none at all is false."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not this one."""

    term: Filter


@dataclass(frozen=True, slots=True)
class Some:
    """At least one element of a nested list for which the whole of `term` holds."""

    list_name: ListName
    term: Filter


@dataclass(frozen=True, slots=True)
class Search:
    """Every word is the beginning of a word of names, e-mail, city or phone digits; no word finds nothing."""

    words: tuple[str, ...]


Filter = Compare | And | Or | Not | Some | Search
EVERYTHING: Final = And(())


class OrderField(Enum):
    """What a list may be ordered by; the value is the field's name."""

    ID = "id"
    FIRST_NAME = "firstName"
    MIDDLE_NAME = "middleName"
    LAST_NAME = "lastName"
    EMAIL = "email"
    CREATED_AT = "createdAt"
    UPDATED_AT = "updatedAt"


@dataclass(frozen=True, slots=True)
class Order:
    """One term of an order."""

    field: OrderField
    descending: bool = False


DEFAULT_ORDER: Final = (Order(OrderField.CREATED_AT),)


@dataclass(frozen=True, slots=True)
class Key:
    """The place of one customer in an order: its own values for the order's terms, and its id."""

    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A list to read: by offset (`skip`), or from a key on, forward or backward.

    `order` needs no id: every order ends in it. `after` is the last customer already seen in the
    direction of reading; `backward` reads the order from its end, and the answer still comes in the
    order asked for. `fields` are the paths that are needed, None for all; with them the version is read
    too, where `version` does not leave it out.
    """

    where: Filter = EVERYTHING
    order: tuple[Order, ...] = DEFAULT_ORDER
    limit: int = DEFAULT_SIZE
    skip: int = 0
    after: Key | None = None
    backward: bool = False
    fields: frozenset[str] | None = None
    version: bool = True


def by_ids(ids: tuple[CustomerId, ...]) -> Filter:
    """Return the filter for these customers."""
    return Compare(CUSTOMER_FIELDS["id"], "in", ids)
