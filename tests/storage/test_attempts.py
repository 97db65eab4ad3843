"""What the store says of a write that was tried more than once: `none` only where no attempt can have done it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from storage import driver
from storage.deadlines import wire_deadline
from storage.driver import Client, Driver
from storage.errors import Unavailable, writing
from tests.faults.relay import Peer, Relay, Relays
from tests.storage.conftest import directly

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


def peer(first: bytes, _near: int, _far: int) -> Peer:
    """Tell the connections that carry commands, which log in, from those by which the driver watches the store."""
    return "gateway" if b"speculativeAuthenticate" in first else "other"


@asynccontextmanager
async def connected(name: Driver, url: str, connections: int) -> AsyncIterator[tuple[Client, Relays, Relay]]:
    """Give a client of so many connections at most, and the relay before its store."""
    relays = Relays([urlsplit(url).port or 27017], peer)
    options: dict[str, Any] = {"maxPoolSize": connections, "maxConnecting": 1, "w": "majority", "retryWrites": True}
    with relays.running():
        client = driver.connect(name, directly(url, relays.all[0].port), **options)
        try:
            await asyncio.gather(*(client.admin.command("ping") for _ in range(connections)))
            yield client, relays, relays.all[0]
        finally:
            await driver.close(client)


async def outcome(client: Client, database: str, seconds: float, thing: int = 1) -> str:
    """Return what is said of the outcome of an insert that does not end well."""
    with pytest.raises(Unavailable) as raised, wire_deadline(seconds), writing():
        await client[database]["things"].insert_one({"_id": thing})
    return raised.value.outcome


async def test_c115_writes_whose_answers_are_lost_and_that_find_no_connection_then_are_unknown(
    driver: Driver, mongod_url: str, database: str
) -> None:
    """One of them connects in vain, the other waits for that: it is told that nothing was sent, of its last attempt."""
    async with connected(driver, mongod_url, 2) as (client, relays, relay):
        relays.do(lambda: relay.set(("gateway",), "muted"))
        asked = asyncio.gather(*(outcome(client, database, 1.0, thing) for thing in range(2)))
        with MongoClient[dict[str, object]](mongod_url) as direct:
            while direct[database]["things"].count_documents({}) < 2:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.01)
        relays.do(lambda: relay.set(("gateway",), "held"))
        assert await asked == ["unknown", "unknown"]


async def test_c115_a_write_that_never_found_a_connection_was_not_done(
    driver: Driver, mongod_url: str, database: str
) -> None:
    async with connected(driver, mongod_url, 1) as (client, relays, relay):
        relays.do(lambda: relay.set(("gateway",), "muted"))
        sent, waiting = await asyncio.gather(outcome(client, database, 0.5, 0), outcome(client, database, 0.3, 1))
        assert (sent, waiting) == ("unknown", "none")


async def test_c115_a_write_that_is_not_allowed_was_not_done(driver: Driver, mongod_url: str) -> None:
    async with connected(driver, mongod_url, 1) as (client, _, _):
        assert await outcome(client, "local", 1) == "none"
