"""Who feeds the webhooks, and how far: one document, so that whoever has lost the lease can move nothing.

Times of the lease are the store's own, so the clocks of gateways may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from storage.driver import Client, Collection, Document, Session
from storage.errors import reading, writing

LEASE_SECONDS: Final = 3.0
"""How long a feeder that says nothing keeps the others out."""
_ID: Final = {"_id": {"$eq": "webhooks"}}


@dataclass(frozen=True, slots=True)
class WebhookFeed:
    """The lease and the position of the feed. Every method raises `Unavailable` where the store does not answer."""

    client: Client
    database: str

    @property
    def _feed(self) -> Collection:
        return self.client[self.database]["webhook_feed"]

    async def take(self, holder: str, seconds: float = LEASE_SECONDS) -> bool:
        """Take the lease, or take it for longer; False while another one has it."""
        free = {"$lte": [{"$ifNull": ["$until", "$$NOW"]}, "$$NOW"]}
        query = {**_ID, "$expr": {"$or": [{"$eq": ["$holder", holder]}, free]}}
        lease = [{"$set": {"holder": {"$literal": holder}, "until": {"$add": ["$$NOW", int(seconds * 1000)]}}}]
        with writing():
            taken = await self._feed.update_one(query, lease)
            if taken.matched_count == 0 and await self._made():
                taken = await self._feed.update_one(query, lease)
        return taken.matched_count == 1

    async def _made(self, session: Session | None = None) -> bool:
        """Make the document where there is none yet; an upsert takes no `$expr`."""
        made = await self._feed.update_one(_ID, {"$setOnInsert": {"idle": True}}, upsert=True, session=session)
        return made.upserted_id is not None

    async def release(self, holder: str) -> None:
        """Let another one take the lease at once."""
        with writing():
            await self._feed.update_one({**_ID, "holder": {"$eq": holder}}, {"$unset": {"until": "", "holder": ""}})

    async def position(self) -> str | None:
        """Return how far the feed has come, None where it has not begun."""
        with reading():
            found: Document | None = await self._feed.find_one(_ID)
        return found.get("position") if found else None

    async def begin(self, position: str, session: Session) -> None:
        """Let the feed begin here as part of the transaction at hand, unless it is under way and comes past here."""
        query = {**_ID, "$or": [{"idle": {"$ne": False}}, {"position": {"$exists": False}}]}
        await self._made(session)
        await self._feed.update_one(query, {"$set": {"position": position, "idle": False}}, session=session)

    async def advance(self, holder: str, position: str) -> bool:
        """Note that all up to here is stored; False, and nothing noted, where another one has the lease."""
        return await self._set(holder, position=position)

    async def rest(self, holder: str, *, idle: bool) -> bool:
        """Say whether nobody waits for events; False where another one has the lease."""
        return await self._set(holder, idle=idle)

    async def _set(self, holder: str, **fields: object) -> bool:
        with writing():
            result = await self._feed.update_one({**_ID, "holder": {"$eq": holder}}, {"$set": fields})
        return result.matched_count == 1
