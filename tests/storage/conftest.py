"""Stores that cannot be reached, or fall silent in the middle."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from storage.driver import Driver
from storage.store import Store, StoreOptions, open_store


@dataclass
class Wire:
    """A relay before the store; once it is cut, what clients send is taken and nothing is answered.

    Once it is mute, the store gets what clients send, and its answers are lost.
    """

    target: tuple[str, int]
    port: int = 0
    cut: asyncio.Event = field(default_factory=asyncio.Event)
    mute: asyncio.Event = field(default_factory=asyncio.Event)
    swallowed: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def reset(self) -> None:
        """Break all connections; new ones are relayed."""
        for writer in self.writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection."""
        far_reader, far_writer = await asyncio.open_connection(*self.target)
        self.writers.append(writer)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._relay(reader, far_writer, quiet=True))
                group.create_task(self._relay(far_reader, writer, quiet=False))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            far_writer.close()
            writer.close()

    async def _relay(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, quiet: bool) -> None:
        while data := await source.read(65536):
            if self.cut.is_set() and quiet:
                self.swallowed += len(data)
                continue
            if self.mute.is_set() and not quiet:
                continue
            sink.write(data)
            await sink.drain()
        sink.close()


OpenStore = Callable[[str], AbstractAsyncContextManager[Store]]


@pytest.fixture(params=["pymongo", "motor"])
def driver(request: pytest.FixtureRequest) -> Driver:
    """Each driver in turn."""
    chosen: Driver = request.param
    return chosen


@pytest.fixture
def opened(driver: Driver, database: str) -> OpenStore:
    """Opens a store at an address, with a deadline of one second."""

    @asynccontextmanager
    async def open_at(url: str) -> AsyncIterator[Store]:
        async with open_store(StoreOptions(url, database, driver, timeout=1.0)) as store:
            yield store
        gc.collect()  # the driver leaves sockets open that were never connected; here they may be found

    return open_at


def directly(url: str, port: int) -> str:
    """Return a store's address by way of another port, where no other member is looked for."""
    address = urlsplit(url)
    kept = [part for part in address.query.split("&") if part and not part.startswith("replicaSet")]
    user = f"{address.netloc.rpartition('@')[0]}@" if "@" in address.netloc else ""
    return f"mongodb://{user}127.0.0.1:{port}{address.path or '/'}?{'&'.join([*kept, 'directConnection=true'])}"


@asynccontextmanager
async def relayed(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """Put a relay before a store; gives it and its address."""
    address = urlsplit(url)
    wire = Wire((str(address.hostname), address.port or 27017))
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire, directly(url, wire.port)
    finally:
        server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await server.wait_closed()
