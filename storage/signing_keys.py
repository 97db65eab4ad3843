"""The keys that the gateways of a store sign their own tokens with, one document for each generation.

What a key is made of is the caller's: `public` and `private` are kept as they come, and mean nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from storage.documents import Instant
from storage.driver import Client, Collection, Document
from storage.errors import Duplicate, reading, writing
from storage.records import record

_SHOWN: Final = {"expires": 0}


@dataclass(frozen=True, slots=True)
class SigningKeyRecord:
    """One generation: 1 is the first; of two gateways that make the same one only the first does.

    `sealed` tells whether `private` needs a secret to be read; `signsFrom` when it takes over from the one before.
    """

    generation: int
    kid: str
    public: str
    private: bytes
    sealed: bool
    createdAt: Instant
    signsFrom: Instant


def _record(document: Document) -> SigningKeyRecord:
    return record(SigningKeyRecord, document, generation=document["_id"])


@dataclass(frozen=True, slots=True)
class StoredSigningKeys:
    """The collection of signing keys. Every method raises `Unavailable` where the store does not answer."""

    client: Client
    database: str

    @property
    def _keys(self) -> Collection:
        return self.client[self.database]["signing_keys"]

    async def list(self) -> list[SigningKeyRecord]:
        """Return all generations, newest first."""
        with reading():
            found = await self._keys.find({}, _SHOWN, sort=[("_id", -1)]).to_list(None)
        return [_record(document) for document in found]

    async def add(self, record: SigningKeyRecord, *, older_end: datetime) -> bool:
        """Add a generation, and let the store forget the older ones from `older_end` on, or sooner if so said before.

        False, and nothing changed, where there is one of this number.
        """
        fields = {name: getattr(record, name) for name in SigningKeyRecord.__slots__ if name != "generation"}
        try:
            with writing():
                await self._keys.insert_one({"_id": record.generation, **fields})
        except Duplicate:
            return False
        with writing():
            await self._keys.update_many({"_id": {"$lt": record.generation}}, {"$min": {"expires": older_end}})
        return True

    async def drop_older(self, generation: int) -> int:
        """Forget all generations before this one at once, and return how many there were."""
        with writing():
            return (await self._keys.delete_many({"_id": {"$lt": generation}})).deleted_count
