"""Doing operations: each worker takes what nobody holds, a few at a time, and hands over what it cannot end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from app.jobs.held import Cancelled, Failed, Held, Working
from app.observe.logs import failure_fields
from resolvers.context import Services
from resolvers.jobs import job_error
from resolvers.problem import Problem
from resolvers.problems import INTERNAL_ERROR
from storage.deadlines import wire_deadline
from storage.documents import new_id
from storage.errors import LeaseLost, StoreError
from storage.jobs import Ended, Job, JobError, JobKind

Work = Callable[[Working], Awaitable[None]]
"""Does an operation to its end, from where it stands."""
AT_ONCE: Final = 2
"""How many operations a worker does at the same time."""
POLL_SECONDS: Final = 2.0
"""How often a worker looks for operations whose worker is gone."""
MOST_ATTEMPTS: Final = 10
"""How many workers may begin an operation without getting any further."""
_PAUSE_SECONDS: Final = 2.0
_CLAIM_SECONDS: Final = 2.0


@dataclass(slots=True)
class Runner:
    """What this worker does of the operations, and what it counts of them."""

    services: Services
    works: Mapping[JobKind, Work]
    due: asyncio.Event
    """Set when there is something to do: it is looked for at once then."""
    worker: str = field(default_factory=new_id)
    running: Counter[JobKind] = field(default_factory=Counter)
    ended: Counter[tuple[JobKind, Ended]] = field(default_factory=Counter)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Take operations until cancelled; those under way are handed over then."""
        try:
            while True:
                self.due.clear()
                await self._take()
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self.due.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self) -> None:
        """Begin as many operations as there are and as there is room for."""
        while len(self._tasks) < AT_ONCE and (job := await self._claim()) is not None:
            task = asyncio.create_task(self._do(Held(self.services, job, self.worker)), name=f"operation {job['id']}")
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.due.set()

    async def _claim(self) -> Job | None:
        try:
            with wire_deadline(_CLAIM_SECONDS):
                return await self.services.store.jobs.claim(self.worker)
        except StoreError:
            return None  # asked again soon; that the store is away is told by /health/ready

    async def _do(self, held: Held) -> None:
        self.running[held.job["kind"]] += 1
        try:
            await self._end(held, *await self._outcome(held))
        except LeaseLost:
            structlog.get_logger().info("Another worker has taken over an operation", operation=held.job["id"])
        except StoreError:
            await held.release(_PAUSE_SECONDS)
        except asyncio.CancelledError:
            await held.release()
            raise
        except Exception as error:  # noqa: BLE001 - told in the log, tried again, and given up after some attempts
            structlog.get_logger().error("An operation failed", **failure_fields(error))
            await held.release(_PAUSE_SECONDS)
        finally:
            self.running[held.job["kind"]] -= 1

    async def _end(self, held: Held, status: Ended, errors: list[JobError]) -> None:
        await held.end(status, errors)
        self.ended[held.job["kind"], status] += 1

    async def _outcome(self, held: Held) -> tuple[Ended, list[JobError]]:
        """Do the work; return how it ended."""
        try:
            if held.job["cancelRequested"]:
                raise Cancelled
            if held.job["attempts"] > MOST_ATTEMPTS:
                raise Failed(Problem(INTERNAL_ERROR, "The operation was begun many times and came no further."))
            async with held.store.jobs.session(held.holder) as session:
                working = Working(held.services, held.job, held.worker, session)
                await _while_held(working, self.works[held.job["kind"]])
        except Cancelled:
            return "cancelled", []
        except Failed as error:
            return "failed", [job_error(error.problem)]
        return "succeeded", []


async def _while_held(held: Working, work: Work) -> None:
    """Do the work while the lease can be renewed. Raises what the work raises, and `LeaseLost`."""
    beat = asyncio.create_task(held.keep(), name="lease")
    doing = asyncio.ensure_future(work(held))
    try:
        await asyncio.wait((beat, doing), return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise LeaseLost
        await doing
    finally:
        for task in (beat, doing):
            task.cancel()
        await asyncio.gather(beat, doing, return_exceptions=True)


@asynccontextmanager
async def running_jobs(services: Services, works: Mapping[JobKind, Work], due: asyncio.Event) -> AsyncIterator[Runner]:
    """Do operations until the end of the block."""
    runner = Runner(services, works, due)
    task = asyncio.create_task(runner.run(), name="operations")
    try:
        yield runner
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
