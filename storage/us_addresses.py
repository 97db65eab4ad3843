"""The optional rules for addresses in the United States (REST API Design Guidelines, Addresses)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

STATES = frozenset(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY "
    "NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC".split()
)
_NAMES = frozenset({"us", "usa", "u.s.", "u.s.a.", "united states", "united states of america"})
_ZIP = re.compile(r"\d{5}(-\d{4})?")


def _is_zip(text: str) -> bool:
    return _ZIP.fullmatch(text) is not None


def _faults(address: Mapping[str, Any]) -> dict[str, str]:
    checks = {
        "street1": (len(address["street1"]) <= 64, "must be at most 64 characters long in a US address"),
        "street2": (
            len(address["street2"] or "") <= 64,
            "must be at most 64 characters long in a US address",
        ),
        "city": (len(address["city"]) <= 200, "must be at most 200 characters long in a US address"),
        "state": (address["state"] in STATES, "must be a two-letter state code in a US address, e.g. CA"),
        "postalCode": (_is_zip(address["postalCode"]), "must be a ZIP code in a US address, e.g. 94105"),
        "country": (address["country"] == "USA", "must be the three-letter ISO code USA in a US address"),
    }
    return {field: message for field, (holds, message) in checks.items() if not holds}


def check(address: Mapping[str, Any]) -> None:
    """Check an address in the United States; any other one passes.

    Raises:
        PydanticCustomError: of type `us_address`, whose context `faults` maps field to message.
    """
    if address["country"].casefold() not in _NAMES:
        return
    faults = _faults(address)
    if faults:
        raise PydanticCustomError("us_address", "must follow the rules for US addresses", {"faults": faults})
