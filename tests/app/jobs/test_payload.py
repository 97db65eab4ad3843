"""What an import was sent, read by a thread that asks the loop for each piece."""

from __future__ import annotations

import asyncio
import multiprocessing
from typing import BinaryIO

from app.cli.importing import FileJournal, Report
from app.http.body import parse_json
from app.jobs.payload import payload_at
from app.transfer.importing import ImportJob
from app.transfer.state import ImportState
from resolvers.imports import CustomerImport, Rules
from storage.jobs import JobId
from storage.store import Store, StoreOptions, open_store
from tests.faults.valve import Valve

JOB = JobId("0b0e9bb2-6f6f-4f3e-9d0c-5f9f3f6b7a11")
SEED = bytes(range(16))
_PATIENCE = 20.0


async def end_while_it_waits(valve: Valve, database: str) -> None:
    """Begin an import whose first piece does not come, and tell it to end."""
    async with open_store(StoreOptions(valve.url, database)) as store:
        await store.chunks.put(JOB, "payload", 0, b"{}\n")
        with valve.stopping("operation_chunks", "before") as stop:
            with payload_at(store.chunks, JOB) as file:
                work = asyncio.create_task(importing(store, file).run())
                assert await asyncio.to_thread(stop.reached.wait, _PATIENCE)
                work.cancel()
                await asyncio.wait({work})
            assert file.closed


def importing(store: Store, file: BinaryIO) -> ImportJob:
    """Return an import that keeps nothing of how far it is."""
    journal = FileJournal(None, Report(None), None, lambda *_: None)
    return ImportJob(file, parse_json, CustomerImport(store, Rules(SEED)), ImportState({}, SEED.hex()), journal)


def run(store_url: str, database: str) -> None:
    """Do that behind a relay."""
    valve = Valve(store_url)
    with valve.running():
        asyncio.run(end_while_it_waits(valve, database))


def test_an_import_that_is_told_to_end_while_it_waits_for_a_piece_lets_the_loop_go_on(
    mongod_url: str, database: str
) -> None:
    # A process of its own: a loop that stands still could be ended by nothing else.
    process = multiprocessing.get_context("spawn").Process(target=run, args=(mongod_url, database))
    process.start()
    process.join(_PATIENCE)
    process.kill()
    process.join()
    assert process.exitcode == 0
    process.close()
