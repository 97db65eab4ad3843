"""What the store says when it cannot do what it is asked: in time, and the truth about the outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from storage.deadlines import wire_deadline
from storage.documents import CustomerId, new_id
from storage.errors import Unavailable
from storage.store import Store
from tests.storage.conftest import OpenStore, relayed
from tests.storage.test_customers import customer

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

Ask = Callable[[Store], Awaitable[object]]
DEADLINE, LATE = 1.0, 2.4
"""The deadline of these stores in seconds, and when an answer is too late."""

READS: dict[str, Ask] = {
    "get": lambda store: store.customers.get(CustomerId(new_id())),
    "tombstone": lambda store: store.customers.get_tombstone(CustomerId(new_id())),
    "ping": lambda store: store.ping(),
    "keys": lambda store: store.keys.list(),
}
WRITES: dict[str, Ask] = {
    "create": lambda store: store.customers.create(customer()),
    "replace": lambda store: store.customers.replace(customer(), version=1),
    "delete": lambda store: store.customers.delete(CustomerId(new_id()), version=1, deleted_at=customer()["createdAt"]),
    "indexes": lambda store: store.ensure_indexes(),
}


async def outcome(ask: Ask, store: Store) -> str:
    """Return the outcome that the store tells, and see that it comes in time."""
    began = time.monotonic()
    with pytest.raises(Unavailable) as raised:
        await ask(store)
    assert time.monotonic() - began < LATE
    return raised.value.outcome


async def test_c116_a_store_that_is_not_there_is_unavailable_in_time_and_nothing_was_done(
    opened: OpenStore, unused_tcp_port: int
) -> None:
    async with opened(f"mongodb://127.0.0.1:{unused_tcp_port}/?directConnection=true") as store:
        asks = [*READS.values(), *WRITES.values()]
        assert set(await asyncio.gather(*(outcome(ask, store) for ask in asks))) == {"none"}


async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take everything and answer nothing."""
    while await reader.read(65536):
        pass
    writer.close()


async def test_c116_a_store_that_never_answers_is_unavailable_in_time(opened: OpenStore) -> None:
    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with opened(f"mongodb://127.0.0.1:{port}/?directConnection=true") as store:
        asks = (READS["get"], WRITES["create"], WRITES["delete"])
        assert set(await asyncio.gather(*(outcome(ask, store) for ask in asks))) == {"none"}
    server.close()


async def test_c116_a_read_that_is_not_answered_ends_in_time_without_an_outcome(
    opened: OpenStore, mongod_url: str
) -> None:
    async with relayed(mongod_url) as (wire, url), opened(url) as store:
        await READS["get"](store)
        wire.cut.set()
        asks = (READS["get"], READS["tombstone"])
        assert set(await asyncio.gather(*(outcome(ask, store) for ask in asks))) == {"none"}


async def test_c116_a_write_that_is_sent_and_not_answered_has_an_unknown_outcome(
    opened: OpenStore, mongod_url: str
) -> None:
    async with relayed(mongod_url) as (wire, url), opened(url) as store:
        await store.customers.create(customer())
        wire.cut.set()
        assert await outcome(WRITES["create"], store) == "unknown"


async def test_c116_the_deadline_of_a_request_is_kept_where_it_is_shorter(opened: OpenStore, mongod_url: str) -> None:
    async with relayed(mongod_url) as (wire, url), opened(url) as store:
        await READS["get"](store)
        wire.cut.set()
        began = time.monotonic()
        with wire_deadline(0.1), pytest.raises(Unavailable):
            await READS["get"](store)
        assert time.monotonic() - began < DEADLINE


async def test_a_deadline_that_is_over_tells_the_truth(opened: OpenStore, mongod_url: str) -> None:
    async with opened(mongod_url) as store:
        await store.ping()
        made = customer()
        with wire_deadline(-1), pytest.raises(Unavailable) as raised:
            await store.customers.create(made)
        assert raised.value.outcome == "unknown" or await store.customers.get(made["id"]) is None


LOWERED = (
    "w=0", "w=1", "journal=false", "w=1&journal=false", "readConcernLevel=local", "readPreference=secondaryPreferred",
    "retryWrites=false", "wtimeoutMS=1", "timeoutMS=0", "w=0&journal=false&readConcernLevel=available",
)  # fmt: skip


async def test_c115_the_address_cannot_lower_what_is_promised(opened: OpenStore, mongod_url: str) -> None:
    for options in LOWERED:
        async with opened(with_options(mongod_url, options)) as store:
            database = store.client[store.database]
            for kept in (store.client, database, database["customers"], database["tombstones"], database["keys"]):
                concern = kept.write_concern.document
                assert (concern.get("w"), concern.get("j")) == ("majority", True)
                assert kept.read_concern.level == "majority"
                assert kept.read_preference.mongos_mode == "primary"
            assert store.client.options.retry_writes
            assert store.client.options.timeout == DEADLINE
            made = customer()
            await store.customers.create(made)
            assert await store.customers.get(made["id"]) == made


def with_options(url: str, options: str) -> str:
    """Return a store's address with more options."""
    if "?" in url:
        return f"{url}&{options}"
    return f"{url}{'' if url.count('/') > 2 else '/'}?{options}"
