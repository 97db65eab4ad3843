"""What a run with an idempotency key writes: the change and its outcome, both or none."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol, TypeVar

from storage.customers import Customers, stored
from storage.documents import Customer, CustomerId
from storage.driver import Document, Session
from storage.errors import ClaimLost, StoreError, Unavailable
from storage.ledger import LEASE, Held, Ledger, Piece
from storage.staging import StagedCustomers, Together
from storage.transactions import transact

FoundT = TypeVar("FoundT")
_IN_A_PIECE: Final = 100
"""How many results of a batch one entry holds: they have to fit into 16 MiB."""


class Writes(Protocol):
    """How operations write customers: at once, or under a claim."""

    async def create(self, customer: Customer) -> None:
        """Store a new customer."""

    async def replace(self, customer: Customer, *, version: int, changed: Sequence[str] | None = None) -> bool:
        """Put `customer` in the place of its `version`; False when it has another version or is gone."""


@dataclass(slots=True)
class Claim:
    """A key that a run holds.

    Its writes raise what those of `Customers` raise, and `ClaimLost` where a retry has taken the key over.
    """

    ledger: Ledger
    customers: Customers
    held: Held
    began: float = field(default_factory=time.monotonic)
    """The moment of `time.monotonic` from which the key is held for certain no longer than its lease."""
    pieces: int = field(init=False)
    """How many pieces of the outcome are stored."""
    released: bool = field(default=False, init=False)
    """Whether the key has been given free."""

    def __post_init__(self) -> None:
        self.pieces = self.held.pieces

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

    async def derive(
        self, change: Callable[[Session], Awaitable[FoundT | None]], outcome: Callable[[FoundT], Document]
    ) -> FoundT | None:
        """Make a change, and write the outcome that follows from what it finds, in one transaction.

        Returns what was found; nothing of both is written where that is None. `change` may be run several times.
        """
        found: list[FoundT] = []

        async def both(session: Session) -> bool:
            found.clear()
            if (made := await change(session)) is None:
                return False
            found.append(made)
            if not await self.ledger.complete(self.held, outcome(made), None):
                raise ClaimLost
            return True

        return found[0] if await transact(self.held.session, both) else None

    async def earlier(self) -> list[Document] | None:
        """Return the results that a run that died has stored, None where one of their customers has been erased."""
        return await self.ledger.results(self.held.id, self.held.pieces)

    async def store(
        self, staged: StagedCustomers, results: Sequence[Document], expires: datetime, *, last: bool
    ) -> bool:
        """Store what is staged together with what became of it; with the `last` ones the outcome is whole.

        Returns and raises what `StagedCustomers.store` does, and raises `ClaimLost`.
        """
        erased = [write.id for write in staged.writes if write.after is None]
        pieces = [_piece(self.pieces + at, some, erased) for at, some in enumerate(_parted(results))]

        async def keep() -> bool:
            for piece in pieces:
                if not await self.ledger.add(self.held, piece, expires):
                    raise ClaimLost
            whole = {"pieces": self.pieces + len(pieces)}
            if last and not await self.ledger.complete(self.held, whole, None):
                raise ClaimLost
            return True

        touched = [one["customer"] for one in results if one["customer"] is not None]
        if not await staged.store(Together(self.held.session, touched, self.held.fence, keep)):
            return False
        self.pieces += len(pieces)
        return True

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
        """Give the key free, once; where the store does not answer, that happens at the end of the lease.

        Raises:
            ClaimLost: a retry has the key, or there is an outcome: what this run found out since is not the truth.
            Unavailable: nobody knows whether that is so, as the lease has ended; `unknown`.
        """
        if self.released:
            return
        try:
            self.released = await self.ledger.release(self.held)
        except StoreError as error:
            if time.monotonic() - self.began > LEASE.total_seconds():
                raise Unavailable("unknown") from error
            return
        if not self.released:
            raise ClaimLost


def _parted(results: Sequence[Document]) -> list[Sequence[Document]]:
    return [results[at : at + _IN_A_PIECE] for at in range(0, len(results), _IN_A_PIECE)]


def _piece(number: int, results: Sequence[Document], erased: list[CustomerId]) -> Piece:
    """Return a piece; of the customers that are erased with it their ids stay."""
    kept = [{**one, "customer": None if one["id"] in erased else one["customer"]} for one in results]
    told = {CustomerId(one["id"]) for one in results if one["id"] is not None}
    return Piece(number, kept, sorted(told.difference(erased)), erased)
