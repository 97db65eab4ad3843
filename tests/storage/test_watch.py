"""A reader of changes that waits for the history, on a real store with either driver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from storage.history import History
from storage.store import Store
from storage.watch import MAX_WAITING
from tests.storage.test_changes import LONG, created, take
from tests.storage.test_customers import customer


@asynccontextmanager
async def every_turn(history: History) -> AsyncIterator[None]:
    """Let nobody ask the history, as many readers that come back together do."""
    turns = history._turns
    count = turns._value
    for _ in range(count):
        await turns.acquire()
    yield
    for _ in range(count):
        turns.release()


async def test_a_reader_that_waits_for_the_history_hears_a_call_and_the_clock(store: Store) -> None:
    """Else one who may read no more would be told so only when the store has answered."""
    async with store.changes.watch() as watch, store.changes.watch() as quick, AsyncExitStack() as held:
        heavy = [address | {"street1": LONG} for address in customer()["addresses"] * 50]
        made = [await created(store, addresses=heavy) for _ in range(MAX_WAITING // 15_000)]
        arrived = await take(quick, len(made))
        await held.enter_async_context(every_turn(store.changes.history))
        async with asyncio.timeout(20):
            assert await watch.next(0.01) is None
            called = asyncio.create_task(watch.next())
            await asyncio.wait((called,), timeout=0.01)
            assert not called.done()
            watch.rouse()
            assert await called is None
        await held.aclose()
        assert await take(watch, len(made)) == arrived


async def test_a_reader_that_leaves_while_it_waits_for_the_history_leaves_nothing_behind(store: Store) -> None:
    before = asyncio.all_tasks()
    async with store.changes.watch() as watch, store.changes.watch() as quick:
        heavy = [address | {"street1": LONG} for address in customer()["addresses"] * 50]
        made = [await created(store, addresses=heavy) for _ in range(MAX_WAITING // 15_000)]
        await take(quick, len(made))
        async with every_turn(store.changes.history):
            assert await watch.next(0.01) is None
            assert "watch history" in {task.get_name() for task in asyncio.all_tasks() - before}
            await watch.aclose()
            assert "watch history" not in {task.get_name() for task in asyncio.all_tasks() - before}
    assert store.changes.live.readers == 0
