"""How many customers there are in all: fast where the collection's own count can be trusted."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from storage.customers import Customers
from storage.deadlines import wire_deadline
from storage.errors import Unavailable
from storage.query import EVERYTHING

TRUSTED_SECONDS: Final = 300.0
"""How long the collection's count is trusted after it was found to be exact."""
CHECK_SECONDS: Final = 2.0
"""How long an exact count may take: about three million customers."""


@dataclass(slots=True)
class Totals:
    """The collection's own count is kept at once, but may be off after an unclean end of the store.

    So it is held against an exact count first, and again every `TRUSTED_SECONDS`; as long as the two
    differ, every total is counted. A collection too large to be counted in `CHECK_SECONDS` is taken at
    its word; there MongoDB's `validate` corrects the count after an unclean end.
    """

    customers: Customers
    _trusted_until: float = field(default=0.0, init=False)
    _checking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def total(self) -> int:
        """Return how many customers there are; raises `Unavailable`."""
        async with self._checking:  # one check is enough for all who wait
            if time.monotonic() >= self._trusted_until:
                return await self._check()
        return await self.customers.count_all()

    async def _check(self) -> int:
        try:
            with wire_deadline(CHECK_SECONDS):
                exact = await self.customers.count(EVERYTHING)
        except Unavailable:
            exact = None
        own = await self.customers.count_all()
        if exact is None or exact == own:
            self._trusted_until = time.monotonic() + TRUSTED_SECONDS
        return own if exact is None else exact
