"""What GraphQL takes in. Text is plain String: the operations check it, and tell all faults at once."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry
from strawberry import UNSET

from resolvers.problem import JsonValue
from schema.types import AddressType, PhoneType, key


def _field(description: str, default: Any = ...) -> Any:
    if default is ...:
        return strawberry.field(description=description)
    return strawberry.field(description=description, default=default)


@strawberry.input(description="A new address, or one that takes another's place.")
class AddressInput:
    """A whole address."""

    type: AddressType = _field("The kind of address.")
    street1: str = _field("Primary street address.")
    street2: str | None = _field("Secondary street address, if any.", None)
    city: str = _field("City name.")
    state: str = _field("State or province.")
    postal_code: str = _field("Postal or ZIP code: letters, digits, blanks, hyphens.")
    country: str = _field("Country name or ISO code.")


@strawberry.input(description="Changes to an address; what is omitted stays.")
class UpdateAddressInput:
    """A patch of an address."""

    type: AddressType | None = _field("The kind of address.", UNSET)
    street1: str | None = _field("Primary street address.", UNSET)
    street2: str | None = _field("Secondary street address; null takes it away.", UNSET)
    city: str | None = _field("City name.", UNSET)
    state: str | None = _field("State or province.", UNSET)
    postal_code: str | None = _field("Postal or ZIP code.", UNSET)
    country: str | None = _field("Country name or ISO code.", UNSET)


@strawberry.input(description="A new phone number, or one that takes another's place.")
class PhoneNumberInput:
    """A whole phone number."""

    type: PhoneType = _field("The kind of phone number.")
    country_code: str = _field("International country dialing code, e.g. +49.")
    number: str = _field("Local phone number: digits, blanks, hyphens.")
    extension: str | None = _field("Extension number, if any.", None)


@strawberry.input(description="Changes to a phone number; what is omitted stays.")
class UpdatePhoneNumberInput:
    """A patch of a phone number."""

    type: PhoneType | None = _field("The kind of phone number.", UNSET)
    country_code: str | None = _field("International country dialing code.", UNSET)
    number: str | None = _field("Local phone number.", UNSET)
    extension: str | None = _field("Extension number; null takes it away.", UNSET)


@strawberry.input(description="All four preferences.")
class NotificationPreferencesReplacement:
    """Whole preferences."""

    email: bool = _field("Whether the customer accepts email notifications.")
    sms: bool = _field("Whether the customer accepts SMS notifications.")
    push: bool = _field("Whether the customer accepts push notifications.")
    mail: bool = _field("Whether the customer accepts postal mail notifications.")


@strawberry.input(description="Changes to the preferences; what is omitted stays.")
class NotificationPreferencesInput:
    """A patch of preferences."""

    email: bool | None = _field("Whether the customer accepts email notifications.", UNSET)
    sms: bool | None = _field("Whether the customer accepts SMS notifications.", UNSET)
    push: bool | None = _field("Whether the customer accepts push notifications.", UNSET)
    mail: bool | None = _field("Whether the customer accepts postal mail notifications.", UNSET)


@strawberry.input(description="A new customer, or one that takes another's place.")
class CreateCustomerInput:
    """A whole customer."""

    first_name: str = _field("Customer's first name.")
    middle_name: str | None = _field("Customer's middle name, if any.", None)
    last_name: str = _field("Customer's last name.")
    email: str = _field("Customer's email address; unique without regard to case.")
    addresses: list[AddressInput] = _field("At least one address, at most 50.")
    phone_numbers: list[PhoneNumberInput] = _field("At least one phone number, at most 50.")
    notification_preferences: NotificationPreferencesReplacement = _field("Notification channel preferences.")


@strawberry.input(description="Changes to a customer; what is omitted stays, lists are replaced as a whole.")
class UpdateCustomerInput:
    """A patch of a customer."""

    first_name: str | None = _field("Customer's first name.", UNSET)
    middle_name: str | None = _field("Customer's middle name; null takes it away.", UNSET)
    last_name: str | None = _field("Customer's last name.", UNSET)
    email: str | None = _field("Customer's email address.", UNSET)
    addresses: list[AddressInput] | None = _field("All addresses; equal ones keep their ids.", UNSET)
    phone_numbers: list[PhoneNumberInput] | None = _field("All phone numbers; equal ones keep their ids.", UNSET)
    notification_preferences: NotificationPreferencesInput | None = _field("Some preferences.", UNSET)


def to_json(value: Any) -> JsonValue:
    """Return an input as the JSON that REST would have been sent; what was omitted is absent."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list):
        return [to_json(item) for item in value]
    definition = getattr(value, "__strawberry_definition__", None)
    if definition is None:
        return value  # type: ignore[no-any-return]
    pairs = ((key(field.python_name), getattr(value, field.python_name)) for field in definition.fields)
    return {name: to_json(item) for name, item in pairs if item is not UNSET}
