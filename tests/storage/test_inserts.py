"""Creates that wait together are stored by one command, and each caller hears the truth about its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from storage.deadlines import seconds_left, wire_deadline
from storage.documents import Customer, CustomerId
from storage.driver import Driver
from storage.errors import DocumentTooLarge, Duplicate, Unavailable
from storage.mongod import acquire
from storage.mongod_files import Folder
from storage.query import EVERYTHING
from storage.store import Store, StoreOptions, open_store
from tests.storage.conftest import OpenStore, relayed
from tests.storage.test_customers import customer
from tests.storage.test_gather import until
from tests.wiretap import Command, recorder

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture
def commands(database: str) -> Iterator[list[Command]]:
    """Every command that is sent to the test's database."""
    with recorder().recording(database) as sent:
        yield sent


@pytest.fixture
async def heard(commands: list[Command], driver: Driver, mongod_url: str, database: str) -> AsyncIterator[Store]:
    """An empty store whose commands are recorded, and none so far."""
    async with open_store(StoreOptions(mongod_url, database, driver)) as store:
        await store.ensure_indexes()
        commands.clear()
        yield store


def inserts(commands: list[Command]) -> list[int]:
    """Return how many documents each insert had."""
    return [len(command["documents"]) for command in commands if "insert" in command]


async def created(store: Store, *customers: Customer) -> list[Any]:
    """Create customers at one moment; return None or the error of each."""
    return await asyncio.gather(*map(store.customers.create, customers), return_exceptions=True)


async def stored(store: Store, *customers: Customer) -> list[bool]:
    """Tell of each customer whether it is stored as it was sent."""
    return [await store.customers.get(one["id"]) == one for one in customers]


async def test_creates_of_one_moment_are_one_command_acknowledged_by_a_majority(
    heard: Store, commands: list[Command]
) -> None:
    made = [customer() for _ in range(16)]
    assert await created(heard, *made) == [None] * 16
    assert inserts(commands) == [16]
    (command,) = [command for command in commands if "insert" in command]
    assert (command["writeConcern"]["w"], command["writeConcern"]["j"]) == ("majority", True)
    assert command["ordered"] is False
    assert "txnNumber" in command  # so the driver may send it again, and it happens once
    assert await stored(heard, *made) == [True] * 16


async def test_a_create_alone_is_one_command(heard: Store, commands: list[Command]) -> None:
    await heard.customers.create(customer())
    assert [next(iter(command)) for command in commands] == ["insert"]


async def test_an_address_that_is_taken_is_one_callers_trouble_alone(store: Store) -> None:
    taken = customer()
    await store.customers.create(taken)
    good = [customer() for _ in range(6)]
    again = customer(id=good[5]["id"])
    same = customer(email=good[0]["email"].upper())
    results = await created(store, *good[:3], customer(email=taken["email"].upper()), *good[3:], again, same)
    errors = {number: result for number, result in enumerate(results) if result is not None}
    assert {number: type(error) for number, error in errors.items()} == dict.fromkeys((3, 7, 8), Duplicate)
    assert [errors[number].field for number in (3, 7, 8)] == ["keys.email", "id", "keys.email"]
    assert await stored(store, *good) == [True] * 6
    assert await store.customers.count(EVERYTHING) == 7


async def test_a_document_over_16_mebibytes_is_one_callers_trouble_alone(store: Store) -> None:
    good = [customer() for _ in range(4)]
    large = customer(middleName="x" * (17 * 1024 * 1024))
    results = await created(store, *good[:2], large, *good[2:])
    assert [type(result) for result in results] == [type(None), type(None), DocumentTooLarge, type(None), type(None)]
    assert await stored(store, *good) == [True] * 4


async def test_what_cannot_be_encoded_is_one_callers_trouble_alone(store: Store) -> None:
    good = [customer() for _ in range(2)]
    results = await created(store, good[0], customer(version=1 << 70), good[1])
    assert [type(result) for result in results] == [type(None), OverflowError, type(None)]
    assert await stored(store, *good) == [True] * 2


async def test_a_command_is_bounded_in_number_and_in_bytes(heard: Store, commands: list[Command]) -> None:
    assert await created(heard, *(customer() for _ in range(250))) == [None] * 250
    assert sorted(inserts(commands)) == [50, 100, 100]
    commands.clear()
    assert await created(heard, *(customer(state="x" * 1_500_000) for _ in range(5))) == [None] * 5
    assert sorted(inserts(commands)) == [1, 2, 2]


