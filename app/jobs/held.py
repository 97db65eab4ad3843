"""An operation in the hands of this worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from resolvers.audit import Entry, Outcome
from resolvers.context import Services
from resolvers.problem import Problem
from storage.chunks import ORPHANED
from storage.deadlines import wire_deadline
from storage.documents import instant
from storage.driver import Session
from storage.errors import LeaseLost, Unavailable
from storage.jobs import KEPT, LEASE_SECONDS, Ended, Holder, Job, JobError, JobKind
from storage.store import Store

CALL_SECONDS: Final = 30.0
"""How long the store may take over one step of the work."""
BEAT_SECONDS: Final = LEASE_SECONDS / 5
_NAMES: Final[Mapping[JobKind, str]] = MappingProxyType({"import": "importCustomers", "delete": "deleteCustomers"})
"""By which operation each was begun."""
_MARGIN: Final = 0.5
"""How many seconds before the end of a lease that could not be renewed the work ends."""


class Cancelled(Exception):
    """The operation's owner wants it to end; everything that was done is recorded."""


class Failed(Exception):
    """The operation cannot be done; the problem says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Held:
    """An operation that this worker holds, and what works on it."""

    services: Services
    job: Job
    worker: str

    @property
    def store(self) -> Store:
        """The open store."""
        return self.services.store

    @property
    def holder(self) -> Holder:
        """The operation and the worker."""
        return Holder(self.job["id"], self.worker)

    async def record(self, errors: Sequence[JobError] = (), **changes: Any) -> None:
        """Write what was done in one step. Raises `Cancelled`, `LeaseLost` and `Unavailable`."""
        now = instant(self.services.clock())
        with wire_deadline(CALL_SECONDS):
            if await self.store.jobs.record(self.holder, {**changes, "updatedAt": now}, errors):
                raise Cancelled

    async def record_within(self, session: Session | None, errors: Sequence[JobError], **changes: Any) -> None:
        """Do what `record` does as part of the transaction at hand, which stores nothing where this raises."""
        changes["updatedAt"] = instant(self.services.clock())
        if await self.store.jobs.record_within(session, self.holder, changes, errors):
            raise Cancelled

    def note(self, outcome: Outcome, customer: str = "", version: int = 0, changed: Iterable[str] = ()) -> None:
        """Put what became of a customer into the audit, as changed by who began the operation."""
        asked = self.job["task"]["asked"]
        who = (self.job["owner"], asked["kind"], asked["door"], _NAMES[self.job["kind"]])
        self.services.audit(Entry(*who, outcome, asked["requestId"], customer, version, tuple(changed)))

    async def end(self, status: Ended, errors: Sequence[JobError] = ()) -> None:
        """End the operation, and forget what it was sent. Raises `LeaseLost` and `Unavailable`."""
        chunks, job_id = self.store.chunks, self.job["id"]
        with wire_deadline(CALL_SECONDS):
            await chunks.keep(job_id, "payload", ORPHANED)  # should this worker end before it is dropped
            await chunks.keep(job_id, "refused", KEPT)
            if not await self.store.jobs.end(self.holder, status, instant(self.services.clock()), errors):
                raise LeaseLost
            await chunks.drop(job_id, "payload")

    async def release(self, seconds: float = 0.0) -> None:
        """Let another worker go on, after so many seconds; where the store is away, the lease ends by itself."""
        try:
            with wire_deadline(BEAT_SECONDS):
                await self.store.jobs.release(self.holder, seconds)
        except Unavailable:
            return

    async def keep(self) -> None:
        """Renew the lease; returns when it is lost."""
        end = time.monotonic() + LEASE_SECONDS
        while time.monotonic() < end - _MARGIN:
            await asyncio.sleep(BEAT_SECONDS)
            asked = time.monotonic()
            try:
                with wire_deadline(BEAT_SECONDS):
                    if not await self.store.jobs.renew(self.holder):
                        return
            except Unavailable:
                continue
            end = asked + LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class Working(Held):
    """An operation that this worker has begun, and the session in which it writes what it does.

    Who takes over ends what is open in that session.
    """

    session: Session
