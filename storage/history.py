"""What a reader of changes asks of the store by itself: where the history stands, and what it holds after a place."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from storage.change_stream import Batch, Change, ChangeStream
from storage.driver import Client
from storage.errors import reading
from storage.positions import Place, PositionCipher
from storage.secrets import secret

_AT_ONCE: Final = 4
"""How many may ask at the same moment: many readers that come back together wait for each other, not requests."""
_AWAIT: Final = 0.02
_PATIENCE: Final = 30.0


@dataclass(slots=True)
class History:
    """The past changes of one database."""

    client: Client
    database: str
    _cipher: PositionCipher | None = None
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def cipher(self) -> PositionCipher:
        """Return what seals positions, read from the store once; raises `Unavailable`."""
        if self._cipher is None:
            self._cipher = PositionCipher(await secret(self.client, self.database, "positions"))
        return self._cipher

    async def now(self) -> Place:
        """Return the place after every change that is acknowledged; raises `Unavailable`."""
        async with self._turns:
            stream, place = await ChangeStream.open(self.client, self.database, await self.cipher(), None)
            await stream.close()
        return place

    async def open(self, after: Place) -> PastChanges:
        """Return the changes after a place; raises `HistoryLost` and `Unavailable`."""
        async with self._turns:
            stream, _ = await ChangeStream.open(self.client, self.database, await self.cipher(), after)
        return PastChanges(self, stream, self._turns)

    async def erased(self, ids: Sequence[str]) -> set[str]:
        """Return which of these customers have been erased; raises `Unavailable`."""
        with reading():
            tombstones = self.client[self.database]["tombstones"]
            return {one["id"] for one in await tombstones.find({"id": {"$in": ids}}, {"_id": 0, "id": 1}).to_list(None)}


@dataclass(slots=True)
class PastChanges:
    """A cursor on past changes, for one reader."""

    history: History
    _stream: ChangeStream
    _turns: asyncio.Semaphore

    async def next(self) -> Batch:
        """Return the next batch; raises `HistoryLost` and `Unavailable`."""
        async with self._turns:
            batch = await self._stream.next(_AWAIT, _PATIENCE)
            return batch._replace(changes=await self._without_erased(batch.changes))

    async def close(self) -> None:
        """Give the cursor back to the store."""
        await self._stream.close()

    async def _without_erased(self, changes: list[Change]) -> list[Change]:
        """Take the customers away that have been erased since: nothing of them may be shown any more."""
        ids = {change.customer_id for change in changes if change.customer is not None}
        gone = await self.history.erased(sorted(ids)) if ids else set()
        return [replace(change, customer=None) if change.customer_id in gone else change for change in changes]
