"""The idempotency ledger: what became of each request that carried a key, for a day.

A key is claimed before anything is done, under a lease by the store's own clock. The change and its outcome
are then written in one transaction, and only while the claim stands. Who comes back with the key of a run that
died takes its claim over once the lease has ended; should the run live after all, it cannot store anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from pymongo.write_concern import WriteConcern

from storage import driver
from storage.documents import CustomerId, new_id
from storage.driver import Client, Collection, Document, Session
from storage.errors import Duplicate, reading, uncommitted
from storage.transactions import end_abandoned

KEPT: Final = timedelta(hours=24)
"""How long an outcome is kept."""
LEASE: Final = timedelta(seconds=3)
"""How long a key is held by a run that is not heard of."""

_MILLISECOND: Final = timedelta(milliseconds=1)
_SECONDS_LEFT: Final = {"$divide": [{"$subtract": ["$lease", "$$NOW"]}, 1000]}
_SHOWN: Final = {
    **dict.fromkeys(("operation", "digest", "fence", "session", "lease", "expires", "outcome", "erased", "pieces"), 1),
    "left": _SECONDS_LEFT,
}


class Asked(NamedTuple):
    """A request with a key: `id` stands for its caller and key, `digest` for its payload; neither can be read back."""

    id: str
    operation: str
    digest: str


class Held(NamedTuple):
    """A claim: what is stored under it is stored only while the entry has its `fence`.

    `pieces` is how many pieces of its outcome a run that died has stored.
    """

    id: str
    fence: str
    session: Session
    pieces: int = 0


class Piece(NamedTuple):
    """A part of an outcome that is too large for one entry, or that is stored before the whole is known.

    `customers` are those that it tells of, `erased` those that are erased together with its writing.
    """

    number: int
    results: list[Document]
    customers: list[CustomerId]
    erased: list[CustomerId]


class Kept(NamedTuple):
    """The outcome of an earlier run; None once the customer that it was about has been erased."""

    outcome: Document | None


class Running(NamedTuple):
    """Another run holds the key, for at most so many seconds."""

    seconds: float


class Differs(NamedTuple):
    """The key was used for another operation or another payload."""


Found = Held | Kept | Running | Differs


@dataclass(frozen=True, slots=True)
class Ledger:
    """The collection of entries. Every method raises `Unavailable` where the store does not answer."""

    client: Client
    database: str

    @property
    def _entries(self) -> Collection:
        return self.client[self.database]["ledger"]

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Open the session in which a request claims its key and makes its change."""
        return driver.session(self.client)

    async def claim(self, asked: Asked, now: datetime, session: Session) -> Found:
        """Claim a key for a run that begins now, or return what is known of it."""
        new = self._new(asked, now, session)
        try:
            with uncommitted():
                # A claim that is lost with its primary is one that nothing was stored under.
                quick = self._entries.with_options(write_concern=WriteConcern(w=1))
                held = {"_id": {"$eq": asked.id}, "fence": {"$eq": new["fence"]}}
                await quick.update_one(held, _claimed(new), upsert=True, session=session)
        except Duplicate:
            return await self._look(asked, now, new, session)
        return Held(asked.id, new["fence"], session)

    def _new(self, asked: Asked, now: datetime, session: Session) -> Document:
        known = {"operation": asked.operation, "digest": asked.digest, "expires": now + KEPT}
        return {**known, "fence": new_id(), "session": session.session_id["id"]}

    async def _look(self, asked: Asked, now: datetime, new: Document, session: Session) -> Found:
        with reading():
            entry = await self._entries.find_one({"_id": {"$eq": asked.id}}, _SHOWN)
        if entry is None:  # it has just been made, or just been given up
            return Running(0)
        expired = entry["expires"].replace(tzinfo=UTC) <= now
        known = None if expired else _known(asked, entry)
        if known is None:
            return await self._take_over(asked, entry, new, session, 0 if expired else entry.get("pieces", 0))
        if isinstance(known, Kept) and known.outcome and "pieces" in known.outcome:
            results = await self.results(asked.id, known.outcome["pieces"])
            return Kept(None if results is None else {"results": results})
        return known

    async def _take_over(self, asked: Asked, entry: Document, new: Document, session: Session, pieces: int) -> Found:
        """Claim the key of a run that has died, or of an outcome that is too old; of several who try one does it."""
        if "session" in entry:
            await end_abandoned(self.client, entry["session"])
        seen = {name: {"$eq": entry.get(name)} for name in ("_id", "fence", "lease")}
        with uncommitted():
            taken = await self._entries.update_one(seen, _claimed(new, going_on=pieces > 0), session=session)
        return Held(asked.id, new["fence"], session, pieces) if taken.matched_count else Running(0)

    async def complete(self, held: Held, outcome: Document, customer: CustomerId | None) -> bool:
        """Write an outcome as part of the transaction at hand; False where the claim is lost.

        With `customer` it is erased together with that one.
        """
        update = _completed(outcome, customer)
        return (await self._entries.update_one(_open(held), update, session=held.session)).matched_count == 1

    async def refuse(self, held: Held, outcome: Document, customer: CustomerId | None) -> bool:
        """Write the outcome of a run that changed nothing; False where the claim is lost."""
        with uncommitted():
            return (await self._entries.update_one(_open(held), _completed(outcome, customer))).matched_count == 1

    async def release(self, held: Held) -> bool:
        """Give a key free, as if it had never been used, or for a run that goes on.

        False where the claim is lost, or has its outcome: that stays.
        """
        with uncommitted():
            untouched = {**_open(held), "pieces": {"$exists": False}}
            if (await self._entries.delete_one(untouched)).deleted_count == 1:
                return True
            return (await self._entries.update_one(_open(held), [{"$set": {"lease": "$$NOW"}}])).matched_count == 1

    async def add(self, held: Held, piece: Piece, expires: datetime) -> bool:
        """Write a piece of an outcome as part of the transaction at hand; False where the claim is lost."""
        known = {"$setUnion": [{"$ifNull": ["$customer", []]}, {"$literal": piece.customers}]}
        entry = {"pieces": piece.number + 1, "customer": {"$setDifference": [known, {"$literal": piece.erased}]}}
        update = [{"$set": {**entry, "lease": {"$add": ["$$NOW", LEASE // _MILLISECOND]}}}]
        if (await self._entries.update_one(_open(held), update, session=held.session)).matched_count == 0:
            return False
        if piece.erased:
            await self._forget(held, piece)
        new = {"expires": expires, "customer": piece.customers, "outcome": {"results": piece.results}}
        await self._entries.replace_one({"_id": f"{held.id}/{piece.number}"}, new, upsert=True, session=held.session)
        return True

    async def _forget(self, held: Held, piece: Piece) -> None:
        """Take from a batch's earlier pieces what they hold of customers that it erases itself."""
        names = [f"{held.id}/{number}" for number in range(piece.number)]
        gone = {"$set": {"outcome.results.$[one].customer": None}, "$pull": {"customer": {"$in": piece.erased}}}
        filters = [{"one.id": {"$in": piece.erased}}]
        found = {"_id": {"$in": names}, "outcome": {"$exists": True}}
        await self._entries.update_many(found, gone, array_filters=filters, session=held.session)

    async def results(self, entry: str, pieces: int) -> list[Document] | None:
        """Return what pieces hold, in their order; None where a customer of one of them has been erased."""
        names = [f"{entry}/{number}" for number in range(pieces)]
        with reading():
            found = await self._entries.find({"_id": {"$in": names}}, {"outcome": 1}).to_list(None)
        outcomes = {one["_id"]: one["outcome"] for one in found if "outcome" in one}
        if len(outcomes) < pieces:
            return None
        return [result for name in names for result in outcomes[name]["results"]]

    async def erase(self, customers: Sequence[CustomerId], session: Session) -> None:
        """Take every snapshot of customers, and every digest of what was sent about them, as part of a transaction."""
        gone = {"$set": {"erased": True}, "$unset": dict.fromkeys(("outcome", "digest", "customer"), "")}
        await self._entries.update_many({"customer": {"$in": list(customers)}}, gone, session=session)


def _known(asked: Asked, entry: Document) -> Kept | Running | Differs | None:
    """Return what an entry says, None where it is the claim of a run that has died."""
    if entry.get("erased"):
        return Kept(None)
    if (entry["operation"], entry["digest"]) != (asked.operation, asked.digest):
        return Differs()
    if "outcome" in entry:
        return Kept(entry["outcome"])
    return Running(entry["left"]) if entry["left"] > 0 else None


def _claimed(new: Document, *, going_on: bool = False) -> list[Document]:
    """Return the update that makes an entry a new claim, with a lease by the store's clock."""
    stays = {name: f"${name}" for name in ("pieces", "customer")} if going_on else {}
    lease = {"$add": ["$$NOW", LEASE // _MILLISECOND]}
    return [{"$replaceWith": {"$mergeObjects": [{"_id": "$_id"}, {"$literal": new}, {"lease": lease, **stays}]}}]


def _open(held: Held) -> Document:
    return {"_id": {"$eq": held.id}, "fence": {"$eq": held.fence}, "outcome": {"$exists": False}}


def _completed(outcome: Document, customer: CustomerId | None) -> Document:
    about = {} if customer is None else {"customer": customer}
    return {"$set": {"outcome": outcome, **about}, "$unset": {"lease": "", "session": ""}}
