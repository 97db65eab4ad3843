"""Many customers by one command, on both drivers: each one's own error, and what is found again."""

from __future__ import annotations

from app.cli.demo import demo_customers
from storage.bulk import Bulk, expired, prepare
from storage.documents import Instant, Tombstone
from storage.errors import Duplicate
from storage.facts import server_facts
from storage.query import EVERYTHING
from storage.store import Store


async def test_each_customer_has_its_own_outcome(store: Store) -> None:
    first, second, third = demo_customers(3)
    bulk = Bulk.of(store)
    assert await bulk.create_each([]) == []
    assert await bulk.create_each([prepare(first)]) == [None]
    taken = {**third, "email": first["email"].upper()}
    errors = await bulk.create_each([prepare(first), prepare(second), prepare(taken)])  # type: ignore[arg-type]
    assert [type(error) for error in errors] == [Duplicate, type(None), Duplicate]
    assert await bulk.find_by_emails([first["email"].upper(), third["email"]]) == {first["email"]: first}
    assert await bulk.find_by_ids([second["id"], third["id"]]) == {second["id"]: second}


async def test_the_most_parts_are_those_of_the_customer_who_has_most(store: Store) -> None:
    bulk = Bulk.of(store)
    assert await bulk.most_parts(EVERYTHING) == (1, 1)
    one, other = demo_customers(2)
    one["addresses"], other["phoneNumbers"] = one["addresses"][:1] * 3, other["phoneNumbers"][:1] * 4
    one["phoneNumbers"], other["addresses"] = one["phoneNumbers"][:1], other["addresses"][:1]
    await bulk.create_each([prepare(one), prepare(other)])
    assert await bulk.most_parts(EVERYTHING) == (3, 4)


async def test_tombstones_are_kept_for_thirty_days_and_read_in_order(store: Store) -> None:
    bulk = Bulk.of(store)
    ids = sorted(customer["id"] for customer in demo_customers(5))
    deleted = Instant("2026-01-01T00:00:00.000Z")
    stones: list[Tombstone] = [{"id": one, "version": 2, "deletedAt": deleted} for one in ids]
    for stone in stones:
        await bulk.create_tombstone(stone)
    assert await bulk.tombstones_after("", 3) == stones[:3]
    assert await bulk.tombstones_after(ids[2], 3) == stones[3:]
    assert await bulk.find_tombstones([stones[1]["id"]]) == {stones[1]["id"]: stones[1]}
    assert not expired(deleted, Instant("2026-01-30T23:59:59.999Z"))
    assert expired(deleted, Instant("2026-01-31T00:00:00.000Z"))


async def test_the_server_tells_its_version_its_set_and_its_clock(store: Store) -> None:
    facts = await server_facts(store)
    assert facts.version >= (6, 0)
    assert facts.replica_set
    assert abs(facts.ahead) < 60
    assert facts.free is not None
    assert facts.total is not None
    assert 0 < facts.free < facts.total
