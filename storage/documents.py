"""The shapes of what is stored: one customer with its addresses and phone numbers is one document.

Names and types are those of the Customer JSON Schema. What the schema does not know (`version`, the
ids of nested parts, `keys`) lives beside it in the same document and never leaves with a full
customer over REST. Instants are text in one fixed form (`2025-08-26T18:00:00.000Z`), so the order of
the text is the order of time and what is stored is what is shown.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Final, Literal, NewType, TypedDict

_UUID_4: Final = 0x4000_8000_0000_0000_0000
"""The version and variant of a random UUID, in the places of RFC 9562 section 5.4; all other bits are random."""
_RANDOM_BITS: Final = (1 << 128) - 1 - 0xF000_C000_0000_0000_0000

CustomerId = NewType("CustomerId", str)
PartId = NewType("PartId", str)
Instant = NewType("Instant", str)
"""RFC 3339 in UTC with milliseconds and `Z`; always 24 characters."""

AddressType = Literal["billing", "shipping", "home", "work"]
PhoneType = Literal["mobile", "home", "work", "other"]


class Address(TypedDict):
    """One address, with its own stable id."""

    id: PartId
    type: AddressType
    street1: str
    street2: str | None
    city: str
    state: str
    postalCode: str
    country: str


class PhoneNumber(TypedDict):
    """One phone number, with its own stable id."""

    id: PartId
    type: PhoneType
    countryCode: str
    number: str
    extension: str | None


class NotificationPreferences(TypedDict):
    """Which channels the customer accepts."""

    email: bool
    sms: bool
    push: bool
    mail: bool


class CustomerFields(TypedDict):
    """What a client may say of a customer: the schema without `id` and the timestamps."""

    firstName: str
    middleName: str | None
    lastName: str
    email: str
    addresses: list[Address]
    phoneNumbers: list[PhoneNumber]
    notificationPreferences: NotificationPreferences


class Customer(CustomerFields):
    """A whole customer as the store gives it (without MongoDB's `_id` and the search keys)."""

    id: CustomerId
    version: int
    createdAt: Instant
    updatedAt: Instant


class Tombstone(TypedDict):
    """What stays of a deleted customer for 30 days: no personal data."""

    id: CustomerId
    version: int
    deletedAt: Instant


PARTS: Final = tuple(CustomerFields.__annotations__)
"""The names of what a client may say of a customer, in the order of the schema."""


def differences(before: Customer, after: Customer) -> list[str]:
    """Return the names of the parts in which two states of a customer differ; a part that is not there is empty."""
    return [name for name in PARTS if before.get(name) != after.get(name)]


def new_id() -> str:
    """Return a random UUID (version 4) in its canonical text form."""
    digits = f"{int.from_bytes(os.urandom(16), 'big') & _RANDOM_BITS | _UUID_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def instant(moment: datetime) -> Instant:
    """Return an aware `moment` in the one form in which instants are stored and shown."""
    return Instant(moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def moment(text: Instant) -> datetime:
    """Return the aware datetime that a stored instant names."""
    return datetime.fromisoformat(text)
