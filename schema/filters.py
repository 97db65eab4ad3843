"""The filter and order of lists as GraphQL takes them, into the same tree as REST's."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

import strawberry
from strawberry import UNSET

from resolvers.filtering import all_of, check_size, compare, condition
from resolvers.ordering import order_of
from resolvers.problem import Problem
from resolvers.problems import INVALID_FILTER
from schema.types import AddressType, DateTime, PhoneType, key
from storage.query import PART_FIELDS, And, Filter, ListName, Not, Or, Order, Some


def _field(description: str) -> Any:
    return strawberry.field(description=description, default=UNSET)


@strawberry.input(description="Conditions on a text, compared without case; several must all hold.")
class StringFilter:
    """Conditions on a text."""

    eq: str | None = _field("Equal to this text; null where the field can be empty.")
    ne: str | None = _field("Not equal to this text.")
    in_: list[str] | None = strawberry.field(name="in", description="Equal to one of these.", default=UNSET)
    starts_with: str | None = _field("Begins with this text.")
    contains: str | None = _field("Contains this text of at least three characters; no index helps.")
    lt: str | None = _field("Before this text.")
    le: str | None = _field("Before or equal to this text.")
    gt: str | None = _field("After this text.")
    ge: str | None = _field("After or equal to this text.")


@strawberry.input(description="Conditions on a phone number's digits, with or without country code.")
class DigitsFilter:
    """Conditions on digits."""

    eq: str | None = _field("These digits.")
    ne: str | None = _field("Not these digits.")
    in_: list[str] | None = strawberry.field(name="in", description="One of these.", default=UNSET)
    starts_with: str | None = _field("Begins with these digits.")
    contains: str | None = _field("Contains these digits, at least three; no index helps.")


@strawberry.input(description="Conditions on an id.")
class IdFilter:
    """Conditions on an id."""

    eq: strawberry.ID | None = _field("This id.")
    ne: strawberry.ID | None = _field("Not this id.")
    in_: list[strawberry.ID] | None = strawberry.field(name="in", description="One of these ids.", default=UNSET)


@strawberry.input(description="Conditions on a moment.")
class DateTimeFilter:
    """Conditions on a moment."""

    eq: DateTime | None = _field("At this moment, to the millisecond.")
    ne: DateTime | None = _field("Not at this moment.")
    in_: list[DateTime] | None = strawberry.field(name="in", description="At one of these moments.", default=UNSET)
    lt: DateTime | None = _field("Before this moment.")
    le: DateTime | None = _field("At or before this moment.")
    gt: DateTime | None = _field("After this moment.")
    ge: DateTime | None = _field("At or after this moment.")


@strawberry.input(description="Conditions on something that is true or false.")
class BooleanFilter:
    """Conditions on a flag."""

    eq: bool | None = _field("Is this.")
    ne: bool | None = _field("Is not this.")


@strawberry.input(description="Conditions on the kind of an address.")
class AddressTypeFilter:
    """Conditions on a kind of address."""

    eq: AddressType | None = _field("This kind.")
    ne: AddressType | None = _field("Not this kind.")
    in_: list[AddressType] | None = strawberry.field(name="in", description="One of these kinds.", default=UNSET)


@strawberry.input(description="Conditions on the kind of a phone number.")
class PhoneTypeFilter:
    """Conditions on a kind of phone number."""

    eq: PhoneType | None = _field("This kind.")
    ne: PhoneType | None = _field("Not this kind.")
    in_: list[PhoneType] | None = strawberry.field(name="in", description="One of these kinds.", default=UNSET)


_AND, _OR, _NOT = "All of these hold.", "At least one of these holds.", "This does not hold."


@strawberry.input(description="Conditions on one and the same address.")
class AddressFilter:
    """Conditions on an address."""

    and_: list[AddressFilter] | None = strawberry.field(name="and", description=_AND, default=UNSET)
    or_: list[AddressFilter] | None = strawberry.field(name="or", description=_OR, default=UNSET)
    not_: AddressFilter | None = strawberry.field(name="not", description=_NOT, default=UNSET)
    type: AddressTypeFilter | None = _field("The kind of address.")
    street1: StringFilter | None = _field("Primary street address.")
    street2: StringFilter | None = _field("Secondary street address.")
    city: StringFilter | None = _field("City name.")
    state: StringFilter | None = _field("State or province.")
    postal_code: StringFilter | None = _field("Postal or ZIP code.")
    country: StringFilter | None = _field("Country name or ISO code.")


@strawberry.input(description="Conditions on a customer's addresses.")
class AddressesFilter:
    """Conditions on addresses."""

    some: AddressFilter | None = _field("At least one address fulfils all of these.")
    none: AddressFilter | None = _field("No address fulfils all of these.")


@strawberry.input(description="Conditions on one and the same phone number.")
class PhoneNumberFilter:
    """Conditions on a phone number."""

    and_: list[PhoneNumberFilter] | None = strawberry.field(name="and", description=_AND, default=UNSET)
    or_: list[PhoneNumberFilter] | None = strawberry.field(name="or", description=_OR, default=UNSET)
    not_: PhoneNumberFilter | None = strawberry.field(name="not", description=_NOT, default=UNSET)
    type: PhoneTypeFilter | None = _field("The kind of phone number.")
    country_code: StringFilter | None = _field("International country dialing code, as written.")
    number: StringFilter | None = _field("Local phone number, as written.")
    extension: StringFilter | None = _field("Extension number.")


@strawberry.input(description="Conditions on a customer's phone numbers.")
class PhoneNumbersFilter:
    """Conditions on phone numbers."""

    some: PhoneNumberFilter | None = _field("At least one phone number fulfils all of these.")
    none: PhoneNumberFilter | None = _field("No phone number fulfils all of these.")


@strawberry.input(description="Conditions on notification preferences.")
class NotificationPreferencesFilter:
    """Conditions on preferences."""

    email: BooleanFilter | None = _field("Accepts email.")
    sms: BooleanFilter | None = _field("Accepts SMS.")
    push: BooleanFilter | None = _field("Accepts push.")
    mail: BooleanFilter | None = _field("Accepts postal mail.")


@strawberry.input(description="Conditions on a customer; several must all hold.")
class CustomerFilter:
    """Conditions on a customer."""

    and_: list[CustomerFilter] | None = strawberry.field(name="and", description=_AND, default=UNSET)
    or_: list[CustomerFilter] | None = strawberry.field(name="or", description=_OR, default=UNSET)
    not_: CustomerFilter | None = strawberry.field(name="not", description=_NOT, default=UNSET)
    id: IdFilter | None = _field("The id.")
    name: StringFilter | None = _field("Any of the three names.")
    first_name: StringFilter | None = _field("First name.")
    middle_name: StringFilter | None = _field("Middle name.")
    last_name: StringFilter | None = _field("Last name.")
    email: StringFilter | None = _field("Email address.")
    phone: DigitsFilter | None = _field("Digits of any phone number.")
    addresses: AddressesFilter | None = _field("Addresses.")
    phone_numbers: PhoneNumbersFilter | None = _field("Phone numbers.")
    notification_preferences: NotificationPreferencesFilter | None = _field("Notification preferences.")
    created_at: DateTimeFilter | None = _field("Creation.")
    updated_at: DateTimeFilter | None = _field("Last change.")


@strawberry.enum(description="What a list can be ordered by.")
class CustomerOrderField(Enum):
    """Fields of an order."""

    ID = strawberry.enum_value("id", description="The id.")
    FIRST_NAME = strawberry.enum_value("firstName", description="First name, without case and accents.")
    MIDDLE_NAME = strawberry.enum_value("middleName", description="Middle name; customers without one first.")
    LAST_NAME = strawberry.enum_value("lastName", description="Last name, without case and accents.")
    EMAIL = strawberry.enum_value("email", description="Email address.")
    CREATED_AT = strawberry.enum_value("createdAt", description="Creation.")
    UPDATED_AT = strawberry.enum_value("updatedAt", description="Last change.")


@strawberry.enum(description="The direction of an order.")
class Direction(Enum):
    """Directions."""

    ASC = strawberry.enum_value("asc", description="From the least.")
    DESC = strawberry.enum_value("desc", description="From the greatest.")


@strawberry.input(description="One term of an order; every order ends in the id.")
class CustomerOrder:
    """One term of an order."""

    field: CustomerOrderField = strawberry.field(description="What to order by.", default=CustomerOrderField.CREATED_AT)
    direction: Direction = strawberry.field(description="Which way.", default=Direction.ASC)


def order(terms: list[CustomerOrder] | None) -> tuple[Order, ...]:
    """Return the order asked for; raises invalid-parameter for a field given twice."""
    return order_of([(str(term.field.value), term.direction is Direction.DESC) for term in terms or ()])


def where(asked: CustomerFilter | None) -> Filter:
    """Return the filter tree of an input; raises invalid-filter."""
    return check_size(And(()) if asked is None else _customer(asked))


def _set(value: object) -> Iterator[tuple[str, Any]]:
    """Give what was set of an input, by its name in the document."""
    for definition in value.__strawberry_definition__.fields:  # type: ignore[attr-defined]
        given = getattr(value, definition.python_name)
        if given is not UNSET:
            yield key(definition.python_name.rstrip("_")), given


def _customer(asked: CustomerFilter) -> Filter:
    return all_of(_customer_term(name, value) for name, value in _set(asked) if _there(name, value))


def _there(name: str, value: object) -> bool:
    if value is None:
        raise Problem(INVALID_FILTER, f"{name} must not be null; leave it out.")
    return True


def _customer_term(name: str, value: Any) -> Filter:
    if name in {"and", "or"}:
        parts = tuple(_customer(part) for part in value)
        return And(parts) if name == "and" else Or(parts)
    if name == "not":
        return Not(_customer(value))
    if name in PART_FIELDS:
        return all_of(_list_term(name, one, part) for one, part in _set(value) if _there(one, part))
    if name == "notificationPreferences":
        return all_of(_conditions(f"{name}.{flag}", part) for flag, part in _set(value) if _there(flag, part))
    return _conditions(name, value)


def _conditions(name: str, value: object) -> Filter:
    return all_of(condition(name, operator, _plain(given)) for operator, given in _set(value))


def _list_term(list_name: str, quantifier: str, part: Any) -> Filter:
    name: ListName = "addresses" if list_name == "addresses" else "phoneNumbers"
    some = Some(name, _element(name, part))
    return Not(some) if quantifier == "none" else some


def _element(list_name: ListName, asked: object) -> Filter:
    return all_of(_element_term(list_name, name, value) for name, value in _set(asked) if _there(name, value))


def _element_term(list_name: ListName, name: str, value: Any) -> Filter:
    if name in {"and", "or"}:
        parts = tuple(_element(list_name, part) for part in value)
        return And(parts) if name == "and" else Or(parts)
    if name == "not":
        return Not(_element(list_name, value))
    field = PART_FIELDS[list_name][name]
    return all_of(compare(field, operator, _plain(given), name) for operator, given in _set(value))


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value
