"""Customers as a batch will leave them: read together, changed here one after the other, stored as one transaction.

It has the face of the collection, so that the operations on single customers work on it as they are. What it says
is true of the store as it was read; that nobody wrote meanwhile shows when it is stored.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne

from storage import driver
from storage.bulk import Bulk
from storage.customers import kept, stored
from storage.documents import Customer, CustomerId, Instant, Tombstone
from storage.driver import Document, Session
from storage.emails import email_key
from storage.errors import Duplicate, WriteConflict
from storage.ledger import Ledger
from storage.transactions import attempt
from storage.turns import Turns

Request: TypeAlias = InsertOne[Document] | ReplaceOne[Document] | DeleteOne | UpdateOne


class Write(NamedTuple):
    """A change of one customer: from its `version` (0 for a new one) to `after`, None where it is erased.

    `changed` names the parts that differ, for the change feed.
    """

    id: CustomerId
    version: int
    after: Customer | None
    changed: Sequence[str] | None = None


class Together(NamedTuple):
    """What is written in the transaction that stores staged customers, in the session of that.

    The `touched` customers are marked where nobody sees it, so that none of them is erased at the same moment.
    """

    session: Session
    touched: Sequence[Customer]
    mark: str
    write: Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class StagedCustomers:
    """Customers as the store has them, and the changes of one batch. Reads raise `Unavailable`."""

    bulk: Bulk
    writes: list[Write] = field(default_factory=list, init=False)
    _customers: dict[CustomerId, Customer | None] = field(default_factory=dict, init=False)
    _tombstones: dict[CustomerId, Tombstone] = field(default_factory=dict, init=False)
    _owners: dict[str, CustomerId | None] = field(default_factory=dict, init=False)

    async def load(self, ids: Collection[CustomerId], emails: Iterable[str]) -> None:
        """Read all that is known to be needed: these customers, and who has these e-mail addresses."""
        if ids:
            found = await self.bulk.find_by_ids(list(ids))
            self._customers.update({customer_id: found.get(customer_id) for customer_id in ids})
            missing = [customer_id for customer_id in ids if customer_id not in found]
            if missing:
                self._tombstones.update(await self.bulk.find_tombstones(missing))
        keys = {email_key(email) for email in emails}
        if keys:
            owners = await self.bulk.find_owners(list(keys))
            self._owners.update({key: owners.get(key) for key in keys})

    async def get(self, customer_id: CustomerId) -> Customer | None:
        """Return one customer as it is by now, or None."""
        if customer_id not in self._customers:
            await self.load([customer_id], ())
        return self._customers[customer_id]

    async def get_tombstone(self, customer_id: CustomerId) -> Tombstone | None:
        """Return what stayed of a customer that was deleted, by this batch or before."""
        return self._tombstones.get(customer_id)

    async def find_by_email(self, email: str) -> Customer | None:
        """Return the customer that has an e-mail address by now, or None."""
        owner = await self._owner(email_key(email))
        return None if owner is None else await self.get(owner)

    async def create(self, customer: Customer) -> None:
        """Add a new customer. Raises `Duplicate`."""
        email = email_key(customer["email"])
        if await self._owner(email) is not None:
            raise Duplicate("keys.email")
        self._owners[email] = customer["id"]
        self._write(Write(customer["id"], 0, customer))

    async def replace(self, customer: Customer, *, version: int, changed: Sequence[str] | None = None) -> bool:
        """Put a customer in the place of its `version`, False when it has another or is gone. Raises `Duplicate`."""
        before = await self.get(customer["id"])
        if before is None or before["version"] != version:
            return False
        email, old = email_key(customer["email"]), email_key(before["email"])
        if email != old:
            if await self._owner(email) is not None:
                raise Duplicate("keys.email")
            self._owners.update({old: None, email: customer["id"]})
        self._write(Write(customer["id"], version, customer, changed))
        return True

    async def delete(self, customer_id: CustomerId, *, version: int, deleted_at: Instant) -> Tombstone | None:
        """Erase a customer and leave its tombstone; None when it has another version or is gone."""
        before = await self.get(customer_id)
        if before is None or before["version"] != version:
            return None
        self._owners[email_key(before["email"])] = None
        tombstone: Tombstone = {"id": customer_id, "version": version + 1, "deletedAt": deleted_at}
        self._tombstones[customer_id] = tombstone
        self._write(Write(customer_id, version, None))
        return tombstone

    def _write(self, write: Write) -> None:
        self._customers[write.id] = write.after
        self.writes.append(write)

    async def _owner(self, key: str) -> CustomerId | None:
        """Return whose e-mail address this is by now."""
        if key not in self._owners:
            self._owners[key] = (await self.bulk.find_owners([key])).get(key)
        return self._owners[key]

    async def store(self, together: Together | None = None) -> bool:
        """Store all changes in their order, at once or not at all; False where somebody else wrote meanwhile.

        With `together` that is written too, as part of the same.

        Raises:
            Unavailable: the store did not answer as it should; true about the outcome for all of them.
            DocumentTooLarge: nothing was stored.
        """
        if not self.writes and together is None:
            return True
        requests = [*await self._requests(), *self._touches(together)]
        tombstones = [kept(self._tombstones[write.id]) for write in self.writes if write.after is None]

        async def work(session: Session) -> bool:
            if not await self._written(requests, session):
                return False
            if tombstones:
                await self.bulk.tombstones.insert_many(tombstones, session=session)
                ledger = Ledger(self.bulk.client, self.bulk.database)
                await ledger.erase([one["id"] for one in tombstones], session)
            return True

        async def both(session: Session) -> bool:
            # Before the erasing, which would take the batch's own entry for one that tells of somebody who is gone.
            return (together is None or await together.write()) and await work(session)

        try:
            if together is not None:
                return await attempt(together.session, both)
            async with driver.session(self.bulk.client) as session:
                return await attempt(session, work)
        except (WriteConflict, Duplicate):
            return False

    async def _requests(self) -> list[Request]:
        """Return the changes as the driver takes them, in their order."""
        turns = Turns()
        requests: list[Request] = []
        for write in self.writes:
            requests.append(_request(write))
            await turns.give()
        return requests

    def _touches(self, together: Together | None) -> list[Request]:
        """Return what marks the customers that the batch tells of and does not write."""
        written = {write.id for write in self.writes}
        held = [one for one in together.touched if one["id"] not in written] if together else []
        update = {"$set": {"keys.held": together.mark if together else ""}}
        return [UpdateOne({"id": {"$eq": one["id"]}, "version": {"$eq": one["version"]}}, update) for one in held]

    async def _written(self, requests: Sequence[Request], session: Session) -> bool:
        if not requests:
            return True
        done = await self.bulk.customers.bulk_write(requests, session=session)
        return done.inserted_count + done.matched_count + done.deleted_count == len(requests)


def _request(write: Write) -> Request:
    if write.after is None:
        return DeleteOne({"id": {"$eq": write.id}, "version": {"$eq": write.version}})
    if write.version == 0:
        return InsertOne(stored(write.after))
    return ReplaceOne({"id": {"$eq": write.id}, "version": {"$eq": write.version}}, stored(write.after, write.changed))
