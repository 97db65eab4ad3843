"""The driver's locks are given back by who holds them, whoever is cancelled meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from pymongo.lock import _async_cond_wait, _async_create_condition, _async_create_lock

from storage import driver  # noqa: F401 - mends the locks


@pytest.mark.parametrize("cancels", [1, 2, 3])
async def test_who_is_cancelled_while_waiting_for_a_primary_leaves_the_lock_to_who_has_it(cancels: int) -> None:
    lock = _async_create_lock()
    condition = _async_create_condition(lock)
    waits = asyncio.Event()

    async def wait() -> None:
        async with lock:
            waits.set()
            await _async_cond_wait(condition, 20)

    task = asyncio.create_task(wait())
    await waits.wait()
    await turns()
    async with lock:  # as whoever tells of a new primary
        for _ in range(cancels):
            task.cancel()
            await turns()
            assert lock.locked()
        assert not task.done(), "it ends with the lock in its hands, to give it back"
    with pytest.raises(asyncio.CancelledError):
        await task
    await turns()
    assert not lock.locked()


async def test_a_wait_whose_time_is_over_is_told_so_and_holds_the_lock() -> None:
    lock = _async_create_lock()
    condition = _async_create_condition(lock)
    async with lock:
        assert not await _async_cond_wait(condition, 0)
        assert lock.locked()
    assert not lock.locked()


async def turns() -> None:
    """Let everything that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)
