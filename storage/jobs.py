"""The collection of operations: long work that a request began, and that any worker goes on with.

A worker holds an operation by a lease of `LEASE_SECONDS`, by the store's own clock, and renews it while it works. What
it does, and the place from which another one would go on, are one transaction, which writes the operation only where
the lease is still the worker's. So one that was frozen, and comes back after another has taken over, stores nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, NewType, NotRequired, TypedDict, cast

from pymongo import ReturnDocument

from storage import driver
from storage.documents import Instant, moment
from storage.driver import Client, Collection, Document, Session
from storage.errors import LeaseLost, reading, writing
from storage.transactions import end_abandoned

JobId = NewType("JobId", str)
JobKind = Literal["import", "delete"]
Status = Literal["running", "succeeded", "failed", "cancelled"]
Ended = Literal["succeeded", "failed", "cancelled"]

LEASE_SECONDS: Final = 5.0
"""After how long without a sign of life another worker takes over."""
KEPT: Final = timedelta(days=7)
"""How long an operation can be read after its end."""
MOST_ERRORS: Final = 100
"""How many errors an operation shows; of an import the report has all."""

_SHOWN: Final = {"_id": 0, "lease": 0, "expires": 0}
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FREE: Final[Document] = {"status": {"$eq": "running"}, "$expr": {"$lte": ["$lease.until", "$$NOW"]}}


class JobFault(TypedDict):
    """One fault in a line: where, as people write it and as a JSON Pointer, and what."""

    field: str
    pointer: str
    message: str


class JobError(TypedDict):
    """What became of a line that was refused, or of the whole operation (`line` None); no values of the line."""

    line: int | None
    slug: str
    detail: str
    faults: list[JobFault]
    fields: list[str]


class Job(TypedDict):
    """An operation. `task` says what is to be done, `position` how far it is: both are for the workers alone."""

    id: JobId
    owner: str
    kind: JobKind
    status: Status
    done: int
    total: int | None
    failed: int
    counts: dict[str, int]
    errors: list[JobError]
    dryRun: bool
    cancelRequested: bool
    createdAt: Instant
    updatedAt: Instant
    attempts: int
    task: NotRequired[Document]
    position: NotRequired[Document]


class Holder(NamedTuple):
    """An operation, and the worker that holds it."""

    job_id: JobId
    worker: str


@dataclass(frozen=True, slots=True)
class Jobs:
    """Reads and writes of operations; every method raises `Unavailable` where the store does not answer."""

    client: Client
    database: str

    @property
    def _jobs(self) -> Collection:
        return self.client[self.database]["operations"]

    async def create(self, job: Job) -> None:
        """Keep a new operation; the next worker that looks takes it."""
        with writing():
            await self._jobs.insert_one({**job, "lease": {"by": "", "until": _LONG_AGO}})

    async def insert(self, job: Job, session: Session) -> bool:
        """Keep a new operation as part of the transaction at hand; True, as it is kept."""
        await self._jobs.insert_one({**job, "lease": {"by": "", "until": _LONG_AGO}}, session=session)
        return True

    async def get(self, job_id: JobId, owner: str) -> Job | None:
        """Return an operation of its owner, or None."""
        with reading():
            found = await self._jobs.find_one({"id": {"$eq": job_id}, "owner": {"$eq": owner}}, _SHOWN)
        return cast("Job | None", found)

    async def newest(self, owner: str, limit: int) -> list[Job]:
        """Return the newest operations of an owner, the newest first."""
        with reading():
            cursor = self._jobs.find({"owner": {"$eq": owner}}, _SHOWN).sort([("createdAt", -1), ("id", -1)])
            return cast("list[Job]", await cursor.limit(limit).to_list(None))

    async def count_running(self, owner: str) -> int:
        """Return how many operations of an owner have not ended."""
        with reading():
            return await self._jobs.count_documents({"owner": {"$eq": owner}, "status": {"$eq": "running"}})

    async def request_cancel(self, job_id: JobId, owner: str, now: Instant) -> Job | None:
        """Ask an operation to end, unless it has; return it as it is then, None where there is none."""
        running = {"$eq": ["$status", "running"]}
        change = {
            "cancelRequested": {"$or": ["$cancelRequested", running]},
            "updatedAt": {"$cond": [running, {"$max": ["$updatedAt", {"$literal": now}]}, "$updatedAt"]},
        }
        with writing():
            found = await self._jobs.find_one_and_update(
                {"id": {"$eq": job_id}, "owner": {"$eq": owner}},
                [{"$set": change}],
                projection=_SHOWN,
                return_document=ReturnDocument.AFTER,
            )
        return cast("Job | None", found)

    async def claim(self, worker: str) -> Job | None:
        """Take the oldest operation that nobody holds, or None."""
        tried: list[JobId] = []
        while (found := await self._free(tried)) is not None:
            session = found["lease"].get("session")
            if session is not None:
                await end_abandoned(self.client, session)
            if (taken := await self._take(found["id"], worker)) is not None:
                return taken
            tried.append(found["id"])  # another worker was quicker
        return None

    async def _free(self, tried: Sequence[JobId]) -> Document | None:
        query = {**_FREE, **({"id": {"$nin": list(tried)}} if tried else {})}
        with reading():
            return await self._jobs.find_one(query, {"id": 1, "lease": 1}, sort=[("status", 1), ("createdAt", 1)])

    async def _take(self, job_id: JobId, worker: str) -> Job | None:
        taken = {"by": {"$literal": worker}, "until": _from_now(LEASE_SECONDS), "session": "$$REMOVE"}
        change = [{"$set": {"lease": taken, "attempts": {"$add": ["$attempts", 1]}}}]
        with writing():
            found = await self._jobs.find_one_and_update(
                {"id": {"$eq": job_id}, **_FREE}, change, projection=_SHOWN, return_document=ReturnDocument.AFTER
            )
        return cast("Job | None", found)

    @asynccontextmanager
    async def session(self, holder: Holder) -> AsyncIterator[Session]:
        """Give the session in which a worker writes what it does: who takes over ends what is open in it.

        Raises:
            LeaseLost: another worker has the operation.
        """
        async with driver.session(self.client) as opened:
            with writing():
                known = {"$set": {"lease.session": opened.session_id["id"]}}
                joined = await self._jobs.update_one(_held(holder), known)
            if joined.matched_count == 0:
                raise LeaseLost
            yield opened

    async def renew(self, holder: Holder) -> bool:
        """Hold an operation on; False where the worker has lost it."""
        return await self._lease(holder, {"lease.until": _from_now(LEASE_SECONDS)})

    async def release(self, holder: Holder, seconds: float = 0.0) -> bool:
        """Let any worker take an operation, after so many seconds; False where it was lost before."""
        return await self._lease(holder, {"lease.until": _from_now(seconds), "lease.session": "$$REMOVE"})

    async def _lease(self, holder: Holder, lease: Document) -> bool:
        with writing():
            return (await self._jobs.update_one(_held(holder), [{"$set": lease}])).matched_count == 1

    async def record(self, holder: Holder, changes: Mapping[str, Any], errors: Sequence[JobError] = ()) -> bool:
        """Write what was done in one step: members of `Job`, and more errors. Tells whether its owner wants it to end.

        Raises:
            LeaseLost: another worker has it.
        """
        with writing():
            return await self.record_within(None, holder, changes, errors)

    async def record_within(
        self, session: Session | None, holder: Holder, changes: Mapping[str, Any], errors: Sequence[JobError] = ()
    ) -> bool:
        """Do what `record` does as part of the transaction at hand, which then stores all of it or nothing."""
        update: Document = {"$set": {**changes, "attempts": 0}}
        if errors:
            update["$push"] = {"errors": {"$each": list(errors), "$slice": MOST_ERRORS}}
        found = await self._jobs.find_one_and_update(
            _held(holder), update, projection={"_id": 0, "cancelRequested": 1}, session=session
        )
        if found is None:
            raise LeaseLost
        return bool(found["cancelRequested"])

    async def end(self, holder: Holder, status: Ended, now: Instant, errors: Sequence[JobError] = ()) -> bool:
        """End an operation, and keep for a while what it shows; False where the worker has lost it."""
        update: Document = {
            "$set": {"status": status, "updatedAt": now, "expires": moment(now) + KEPT},
            "$unset": {"task": "", "position": "", "lease": ""},
        }
        if errors:
            update["$push"] = {"errors": {"$each": list(errors), "$slice": -MOST_ERRORS}}
        with writing():
            result = await self._jobs.update_one(_held(holder), update)
        return result.matched_count == 1


async def count_erased(jobs: Collection, holder: Holder, erased: int, session: Session) -> None:
    """Count customers that a transaction erases for an operation, in the same transaction. Raises `LeaseLost`."""
    change = {"$inc": {"done": erased, "counts.deleted": erased}}
    result = await jobs.update_one(_held(holder), change, session=session)
    if result.matched_count == 0:
        raise LeaseLost


def _held(holder: Holder) -> Document:
    return {"id": {"$eq": holder.job_id}, "status": {"$eq": "running"}, "lease.by": {"$eq": holder.worker}}


def _from_now(seconds: float) -> Document:
    """Return the moment in so many seconds by the store's clock, which all workers share."""
    return {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": int(seconds * 1000)}}
