"""Gathered inserts: new documents that wait at the same moment are stored by one command.

Each is encoded once, by its own caller, so that its size is known and what cannot be encoded or is too
large is nobody else's trouble. The command is unordered and acknowledged as a whole by a majority; each
document's own error comes back to its own caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bson import ObjectId, encode
from bson.raw_bson import RawBSONDocument

from storage.driver import Collection, Document
from storage.errors import DocumentTooLarge, StoreError, inserting
from storage.gather import ALONE, Gathered

_IN_FLIGHT: Final = 2
_MOST: Final = 100
_HEAVIEST: Final = 4_000_000
_LARGEST_DOCUMENT: Final = 16 * 1024 * 1024


@dataclass(slots=True)
class GatheredInserts:
    """Inserts into the one collection that `collection` gives."""

    collection: Callable[[], Collection]
    gather: bool = True
    queue: Gathered[RawBSONDocument, None] = field(init=False)

    def __post_init__(self) -> None:
        in_flight, most = (_IN_FLIGHT, _MOST) if self.gather else ALONE
        self.queue = Gathered(self._insert, in_flight, most, _HEAVIEST, lost="unknown")

    async def insert(self, document: Document) -> None:
        """Store a new document; raises `Duplicate`, `DocumentTooLarge` and `Unavailable`."""
        encoded = encode({"_id": ObjectId(), **document})
        if len(encoded) > _LARGEST_DOCUMENT:
            raise DocumentTooLarge
        await self.queue.ask(RawBSONDocument(encoded), len(encoded))

    async def _insert(self, documents: list[RawBSONDocument]) -> Sequence[StoreError | None]:
        with inserting(len(documents)) as outcomes:
            if len(documents) == 1:
                await self.collection().insert_one(documents[0])
            else:
                await self.collection().insert_many(documents, ordered=False)
        return outcomes
