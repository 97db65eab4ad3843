"""What a batch stages is stored at once or not at all, and what is said of it is true when the store falls silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from storage.bulk import Bulk
from storage.deadlines import wire_deadline
from storage.errors import Unavailable
from storage.staging import StagedCustomers
from storage.store import Store
from tests.storage.conftest import OpenStore, Wire, relayed
from tests.storage.test_customers import customer

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@dataclass
class CommitLoser(Wire):
    """A relay that cuts the connection instead of passing on the answers to the next `losses` commits."""

    losses: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection."""
        far_reader, far_writer = await asyncio.open_connection(*self.target)
        back = asyncio.create_task(self._back(far_reader, writer, lost := asyncio.Event()))
        while data := await reader.read(65536):
            if b"commitTransaction" in data and self.losses:
                self.losses -= 1
                lost.set()
            far_writer.write(data)
        far_writer.close()
        await back

    async def _back(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while (data := await source.read(65536)) and not lost.is_set():
            sink.write(data)
        sink.close()


@asynccontextmanager
async def losing(url: str, losses: int) -> AsyncIterator[tuple[CommitLoser, str]]:
    """Put a relay before a store that loses the answers to some commits; gives it and its address."""
    async with relayed(url) as (wire, address):
        loser = CommitLoser(wire.target, losses=losses)
        server = await asyncio.start_server(loser.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        yield loser, address.replace(f":{wire.port}", f":{port}")
        server.close()


async def staged_in(store: Store) -> StagedCustomers:
    """Return a new customer, staged."""
    staged = StagedCustomers(Bulk.of(store))
    await staged.create(customer())
    return staged


@pytest.mark.parametrize("losses", [1, 5])
async def test_a_commit_whose_answer_is_lost_is_sent_again_and_done_once(
    opened: OpenStore, mongod_url: str, losses: int
) -> None:
    async with losing(mongod_url, losses) as (loser, url), opened(url) as store:
        staged = await staged_in(store)
        with wire_deadline(3.0):
            assert await staged.store()
        assert loser.losses == 0
        assert await store.customers.count_all() == 1


async def test_a_commit_whose_answers_are_all_lost_has_an_unknown_outcome(opened: OpenStore, mongod_url: str) -> None:
    async with losing(mongod_url, 10_000) as (_, url), opened(url) as store:
        staged = await staged_in(store)
        with wire_deadline(1.5), pytest.raises(Unavailable) as raised:
            await staged.store()
        assert raised.value.outcome == "unknown"
        assert await store.customers.count_all() == 1


async def test_until_the_commit_is_sent_nothing_was_done(opened: OpenStore, mongod_url: str) -> None:
    async with relayed(mongod_url) as (wire, url), opened(url) as store:
        staged = await staged_in(store)
        wire.cut.set()
        with wire_deadline(0.3):
            assert not await staged.store()


async def test_what_is_staged_is_changed_and_erased_only_at_the_version_that_is_named(store: Store) -> None:
    one = customer()
    await store.customers.create(one)
    staged = StagedCustomers(Bulk.of(store))
    assert await staged.get(one["id"]) == one
    assert await staged.delete(one["id"], version=2, deleted_at=one["createdAt"]) is None
    assert not await staged.replace({**one, "version": 3}, version=2)
    assert not staged.writes
    assert await staged.replace({**one, "version": 2}, version=1)
    assert await staged.delete(one["id"], version=2, deleted_at=one["createdAt"])
    assert await staged.store()
    assert await store.customers.get(one["id"]) is None
