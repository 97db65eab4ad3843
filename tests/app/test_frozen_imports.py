"""A worker that is frozen in the middle of a batch of an import, and goes on after another one has taken over."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from pymongo import MongoClient

from resolvers.held_imports import HeldImport
from resolvers.imports import CustomerImport, OnConflict, Ready, Result, Rules
from storage import jobs
from storage.bulk import Bulk
from storage.deadlines import wire_deadline
from storage.documents import Customer, Instant
from storage.driver import Session
from storage.errors import LeaseLost
from storage.jobs import Holder, JobId
from storage.store import Store
from tests import factories
from tests.app.rest.test_operations import CUSTOMERS
from tests.app.test_files import many
from tests.commands import children_of, serving, until
from tests.harness import make_key
from tests.storage.test_jobs import job

SEED = bytes(16)
Moment = Literal["before", "lease", "written"]


@dataclass
class Worker:
    """A worker that imports a few lines, and stops where it is told to until it is let go."""

    store: Store
    name: str
    on_conflict: OnConflict
    stops: Moment | None = None
    session: Session | None = None
    results: list[Result] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    thawed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def holder(self) -> Holder:
        return Holder(JobId("one"), self.name)

    async def at(self, moment: Moment) -> None:
        if moment == self.stops and not self.reached.is_set():
            self.reached.set()
            await self.thawed.wait()

    async def work(self, *bodies: Any) -> list[Result]:
        """Take the operation, and import all lines as one batch."""
        with wire_deadline(20):
            assert await self.store.jobs.claim(self.name) is not None, "nobody holds it"
        async with self.store.jobs.session(self.holder) as session:
            importer = CustomerImport(self.store, Rules(SEED, self.on_conflict))
            ready = [importer.prepare(line, body) for line, body in enumerate(bodies, 1)]
            await self.at("before")
            await _Stopping(importer, session, self).store(ready, self.keep)
        return self.results

    async def keep(self, results: Sequence[Result], session: Session | None) -> None:
        await self.store.jobs.record_within(session, self.holder, {"done": len(results)})
        await self.at("lease")
        self.results = list(results)


@dataclass(frozen=True, slots=True)
class _Stopping(HeldImport):
    """An import that may stop when all is written and nothing is committed."""

    worker: Worker

    async def _write(self, batch: Any, session: Session) -> bool:
        written = await HeldImport._write(self, batch, session)
        await self.worker.at("written")
        return written


@asynccontextmanager
async def frozen(worker: Worker, *bodies: Any) -> AsyncIterator[asyncio.Task[list[Result]]]:
    """Let a worker begin, and give its task once it stands still."""
    task = asyncio.create_task(worker.work(*bodies))
    try:
        async with asyncio.timeout(20):
            await worker.reached.wait()
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, LeaseLost):
            await task


async def everybody(store: Store) -> list[Customer]:
    found = await Bulk.of(store).customers.find({}, {"_id": 0, "keys": 0}, sort=[("id", 1)]).to_list(None)
    return cast("list[Customer]", found)


@pytest.mark.parametrize("moment", ["before", "lease", "written"])
@pytest.mark.parametrize("on_conflict", ["fail", "update"])
async def test_who_was_frozen_stores_nothing_once_another_worker_has_taken_over(
    store: Store, monkeypatch: pytest.MonkeyPatch, moment: Moment, on_conflict: OnConflict
) -> None:
    """Neither what others have changed or erased since is undone, nor does the other worker wait for the frozen one."""
    monkeypatch.setattr(jobs, "LEASE_SECONDS", 0.0)
    bodies = [factories.customer() for _ in range(4)]
    importer = CustomerImport(store, Rules(SEED))
    there = importer.prepare(99, {**bodies[0], "lastName": "Earlier"}).customer
    await store.customers.create(there)
    await store.jobs.create(job("one"))
    first = Worker(store, "a", on_conflict, moment)
    async with frozen(first, *bodies) as slow:
        second = await Worker(store, "b", on_conflict).work(*bodies)
        met = "updated" if on_conflict == "update" else "conflict"
        assert [_told(one) for one in second] == [met, "created", "created", "created"]
        changed, erased = (await everybody(store))[:2]
        now = Instant("2040-01-01T00:00:00.000Z")
        await store.customers.replace({**changed, "lastName": "Since", "version": 9}, version=changed["version"])
        assert await store.customers.delete(erased["id"], version=erased["version"], deleted_at=now)
        before = await everybody(store)
        first.thawed.set()
        with pytest.raises(LeaseLost):
            await slow
    assert await everybody(store) == before


def _told(result: Result) -> str:
    return result.outcome if isinstance(result.outcome, str) else result.outcome.type.slug


async def test_a_batch_is_stored_with_its_place_or_not_at_all(store: Store) -> None:
    """Who takes over never stores again what was stored, so it does not undo what others have made of it."""
    await store.jobs.create(job("one"))
    worker = Worker(store, "a", "update")
    await worker.work(factories.customer(), factories.customer())
    kept = await store.jobs.get(JobId("one"), "me")
    assert kept is not None
    assert kept["done"] == len(await everybody(store)) == 2

    async def failing(_results: Sequence[Result], _session: Session | None) -> None:
        raise RuntimeError("the place cannot be kept")

    importer = CustomerImport(store, Rules(bytes(range(16))))
    ready: list[Ready] = [importer.prepare(1, factories.customer())]
    async with store.jobs.session(worker.holder) as session:
        with pytest.raises(RuntimeError):
            await HeldImport(importer, session).store(ready, failing)
    assert len(await everybody(store)) == 2


async def test_two_lines_with_one_address_are_told_apart_within_a_batch(store: Store) -> None:
    await store.jobs.create(job("one"))
    body = factories.customer()
    bodies = [body, {**body, "lastName": "Second"}, {**body, "lastName": "Third"}, {**body, "lastName": "Third"}]
    results = await Worker(store, "a", "update").work(*bodies)
    assert [_told(one) for one in results] == ["created", "updated", "updated", "unchanged"]
    (stored,) = await everybody(store)
    assert (stored["lastName"], stored["version"]) == ("Third", 3)


@pytest.mark.slow
@pytest.mark.untraced
def test_an_import_whose_worker_is_stopped_is_taken_over_and_stays_as_the_other_one_left_it(
    tmp_path: Path, mongod_url: str, database: str
) -> None:
    settings: dict[str, Any] = {"mongodb_url": mongod_url, "mongodb_database": database, "rate_limit": "off"}
    key, bodies = make_key(mongod_url, database), many(6000)
    content = "".join(json.dumps(body) + "\n" for body in bodies)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with MongoClient[dict[str, Any]](mongod_url) as client, serving(tmp_path / "one", **settings) as first:
        stored = client[database]
        with first.client(key) as http:
            headers = {"Content-Type": "application/x-ndjson"}
            url = http.post(f"{CUSTOMERS}:import?onConflict=update", content=content, headers=headers).headers[
                "Location"
            ]
            until(lambda: stored.customers.count_documents({}) > 0, 20, "the first batch")
        processes = [first.process.pid, *children_of(first.process.pid)]
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert stored.operations.count_documents({"status": "running"}) == 1
            with serving(tmp_path / "two", **settings) as second, second.client(key) as http:
                until(lambda: http.get(url).json()["status"] != "running", 60, "the takeover")
                done = http.get(url).json()
                assert (done["status"], done["counts"]) == ("succeeded", {"created": len(bodies)})
                stored.customers.update_many({}, {"$set": {"lastName": "Since"}})
        finally:
            for pid in processes:
                os.kill(pid, signal.SIGCONT)
        with first.client(key) as http:
            until(lambda: "taken over an operation" in str(first.log()), 30, "what the stopped one says")
            assert http.get(url).json() == done
        assert stored.customers.count_documents({"lastName": "Since"}) == len(bodies)
