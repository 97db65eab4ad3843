"""Operations in the store: who holds them, what is written of them, what stays of them. Both drivers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.chunks import Chunks
from storage.documents import CustomerId, Instant, instant
from storage.erasing import Erasing, kept_filter
from storage.errors import LeaseLost
from storage.jobs import Holder, Job, JobId
from storage.query import EVERYTHING
from storage.store import Store
from tests.storage.test_customers import customer

NOW = Instant("2100-01-31T12:00:00.000Z")
LATER = Instant("2100-01-31T12:00:01.000Z")


def job(name: str, owner: str = "me", created: Instant = NOW) -> Job:
    """Return an operation that has just begun."""
    return {
        "id": JobId(name), "owner": owner, "kind": "delete", "status": "running", "done": 0, "total": None, "failed": 0,
        "counts": {}, "errors": [], "dryRun": False, "cancelRequested": False, "createdAt": created, "updatedAt": NOW,
        "attempts": 0, "task": {"filter": b""}, "position": {},
    }  # fmt: skip


async def test_an_operation_is_held_by_one_worker_until_its_lease_ends(store: Store) -> None:
    jobs = store.jobs
    await jobs.create(job("two", created=LATER))
    await jobs.create(job("one"))
    first, second = await jobs.claim("a"), await jobs.claim("b")
    assert first is not None
    assert second is not None
    assert (first["id"], second["id"], first["attempts"]) == ("one", "two", 1), "the oldest first"
    assert await jobs.claim("c") is None
    mine, others = Holder(JobId("one"), "a"), Holder(JobId("one"), "c")
    assert await jobs.renew(mine)
    assert not await jobs.renew(others)
    with pytest.raises(LeaseLost):
        await jobs.record(others, {"done": 9})
    assert not await jobs.end(others, "failed", NOW)
    assert await jobs.release(mine, seconds=60)
    assert await jobs.claim("c") is None, "not yet"
    assert await jobs.release(mine)
    again = await jobs.claim("c")
    assert again is not None
    assert (again["attempts"], again["done"]) == (2, 0)
    with pytest.raises(LeaseLost):
        await jobs.record(mine, {"done": 9})


async def test_what_is_recorded_is_one_step_and_tells_of_a_cancellation(store: Store) -> None:
    jobs = store.jobs
    await jobs.create(job("one"))
    await jobs.claim("a")
    holder = Holder(JobId("one"), "a")
    errors: Any = [{"line": n, "slug": "conflict", "detail": "", "faults": [], "fields": []} for n in range(150)]
    assert not await jobs.record(holder, {"done": 150, "position": {"line": 7}}, errors)
    found = await jobs.request_cancel(JobId("one"), "me", LATER)
    assert found is not None
    assert (found["cancelRequested"], found["done"], found["updatedAt"], found["attempts"]) == (True, 150, LATER, 0)
    assert [error["line"] for error in found["errors"]] == list(range(100))
    assert await jobs.record(holder, {"done": 151})
    assert await jobs.end(holder, "cancelled", LATER)
    ended = await jobs.request_cancel(JobId("one"), "me", Instant("2100-02-01T00:00:00.000Z"))
    assert ended is not None
    assert (ended["status"], ended["updatedAt"], "task" in ended) == ("cancelled", LATER, False)
    assert await jobs.claim("b") is None
    assert await jobs.count_running("me") == 0


async def test_only_the_owner_finds_an_operation(store: Store) -> None:
    for name, owner in (("one", "me"), ("two", "me"), ("three", "you")):
        await store.jobs.create(job(name, owner, LATER if name == "two" else NOW))
    assert [one["id"] for one in await store.jobs.newest("me", 10)] == ["two", "one"]
    assert [one["id"] for one in await store.jobs.newest("me", 1)] == ["two"]
    assert await store.jobs.get(JobId("three"), "me") is None
    assert await store.jobs.request_cancel(JobId("three"), "me", NOW) is None
    assert await store.jobs.count_running("you") == 1


async def test_files_are_kept_in_pieces_by_their_numbers(store: Store) -> None:
    chunks, one = store.chunks, JobId("one")
    for number, data in ((0, b"a"), (12, b"c"), (2, b"b"), (2, b"B")):
        await chunks.put(one, "refused", number, data)
    await chunks.put(one, "payload", 0, b"x")
    await chunks.put(JobId("two"), "refused", 1, b"y")
    assert [piece async for piece in chunks.all(one, "refused")] == [b"a", b"B", b"c"]
    assert (await chunks.get(one, "refused", 12), await chunks.get(one, "refused", 1)) == (b"c", None)
    await chunks.drop(one, "refused", since=3)
    assert [piece async for piece in chunks.all(one, "refused")] == [b"a", b"B"]
    assert await chunks.get(one, "payload", 0) == b"x"
    assert (await expiring(chunks, one))["payload"] < timedelta(days=1, seconds=1)
    await chunks.hold(one, "payload")
    await chunks.keep(one, "refused", timedelta(days=7))
    kept = await expiring(chunks, one)
    assert "payload" not in kept
    assert timedelta(days=6) < kept["refused"] < timedelta(days=7, seconds=1)


async def expiring(chunks: Chunks, job_id: JobId) -> dict[str, timedelta]:
    """Return in what time the files of an operation end by themselves."""
    found = await chunks._chunks.find({"_id": {"$regex": f"^{job_id}/"}, "expires": {"$exists": True}}).to_list(None)
    now = datetime.now(UTC)
    return {one["_id"].split("/")[1]: one["expires"].replace(tzinfo=UTC) - now for one in found}


async def test_customers_are_erased_and_counted_in_one_step_or_not_at_all(store: Store) -> None:
    people = [customer() for _ in range(3)]
    for person in people:
        await store.customers.create(person)
    ids = [CustomerId(person["id"]) for person in people]
    erasing = Erasing.of(store, kept_filter(EVERYTHING))
    found = await erasing.after(b"", 2)
    rest = await erasing.after(found.place, 2)
    assert sorted(found.ids + rest.ids) == sorted(ids)
    assert (await erasing.count(), await erasing.count(2)) == (3, 2)
    await store.jobs.create(job("one"))
    await store.jobs.claim("a")
    now = instant(datetime.now(UTC))
    with pytest.raises(LeaseLost):
        await erasing.erase(ids, now, Holder(JobId("one"), "b"))
    assert await store.customers.count_all() == 3
    erased = await erasing.erase(ids[:2], now, Holder(JobId("one"), "a"))
    assert sorted(erased) == sorted((person["id"], person["version"] + 1) for person in people[:2])
    assert await erasing.erase(ids[:2], now, Holder(JobId("one"), "a")) == []
    kept = await store.jobs.get(JobId("one"), "me")
    assert kept is not None
    assert (kept["done"], kept["counts"]) == (2, {"deleted": 2})
    stone = await store.customers.get_tombstone(ids[0])
    assert stone is not None
    assert (stone["version"], stone["deletedAt"]) == (people[0]["version"] + 1, now)
    assert await store.customers.get_tombstone(ids[2]) is None
