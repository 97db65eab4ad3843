"""What a run with an idempotency key writes: the change and its outcome, both or none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from storage.customers import Customers, stored
from storage.documents import Customer, CustomerId
from storage.driver import Document, Session
from storage.errors import ClaimLost, StoreError
from storage.ledger import Held, Ledger
from storage.transactions import transact


class Writes(Protocol):
    """How operations write customers: at once, or under a claim."""

    async def create(self, customer: Customer) -> None:
        """Store a new customer."""

    async def replace(self, customer: Customer, *, version: int, changed: Sequence[str] | None = None) -> bool:
        """Put `customer` in the place of its `version`; False when it has another version or is gone."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that a run holds.

    Its writes raise what those of `Customers` raise, and `ClaimLost` where a retry has taken the key over.
    """

    ledger: Ledger
    customers: Customers
    held: Held

    async def create(self, customer: Customer) -> None:
        """Store a new customer as the outcome."""

        async def insert(session: Session) -> bool:
            await self.customers.collection.insert_one(stored(customer), session=session)
            return True

        await self.complete({"customer": customer}, insert, customer["id"])

    async def replace(self, customer: Customer, *, version: int, changed: Sequence[str] | None = None) -> bool:
        """Put `customer` in the place of its `version` as the outcome; False when it has another version or is gone."""

        async def change(session: Session) -> bool:
            found = {"id": {"$eq": customer["id"]}, "version": {"$eq": version}}
            new = stored(customer, changed)
            return (await self.customers.collection.replace_one(found, new, session=session)).matched_count == 1

        return await self.complete({"customer": customer}, change, customer["id"])

    async def keep(self, customer: Customer) -> bool:
        """Write as the outcome that nothing had to be changed; False when it has another version or is gone.

        The customer is touched where no answer shows it: an erasure at the same moment cannot miss the snapshot then.
        """

        async def touch(session: Session) -> bool:
            found = {"id": {"$eq": customer["id"]}, "version": {"$eq": customer["version"]}}
            update = {"$set": {"keys.held": self.held.fence}}
            return (await self.customers.collection.update_one(found, update, session=session)).matched_count == 1

        return await self.complete({"customer": customer}, touch, customer["id"])

    async def complete(
        self, outcome: Document, change: Callable[[Session], Awaitable[bool]], customer: CustomerId | None = None
    ) -> bool:
        """Make a change and write its outcome in one transaction; nothing of both where `change` returns False.

        With `customer` the outcome is erased together with that one. `change` may be run several times.
        """

        async def both(session: Session) -> bool:
            if not await self.ledger.complete(self.held, outcome, customer):
                raise ClaimLost
            return await change(session)

        return await transact(self.held.session, both)

    async def refuse(self, outcome: Document, customer: CustomerId | None) -> None:
        """Write as the outcome why nothing was changed; raises `ClaimLost`.

        Where the store does not answer the key stays without an outcome, and a retry finds out anew.
        """
        kept = True
        with suppress(StoreError):
            kept = await self.ledger.refuse(self.held, outcome, customer)
        if not kept:
            raise ClaimLost

    async def release(self) -> None:
        """Give the key free; where the store does not answer, that happens at the end of the lease."""
        with suppress(StoreError):
            await self.ledger.release(self.held)
