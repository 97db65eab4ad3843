"""Erasing many customers: page by page, each with its tombstone in the transaction that erases it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bson import decode, encode

from storage import driver
from storage.customers import kept
from storage.documents import CustomerId, Instant
from storage.driver import Client, Collection, Document, Session
from storage.errors import reading
from storage.filters import filter_query
from storage.jobs import Holder, count_erased
from storage.ledger import Ledger
from storage.query import Filter
from storage.store import Store
from storage.transactions import attempt

_PLACE: Final = "keys.place"


class Erased(NamedTuple):
    """A customer that was erased, and the version that the erasing made."""

    id: CustomerId
    version: int


class Erasable(NamedTuple):
    """Some customers that a filter finds, and the place of the last one: the next ones come after it."""

    ids: list[CustomerId]
    place: bytes


def kept_filter(where: Filter) -> bytes:
    """Return a filter in a form that can be kept with an operation; it may hold personal values."""
    return encode(filter_query(where))


@dataclass(frozen=True, slots=True)
class Erasing:
    """The customers that a kept filter finds; every method raises `Unavailable` where the store does not answer."""

    client: Client
    database: str
    query: Document

    @classmethod
    def of(cls, store: Store, where: bytes) -> Erasing:
        """Return those of an open store that a kept filter finds."""
        return cls(store.client, store.database, decode(where))

    @property
    def _customers(self) -> Collection:
        return self.client[self.database]["customers"]

    async def count(self, most: int | None = None) -> int:
        """Return how many there are, counted up to a number."""
        with reading():
            if most is None:
                return await self._customers.count_documents(self.query)
            return await self._customers.count_documents(self.query, limit=most)

    async def after(self, place: bytes, limit: int) -> Erasable:
        """Return the next ones in the order of creation."""
        query = {"$and": [self.query, {_PLACE: {"$gt": place}}]}
        with reading():
            cursor = self._customers.find(query, {"_id": 0, "id": 1, _PLACE: 1}).sort(_PLACE, 1).limit(limit)
            found = await cursor.to_list(None)
        return Erasable([one["id"] for one in found], bytes(found[-1]["keys"]["place"]) if found else place)

    async def erase(
        self,
        ids: Sequence[CustomerId],
        deleted_at: Instant,
        holder: Holder | None = None,
        within: Session | None = None,
    ) -> list[Erased]:
        """Erase those of some customers that the filter still finds, all or none; return these.

        With a holder the operation counts them, in the same transaction, which is one of the session `within`.

        Raises:
            WriteConflict: another write came between; nothing was done.
            LeaseLost: another worker holds the operation; nothing was done.
        """
        found: list[Document] = []
        query = {"$and": [{"id": {"$in": list(ids)}}, self.query]}

        async def bury(session: Session) -> bool:
            cursor = self._customers.find(query, {"_id": 0, "id": 1, "version": 1}, session=session)
            found[:] = await cursor.to_list(None)
            if found:
                await self._bury(found, deleted_at, session)
                if holder is not None:
                    await count_erased(self.client[self.database]["operations"], holder, len(found), session)
            return bool(found)

        if within is not None:
            await attempt(within, bury)
        else:
            async with driver.session(self.client) as session:
                await attempt(session, bury)
        return [Erased(one["id"], one["version"] + 1) for one in found]

    async def _bury(self, found: Sequence[Document], deleted_at: Instant, session: Session) -> None:
        stones = [kept({"id": one["id"], "version": one["version"] + 1, "deletedAt": deleted_at}) for one in found]
        await self._customers.delete_many({"id": {"$in": [one["id"] for one in found]}}, session=session)
        await self.client[self.database]["tombstones"].insert_many(stones, session=session)
        await Ledger(self.client, self.database).erase([one["id"] for one in found], session)
