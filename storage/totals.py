"""How many customers there are in all: fast where the collection's own count can be trusted."""

from __future__ import annotations

import asyncio
import copy
import time
from contextvars import Context
from dataclasses import dataclass, field
from typing import Final

from storage.customers import Customers
from storage.deadlines import seconds_left, wire_deadline
from storage.errors import StoreError, Unavailable
from storage.query import EVERYTHING
from storage.timing import current

TRUSTED_SECONDS: Final = 300.0
"""How long the collection's count is trusted after it was found to be exact."""
CHECK_SECONDS: Final = 2.0
"""How long an exact count may take: about three million customers."""

Counting = asyncio.Task[int]
"""A count that several may wait for."""


@dataclass(slots=True)
class Totals:
    """The collection's own count is kept at once, but may be off after an unclean end of the store.

    So it is held against an exact count first, and again every `TRUSTED_SECONDS`; as long as the two
    differ, every total is counted. A collection too large to be counted in `CHECK_SECONDS` is taken at
    its word; there MongoDB's `validate` corrects the count after an unclean end.

    One count is out at a time, in a task and a context of its own. All who ask while it is out share the
    next one; nobody joins a count that has begun, so each total is as fresh as one of its own.
    """

    customers: Customers
    _trusted_until: float = field(default=0.0, init=False)
    _last: Counting | None = field(default=None, init=False)
    _joinable: bool = field(default=False, init=False)

    def begin(self) -> Counting:
        """Let a count begin, in which nothing acknowledged before is missing, and return it for `total` to wait for."""
        spent = current()
        if spent is not None:
            spent.calls += 1
        last = self._last
        if last is not None and self._joinable and not last.done():
            return last
        self._joinable = True
        self._last = asyncio.get_running_loop().create_task(self._count(last), name="total", context=Context())
        self._last.add_done_callback(_noticed)
        return self._last

    async def total(self, begun: Counting | None = None) -> int:
        """Return how many customers there are: what a count that was `begun` before found, else one that begins now.

        Raises:
            Unavailable: the store does not answer, or not before the wire's deadline.
        """
        counting = self.begin() if begun is None else begun
        if not counting.done():
            await _end_of(counting)
        if counting.cancelled():
            raise Unavailable("none")
        error = counting.exception()
        if isinstance(error, StoreError):
            raise copy.copy(error) from error
        return counting.result()

    async def close(self) -> None:
        """Return when no count is on its way any more, within the store's own timeout."""
        if self._last is not None:
            await asyncio.wait((self._last,))

    async def _count(self, before: Counting | None) -> int:
        if before is not None and not before.done():
            await asyncio.wait((before,))
        self._joinable = False
        return await (self._check() if time.monotonic() >= self._trusted_until else self.customers.count_all())

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


async def _end_of(counting: Counting) -> None:
    """Wait for a count that others may wait for too, as long as the wire's deadline lets."""
    spent = current()
    if spent is not None:
        spent.begin()
    try:
        done, _ = await asyncio.wait((counting,), timeout=seconds_left())
    finally:
        if spent is not None:
            spent.end()
    if not done:
        raise Unavailable("none")


def _noticed(counting: Counting) -> None:
    """Look at how a count ended: those who wanted it may all be gone."""
    if not counting.cancelled():
        counting.exception()
