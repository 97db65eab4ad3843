"""Erasing all customers that a filter finds: in the order of creation, each with its tombstone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from resolvers.audit import Told
from resolvers.context import Clock, utc_now
from storage.documents import CustomerId, instant
from storage.driver import Session
from storage.erasing import Erasing
from storage.errors import Unavailable, WriteConflict
from storage.jobs import Holder
from storage.store import Store

PAGE: Final = 100
"""How many customers one transaction erases, unless others write to them meanwhile."""


@dataclass(slots=True)
class Erasure:
    """The erasing of customers; `place` is how far it is and `erased` how many that were. It may be done again.

    With a holder an operation counts them too, each exactly once. `note` is told of each, also where the store does
    not say whether it is erased.
    """

    opened: Store
    kept: bytes
    place: bytes = b""
    erased: int = 0
    clock: Clock = utc_now
    holder: Holder | None = None
    session: Session | None = None
    """The session in which the holder writes."""
    note: Told = lambda *_: None

    async def step(self) -> bool:
        """Erase the next customers; False where there are no more.

        Raises:
            Unavailable: its outcome is `none` only where nothing was erased so far.
            LeaseLost: another worker holds the operation.
        """
        erasing = Erasing.of(self.opened, self.kept)
        try:
            following = await erasing.after(self.place, PAGE)
            await self._erase(erasing, following.ids)
        except Unavailable as error:
            raise Unavailable("unknown" if self.erased else error.outcome) from error
        self.place = following.place
        return bool(following.ids)

    async def _erase(self, erasing: Erasing, ids: Sequence[CustomerId]) -> None:
        """Erase these; where others write to some of them meanwhile, half as many at a time."""
        waiting = [ids] if ids else []
        while waiting:
            some = waiting.pop()
            try:
                done = await erasing.erase(some, instant(self.clock()), self.holder, self.session)
                self.erased += len(done)
                for one in done:
                    self.note("done", one.id, one.version)
            except Unavailable as error:
                for customer_id in some if error.outcome == "unknown" else ():
                    self.note("unknown", customer_id)
                raise
            except WriteConflict:
                half = -(-len(some) // 2)
                waiting += [part for part in (some[half:], some[:half]) if part]
