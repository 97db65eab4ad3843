"""Data for tests: valid by default, changed by what a test names."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

_COUNT = itertools.count(1)
_RUN = uuid.uuid4().hex[:8]


def unique_email() -> str:
    """Return an e-mail address that no other test uses."""
    return f"person.{_RUN}.{next(_COUNT)}@example.com"


def address(**changes: Any) -> dict[str, Any]:
    """Return a valid address as REST takes it."""
    return {
        "type": "home",
        "street1": "1 Market St.",
        "street2": None,
        "city": "San Francisco",
        "state": "CA",
        "postalCode": "94105",
        "country": "USA",
        **changes,
    }


def phone_number(**changes: Any) -> dict[str, Any]:
    """Return a valid phone number as REST takes it."""
    return {"type": "mobile", "countryCode": "+1", "number": "202-875-4343", "extension": None, **changes}


def preferences(**changes: bool) -> dict[str, bool]:
    """Return all four preferences."""
    return {"email": True, "sms": False, "push": True, "mail": False, **changes}


def customer(**changes: Any) -> dict[str, Any]:
    """Return a valid customer as REST takes it, with an e-mail address of its own."""
    return {
        "firstName": "Alex",
        "middleName": None,
        "lastName": "Reiger",
        "email": unique_email(),
        "addresses": [address()],
        "phoneNumbers": [phone_number()],
        "notificationPreferences": preferences(),
        **changes,
    }


def graphql_address(**changes: Any) -> dict[str, Any]:
    """Return a valid address as GraphQL takes it."""
    return address(**{"type": "HOME", **changes})


def graphql_customer(**changes: Any) -> dict[str, Any]:
    """Return a valid customer as GraphQL takes it."""
    parts = {"addresses": [graphql_address()], "phoneNumbers": [phone_number(type="MOBILE")]}
    return customer(**{**parts, **changes})
