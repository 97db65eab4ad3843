"""Storing many customers at once, and telling how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Generator, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final

from app.cli.progress import Tell, telling_progress
from storage.bulk import Bulk, prepare
from storage.deadlines import wire_deadline
from storage.documents import Customer
from storage.errors import Duplicate
from storage.store import Store

_BATCH: Final = 1000
_IN_FLIGHT: Final = 3
_INDEX_SECONDS: Final = 3600.0


async def load(store: Store, customers: Iterator[Customer], total: int) -> int:
    """Store customers, make the indexes that are missing, and return how many were new.

    Where the store has none yet the indexes are made last, which takes a fraction of the time. Nobody is served
    from it then: a gateway makes them before its first request. An interruption leaves what is stored
    so far, and still makes them. Raises what `Bulk.create_each` raises.
    """
    last = "customers.terms" in await store.missing_indexes()
    if not last:
        await store.ensure_indexes()
    with telling_progress() as tell:
        try:
            return await _store(store, customers, total, tell)
        finally:
            if last:
                await _waiting(store.ensure_indexes(), tell)


@asynccontextmanager
async def indexes_last(store: Store, tell: Tell) -> AsyncIterator[None]:
    """Make what is missing of the indexes: the unique ones before the work inside, and the others after it.

    Where the store has them already they stay, and nothing is made afterwards.
    """
    last = "customers.terms" in await store.missing_indexes()
    await (Bulk.of(store).ensure_unique_indexes() if last else store.ensure_indexes())
    yield
    if last:
        with wire_deadline(_INDEX_SECONDS):
            await _waiting(store.ensure_indexes(), tell)


async def _store(store: Store, customers: Iterator[Customer], total: int, tell: Tell) -> int:
    """Store batches, each made while others are on their way; at the end, however it comes, none still is."""
    sent, new = 0, 0
    batches = _batches(customers)

    async def send() -> None:
        nonlocal sent, new
        for batch in batches:
            errors = await Bulk.of(store).create_each([prepare(customer) for customer in batch])
            for error in errors:
                if error is not None and not isinstance(error, Duplicate):
                    raise error
            sent += len(batch)
            new += errors.count(None)
            tell(f"{sent} customers", sent / total)

    senders = [asyncio.ensure_future(send()) for _ in range(_IN_FLIGHT)]
    try:
        await asyncio.gather(*senders)
    finally:
        batches.close()
        await asyncio.gather(*senders, return_exceptions=True)
    return new


def _batches(customers: Iterator[Customer]) -> Generator[list[Customer], None, None]:
    while batch := list(islice(customers, _BATCH)):
        yield batch


async def _waiting(work: Awaitable[object], tell: Tell) -> None:
    """Tell of the indexes every second until they are made."""
    task = asyncio.ensure_future(work)
    seconds = 0
    while not (await asyncio.wait({task}, timeout=1))[0]:
        seconds += 1
        tell(f"making the indexes, {seconds} s", None)
    await task