async def test_who_leaves_before_the_command_is_sent_has_stored_nothing_and_the_others_have(store: Store) -> None:
    made = [customer() for _ in range(5)]
    tasks = [asyncio.ensure_future(store.customers.create(one)) for one in made]
    await asyncio.sleep(0)
    tasks[2].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[2], asyncio.CancelledError)
    assert [results[number] for number in (0, 1, 3, 4)] == [None] * 4
    assert await stored(store, *made) == [True, True, False, True, True]


async def test_who_leaves_after_it_was_sent_ends_nobody_elses_create(
    opened: OpenStore, mongod_url: str, commands: list[Command]
) -> None:
    recorder()
    async with opened(mongod_url) as store:
        await store.ping()
        made = [customer() for _ in range(5)]
        tasks = [asyncio.ensure_future(store.customers.create(one)) for one in made]
        await until(lambda: inserts(commands) != [], 100_000)
        tasks[2].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results[2], asyncio.CancelledError)
        assert [results[number] for number in (0, 1, 3, 4)] == [None] * 4
        assert await stored(store, *made) == [True] * 5


async def test_c116_the_outcome_is_unknown_for_what_was_sent_and_none_for_what_was_not(
    opened: OpenStore, mongod_url: str
) -> None:
    """Two commands hang, so a third one gathers: its callers can be told that nothing was stored."""
    async with relayed(mongod_url) as (wire, url), opened(url) as store:
        await asyncio.gather(*(store.customers.create(customer()) for _ in range(250)))  # connections for both
        wire.cut.set()
        with wire_deadline(0.1):
            sent = [await hanging(store)]
        sent.append(await hanging(store))
        with wire_deadline(0.1):
            waiting = [asyncio.ensure_future(store.customers.create(customer())) for _ in range(3)]
            results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [outcome(result) for result in results] == ["none"] * 3
        assert [outcome(result) for result in await asyncio.gather(*sent, return_exceptions=True)] == ["unknown"] * 2


async def hanging(store: Store) -> asyncio.Task[None]:
    """Create a customer and return when it has left the queue."""
    task = asyncio.ensure_future(store.customers.create(customer()))
    await asyncio.sleep(0)
    await until(lambda: not store.customers._inserts.queue._waiting)
    return task


def outcome(result: object) -> str:
    assert isinstance(result, Unavailable)
    return result.outcome


async def test_a_deadline_that_is_over_sends_nothing(heard: Store, commands: list[Command]) -> None:
    with wire_deadline(0.0011):
        await until(lambda: (seconds_left() or 0) <= 0, 1_000_000)
        with pytest.raises(Unavailable) as raised:
            await heard.customers.create(customer())
    assert raised.value.outcome == "none"
    assert commands == []


TOLD = ("stored", "unknown", "none")


class Creating:
    """Creates customers without end, 16 at a time, and keeps what each was told."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.told: dict[CustomerId, str] = {}
        self.acknowledged = asyncio.Semaphore(0)

    async def run(self) -> None:
        """Create until cancelled."""
        await asyncio.gather(*(self._one_after_another() for _ in range(16)))

    async def _one_after_another(self) -> None:
        while True:
            made = customer()
            try:
                await self.store.customers.create(made)
            except Unavailable as error:
                self.told[made["id"]] = error.outcome
            else:
                self.told[made["id"]] = "stored"
                self.acknowledged.release()

    async def until_more(self, number: int) -> None:
        """Return once so many more were acknowledged."""
        async with asyncio.timeout(60):
            for _ in range(number):
                await self.acknowledged.acquire()


@pytest.mark.slow
async def test_killing_mongod_among_gathered_creates_loses_and_doubles_nothing(driver: Driver, tmp_path: Path) -> None:
    """Whatever is acknowledged is there once; what is told to be absent is; a Duplicate is never of one's own."""
    with acquire(tmp_path, timeout=60) as mongod:
        async with open_store(StoreOptions(mongod.url, "kills", driver)) as store:
            await store.ensure_indexes()
            creating = Creating(store)
            task = asyncio.create_task(creating.run())
            for _ in range(3):
                await creating.until_more(200)
                record = Folder(tmp_path).running()
                assert record is not None
                os.kill(record.mongod_pid, signal.SIGKILL)  # its keeper starts it again
            await creating.until_more(200)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            found = [one["id"] async for one in store.client["kills"]["customers"].find({}, {"id": 1})]
    told = {outcome: {one for one, said in creating.told.items() if said == outcome} for outcome in TOLD}
    print({outcome: len(ids) for outcome, ids in told.items()}, f"{len(found)} found")
    assert len(found) == len(set(found))
    assert told["stored"] <= set(found)
    assert not told["none"] & set(found)
