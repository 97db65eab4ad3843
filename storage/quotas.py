"""Daily quotas: one document for each caller and day, which ends by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from pymongo import ReturnDocument

from storage.driver import Client, Document
from storage.errors import Duplicate, writing

_KEPT: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Quotas:
    """The collection of what callers have spent. Every method raises `Unavailable` where the store does not answer."""

    client: Client
    database: str

    async def spend(self, caller_id: str, day: str, units: int, quota: int) -> tuple[bool, int]:
        """Spend units of a day (`2026-01-31`) where the quota allows it; tell whether, and what is spent by then.

        Exact however many spend at once: the store decides and counts in one step.
        """
        try:
            before = await self._add(caller_id, day, units, quota)
        except Duplicate:  # another one made the document at the same moment, so now it is there
            before = await self._add(caller_id, day, units, quota)
        used = int(before["used"]) if before else 0
        passed = used + units <= quota
        return passed, used + units if passed else used

    async def _add(self, caller_id: str, day: str, units: int, quota: int) -> Document | None:
        """Add the units where they fit, and return the document as it was before."""
        name = f"{day}:{sha256(caller_id.encode('utf-8', 'surrogatepass')).hexdigest()}"
        ends = datetime.fromisoformat(day).replace(tzinfo=UTC) + _KEPT
        used = {"$ifNull": ["$used", 0]}
        total = {"$add": [used, units]}
        change = {"used": {"$cond": [{"$lte": [total, quota]}, total, used]}, "expires": {"$literal": ends}}
        with writing():
            found: Document | None = await self.client[self.database]["quotas"].find_one_and_update(
                {"_id": {"$eq": name}}, [{"$set": change}], upsert=True, return_document=ReturnDocument.BEFORE
            )
        return found
