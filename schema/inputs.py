"""What GraphQL takes in. Text is plain String: the operations check it, and tell all faults at once."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry
from strawberry import UNSET

from resolvers.problem import JsonValue
from schema.fields import described
from schema.types import AddressType, PhoneType, key


@strawberry.input(description="A new address, or one that takes another's place.")
class AddressInput:
    """A whole address."""

    type: AddressType = described("The kind of address.")
    street1: str = described("Primary street address.")
    street2: str | None = described("Secondary street address, if any.", None)
    city: str = described("City name.")
    state: str = described("State or province.")
    postal_code: str = described("Postal or ZIP code: letters, digits, blanks, hyphens.")
    country: str = described("Country name or ISO code.")


@strawberry.input(description="Changes to an address; what is omitted stays.")
class UpdateAddressInput:
    """A patch of an address."""

    type: AddressType | None = described("The kind of address.", UNSET)
    street1: str | None = described("Primary street address.", UNSET)
    street2: str | None = described("Secondary street address; null takes it away.", UNSET)
    city: str | None = described("City name.", UNSET)
    state: str | None = described("State or province.", UNSET)
    postal_code: str | None = described("Postal or ZIP code.", UNSET)
    country: str | None = described("Country name or ISO code.", UNSET)


@strawberry.input(description="A new phone number, or one that takes another's place.")
class PhoneNumberInput:
    """A whole phone number."""

    type: PhoneType = described("The kind of phone number.")
    country_code: str = described("International country dialing code, e.g. +49.")
    number: str = described("Local phone number: digits, blanks, hyphens.")
    extension: str | None = described("Extension number, if any.", None)


@strawberry.input(description="Changes to a phone number; what is omitted stays.")
class UpdatePhoneNumberInput:
    """A patch of a phone number."""

    type: PhoneType | None = described("The kind of phone number.", UNSET)
    country_code: str | None = described("International country dialing code.", UNSET)
    number: str | None = described("Local phone number.", UNSET)
    extension: str | None = described("Extension number; null takes it away.", UNSET)


@strawberry.input(description="All four preferences.")
class NotificationPreferencesReplacement:
    """Whole preferences."""

    email: bool = described("Whether the customer accepts email notifications.")
    sms: bool = described("Whether the customer accepts SMS notifications.")
    push: bool = described("Whether the customer accepts push notifications.")
    mail: bool = described("Whether the customer accepts postal mail notifications.")


@strawberry.input(description="Changes to the preferences; what is omitted stays.")
class NotificationPreferencesInput:
    """A patch of preferences."""

    email: bool | None = described("Whether the customer accepts email notifications.", UNSET)
    sms: bool | None = described("Whether the customer accepts SMS notifications.", UNSET)
    push: bool | None = described("Whether the customer accepts push notifications.", UNSET)
    mail: bool | None = described("Whether the customer accepts postal mail notifications.", UNSET)


@strawberry.input(description="A new customer, or one that takes another's place.")
class CreateCustomerInput:
    """A whole customer."""

    first_name: str = described("Customer's first name.")
    middle_name: str | None = described("Customer's middle name, if any.", None)
    last_name: str = described("Customer's last name.")
    email: str = described("Customer's email address; unique without regard to case.")
    addresses: list[AddressInput] = described("At least one address, at most 50.")
    phone_numbers: list[PhoneNumberInput] = described("At least one phone number, at most 50.")
    notification_preferences: NotificationPreferencesReplacement = described("Notification channel preferences.")


@strawberry.input(description="Changes to a customer; what is omitted stays, lists are replaced as a whole.")
class UpdateCustomerInput:
    """A patch of a customer."""

    first_name: str | None = described("Customer's first name.", UNSET)
    middle_name: str | None = described("Customer's middle name; null takes it away.", UNSET)
    last_name: str | None = described("Customer's last name.", UNSET)
    email: str | None = described("Customer's email address.", UNSET)
    addresses: list[AddressInput] | None = described("All addresses; equal ones keep their ids.", UNSET)
    phone_numbers: list[PhoneNumberInput] | None = described("All phone numbers; equal ones keep their ids.", UNSET)
    notification_preferences: NotificationPreferencesInput | None = described("Some preferences.", UNSET)


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
