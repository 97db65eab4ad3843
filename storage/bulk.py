"""Many customers by one command: what imports, exports and demo data ask of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, cast

from bson import ObjectId, encode
from bson.raw_bson import RawBSONDocument
from pymongo import ReplaceOne

from storage import driver
from storage.customers import kept, stored
from storage.documents import Customer, CustomerId, Instant, Tombstone, moment
from storage.driver import Client, Document, Session
from storage.emails import email_key
from storage.errors import StoreError, inserting, reading, writing
from storage.filters import filter_query
from storage.indexes import TOMBSTONE_SECONDS, ensure_unique_indexes
from storage.query import Filter
from storage.store import Store

_SHOWN = {"_id": 0, "keys": 0}
_SHOWN_TOMBSTONE = {"_id": 0, "expires": 0}


class Prepared(NamedTuple):
    """A new customer, and the document that is written for it."""

    customer: Customer
    document: RawBSONDocument


class Replacement(NamedTuple):
    """A customer as it is to be in the place of its `version`; `changed` names the parts that differ."""

    after: Customer
    version: int
    changed: Sequence[str]


def prepare(customer: Customer) -> Prepared:
    """Return a customer ready to be stored; pure computation, so that a thread may do it while others are sent."""
    return Prepared(customer, RawBSONDocument(encode({"_id": ObjectId(), **stored(customer)})))


def _replacing(one: Replacement) -> ReplaceOne[Document]:
    before = {"id": {"$eq": one.after["id"]}, "version": {"$eq": one.version}}
    return ReplaceOne(before, stored(one.after, one.changed))


@dataclass(frozen=True, slots=True)
class Bulk:
    """Reads and writes of many customers; every method raises `Unavailable` where the store does not answer."""

    client: Client
    database: str

    @classmethod
    def of(cls, store: Store) -> Bulk:
        """Return those of an open store."""
        return cls(store.client, store.database)

    @property
    def customers(self) -> driver.Collection:
        """The collection of customers."""
        return self.client[self.database]["customers"]

    @property
    def tombstones(self) -> driver.Collection:
        """The collection of what stays of those that are deleted."""
        return self.client[self.database]["tombstones"]

    async def ensure_unique_indexes(self) -> None:
        """Make the indexes without which customers could be stored twice; those that only find can come later."""
        await ensure_unique_indexes(self.client[self.database])

    async def create_each(self, prepared: Sequence[Prepared]) -> list[StoreError | None]:
        """Store new customers by one unordered command; return each one's own error, None where it is stored."""
        if not prepared:
            return []
        with inserting(len(prepared)) as outcomes:
            await self.customers.insert_many([one.document for one in prepared], ordered=False)
        return outcomes

    async def write(self, new: Sequence[Prepared], replacements: Sequence[Replacement], session: Session) -> bool:
        """Store new customers and changed ones as part of the transaction at hand.

        False where somebody else has changed one of them meanwhile, or erased one who was to be new. Raises `Duplicate`
        and `WriteConflict`, as a transaction does.
        """
        if new:
            erased = {"id": {"$in": [one.customer["id"] for one in new]}}
            if await self.tombstones.find_one(erased, {"_id": 1}, session=session) is not None:
                return False
            await self.customers.insert_many([one.document for one in new], session=session)
        if not replacements:
            return True
        done = await self.customers.bulk_write([_replacing(one) for one in replacements], session=session)
        return done.matched_count == len(replacements)

    async def find_by_emails(self, emails: Sequence[str]) -> dict[str, Customer]:
        """Return the customers that have these e-mail addresses, by the address's key."""
        found = await self._find({"keys.email": {"$in": [email_key(email) for email in emails]}})
        return {email_key(customer["email"]): customer for customer in found}

    async def find_owners(self, keys: Sequence[str]) -> dict[str, CustomerId]:
        """Return the ids of the customers whose e-mail addresses have these keys, by the key."""
        with reading():
            cursor = self.customers.find({"keys.email": {"$in": list(keys)}}, {"_id": 0, "id": 1, "keys.email": 1})
            found = await cursor.to_list(None)
        return {one["keys"]["email"]: CustomerId(one["id"]) for one in found}

    async def find_by_ids(self, ids: Sequence[CustomerId]) -> dict[CustomerId, Customer]:
        """Return the customers that have these ids, by id."""
        return {customer["id"]: customer for customer in await self._find({"id": {"$in": list(ids)}})}

    async def _find(self, query: Document) -> list[Customer]:
        with reading():
            return cast("list[Customer]", await self.customers.find(query, _SHOWN).to_list(None))

    async def find_tombstones(self, ids: Sequence[CustomerId]) -> dict[CustomerId, Tombstone]:
        """Return what stayed of the customers with these ids that were deleted within the last 30 days, by id."""
        with reading():
            query = {"id": {"$in": list(ids)}}
            found = cast("list[Tombstone]", await self.tombstones.find(query, _SHOWN_TOMBSTONE).to_list(None))
        return {one["id"]: one for one in found}

    async def tombstones_after(self, customer_id: str, limit: int) -> list[Tombstone]:
        """Return the next tombstones in the order of their ids."""
        with reading():
            cursor = self.tombstones.find({"id": {"$gt": customer_id}}, _SHOWN_TOMBSTONE)
            return cast("list[Tombstone]", await cursor.sort("id", 1).limit(limit).to_list(None))

    async def create_tombstone(self, tombstone: Tombstone) -> None:
        """Keep a tombstone until 30 days after its deletion; raises `Duplicate` where there is one."""
        with writing():
            await self.tombstones.insert_one(kept(tombstone))

    async def most_parts(self, where: Filter) -> tuple[int, int]:
        """Return how many addresses, and how many phone numbers, a customer has at most."""
        sizes: Document = {name: {"$max": {"$size": f"${name}"}} for name in ("addresses", "phoneNumbers")}
        pipeline = [{"$match": filter_query(where)}, {"$group": {"_id": None, **sizes}}]
        with reading():
            found = await (await driver.aggregate(self.customers, pipeline)).to_list(None)
        return (found[0]["addresses"], found[0]["phoneNumbers"]) if found else (1, 1)


def expired(deleted_at: Instant, now: Instant) -> bool:
    """Tell whether a tombstone of this deletion is kept no longer."""
    return moment(deleted_at) + timedelta(seconds=TOMBSTONE_SECONDS) <= moment(now)
