"""The customer of every example: of the OpenAPI document, and of the template of files."""

from __future__ import annotations

from typing import Any, Final

ADDRESS: Final[dict[str, Any]] = {
    "type": "home",
    "street1": "1 Market St.",
    "street2": None,
    "city": "San Francisco",
    "state": "CA",
    "postalCode": "94105",
    "country": "USA",
}
PHONE: Final[dict[str, Any]] = {"type": "mobile", "countryCode": "+1", "number": "202-875-4343", "extension": None}
PREFERENCES: Final[dict[str, Any]] = {"email": True, "sms": False, "push": True, "mail": False}
INPUT: Final[dict[str, Any]] = {
    "firstName": "Alex",
    "middleName": None,
    "lastName": "Reiger",
    "email": "alex.reiger@example.com",
    "addresses": [ADDRESS],
    "phoneNumbers": [PHONE],
    "notificationPreferences": PREFERENCES,
}
