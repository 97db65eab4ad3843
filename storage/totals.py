"""How many customers there are in all: fast where the collection's own count can be trusted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from storage.customers import Customers
from storage.query import EVERYTHING

TRUSTED_SECONDS: Final = 300.0
"""How long the collection's count is trusted after it was found to be exact."""


@dataclass(slots=True)
class Totals:
    """The collection's own count is kept at once, but may be off after an unclean end of the store.

    So it is held against an exact count first, and again every `TRUSTED_SECONDS`; as long as the two
    differ, every total is counted.
    """

    customers: Customers
    _trusted_until: float = field(default=0.0, init=False)

    async def total(self) -> int:
        """Return how many customers there are; raises `Unavailable`."""
        if time.monotonic() < self._trusted_until:
            return await self.customers.count_all()
        exact = await self.customers.count(EVERYTHING)
        if exact == await self.customers.count_all():
            self._trusted_until = time.monotonic() + TRUSTED_SECONDS
        return exact
