"""Storing many customers at once, and telling how far it is: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from app.cli.session import ERR
from storage.documents import Customer
from storage.store import Store

_BATCH: Final = 1000
_IN_FLIGHT: Final = 3
_LINE_SECONDS: Final = 10.0

Tell = Callable[[str, int], None]
"""Takes what is being done and how much of it is done."""


async def load(store: Store, customers: Iterator[Customer], total: int) -> None:
    """Store customers, and make the indexes that are missing.

    Where the store has none yet they are made last, which takes a fraction of the time. Nobody is served
    from it then: a gateway makes them before its first request. An interruption leaves what is stored
    so far, and still makes them. Raises what `Customers.create_many` raises.
    """
    last = "customers.terms" in await store.missing_indexes()
    if not last:
        await store.ensure_indexes()
    with _telling(total) as tell:
        try:
            await _store(store, customers, tell)
        finally:
            if last:
                await _waiting(store.ensure_indexes(), tell)


async def _store(store: Store, customers: Iterator[Customer], tell: Tell) -> None:
    """Store batches, each made while others are on their way; at the end, however it comes, none still is."""
    stored = 0
    batches = _batches(customers)

    async def send() -> None:
        nonlocal stored
        for batch in batches:
            await store.customers.create_many(batch)
            stored += len(batch)
            tell("customers", stored)

    senders = [asyncio.ensure_future(send()) for _ in range(_IN_FLIGHT)]
    try:
        await asyncio.gather(*senders)
    finally:
        batches.close()
        await asyncio.gather(*senders, return_exceptions=True)


def _batches(customers: Iterator[Customer]) -> Generator[list[Customer], None, None]:
    while batch := list(islice(customers, _BATCH)):
        yield batch


async def _waiting(work: Awaitable[object], tell: Tell) -> None:
    """Tell of the indexes every second until they are made."""
    task = asyncio.ensure_future(work)
    seconds = 0
    while not (await asyncio.wait({task}, timeout=1))[0]:
        seconds += 1
        tell("seconds for the indexes", seconds)
    await task


@contextmanager
def _telling(total: int) -> Iterator[Tell]:
    if not ERR.is_terminal:
        yield _lines(total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR) as progress:
        yield _bars(progress, total)


def _bars(progress: Progress, total: int) -> Tell:
    tasks: dict[str, TaskID] = {}

    def tell(what: str, done: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=total if what == "customers" else None)
        progress.update(tasks[what], completed=done)

    return tell


def _lines(total: int) -> Tell:
    due = time.monotonic() + _LINE_SECONDS

    def tell(what: str, done: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _LINE_SECONDS
            ERR.print(f"{done} of {total} {what}" if what == "customers" else f"{done} {what}", highlight=False)

    return tell
