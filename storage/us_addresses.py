"""The optional rules for addresses in the United States (REST API Design Guidelines, Addresses)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

STATES = frozenset(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY "
    "NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC".split()
)
_NAMES = frozenset({"us", "usa", "u.s.", "u.s.a.", "united states", "united states of america"})
_ZIP = re.compile(r"\d{5}(-\d{4})?")


_MESSAGES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "street1": (lambda text: 0 < len(text) <= 64, "must have 1 to 64 characters in a US address"),
    "street2": (lambda text: len(text) <= 64, "must have at most 64 characters in a US address"),
    "city": (lambda text: 0 < len(text) <= 200, "must have 1 to 200 characters in a US address"),
    "state": (lambda text: text in STATES, "must be a two-letter state code in a US address, e.g. CA"),
    "postalCode": (lambda text: _ZIP.fullmatch(text) is not None, "must be a ZIP code in a US address, e.g. 94105"),
    "country": (lambda text: text == "USA", "must be the three-letter ISO code USA in a US address"),
}


def faults_of(address: Mapping[str, object]) -> dict[str, str]:
    """Return field and message of every fault of an address in the United States; any other one has none.

    The address may be as it was sent: what is no text is passed over here.
    """
    texts = {name: value.strip() for name, value in address.items() if isinstance(value, str)}
    if texts.get("country", "").casefold() not in _NAMES:
        return {}
    return {name: message for name, (holds, message) in _MESSAGES.items() if name in texts and not holds(texts[name])}
