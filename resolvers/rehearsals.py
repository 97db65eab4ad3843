"""What a dry run of an import knows of the lines before: a real one would find it in the store.

It takes memory that does not grow with the file, so it is sure of the lines of the last `LEAST` customers only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from storage.documents import Customer
from storage.emails import email_key
from storage.model import CustomerInput

LEAST: Final = 50_000
"""How many customers are known at least; at most twice as many, in about 20 MB."""


@dataclass(slots=True)
class Rehearsal:
    """The customers that earlier lines would have stored: a number for the address, and one for what is stored."""

    _newer: dict[int, int] = field(default_factory=dict)
    _older: dict[int, int] = field(default_factory=dict)

    def keep(self, customer: Customer) -> None:
        """Know a customer as a line would have stored it."""
        if len(self._newer) >= LEAST:
            self._newer, self._older = {}, self._newer
        self._newer[_address(customer)] = _content(customer)

    def knows(self, customer: Customer) -> bool:
        """Tell whether an earlier line would have stored somebody with this customer's e-mail address."""
        return _address(customer) in self._newer or _address(customer) in self._older

    def has(self, customer: Customer) -> bool:
        """Tell whether what it would have stored last of that person is the same as this."""
        address = _address(customer)
        return self._newer.get(address, self._older.get(address)) == _content(customer)


def _address(customer: Customer) -> int:
    return _number(email_key(customer["email"]))


def _content(customer: Customer) -> int:
    """Return a number for what a client says of a customer, whatever the ids of the parts."""
    said = {name: customer[name] for name in CustomerInput.model_fields}  # type: ignore[literal-required]
    for parts in ("addresses", "phoneNumbers"):
        said[parts] = [{name: part[name] for name in part if name != "id"} for part in said[parts]]
    return _number(json.dumps(said, sort_keys=True))


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
