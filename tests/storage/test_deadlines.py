"""The moment at which waiting for the store ends, kept even where the driver does not keep it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from storage.deadlines import GRACE, HardEnd, deadline, seconds_left, wire_deadline
from storage.errors import Unavailable, reading, writing
from storage.reads import GatheredReads
from storage.store import Store

NEVER = 60.0


@pytest.mark.parametrize(("calling", "outcome"), [(reading, "none"), (writing, "unknown")])
async def test_c116_a_driver_that_overruns_is_cancelled_and_the_outcome_is_true(
    calling: Callable[[], AbstractContextManager[None]], outcome: str
) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable) as raised, wire_deadline(0.05), calling():
        await asyncio.sleep(NEVER)
    assert raised.value.outcome == outcome
    assert 0.05 + GRACE <= time.monotonic() - began < NEVER / 2
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.parametrize("calling", [reading, writing])
async def test_nothing_is_sent_once_the_time_is_over(calling: Callable[[], AbstractContextManager[None]]) -> None:
    with wire_deadline(0):
        await asyncio.sleep(0.01)
        with pytest.raises(Unavailable) as raised, calling():
            raise AssertionError("the driver was called")
    assert raised.value.outcome == "none"


async def test_a_cancellation_by_others_stays_one() -> None:
    async def call() -> None:
        with wire_deadline(NEVER), reading():
            await asyncio.sleep(NEVER)

    task = asyncio.ensure_future(call())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_whoever_is_told_to_end_in_the_midst_of_a_call_ends(store: Store) -> None:
    """At whichever turn of the loop that comes: `asyncio.wait_for` of Python 3.11 keeps it to itself at one of them."""

    async def call() -> None:
        while True:  # as loops do that end only when they are told
            await store.ping()

    await store.ping()
    for turns in range(40):
        task = asyncio.ensure_future(call())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,), timeout=20)
        assert task.cancelled(), turns
    gc.collect()  # the driver leaves sockets open whose connecting was cancelled; here they may be found


async def test_of_two_deadlines_the_earlier_one_counts_and_the_outer_one_comes_back() -> None:
    assert deadline() is None
    with wire_deadline(5):
        outer = deadline()
        with wire_deadline(NEVER):
            assert deadline() == outer
        with wire_deadline(1):
            assert 0 < (seconds_left() or 0) <= 1
        assert deadline() == outer
    assert seconds_left() is None


async def test_an_end_waits_on_as_long_as_there_is_more() -> None:
    more = [0.01, 0.01, 0.0]
    end = HardEnd(0.01, lambda: more.pop(0))
    with pytest.raises(asyncio.CancelledError) as raised:
        await asyncio.sleep(NEVER)
    assert end.over(raised.value)
    assert more == []


async def test_an_earlier_end_behind_a_later_one_is_not_missed() -> None:
    waiting = asyncio.Event()

    async def read(_ids: list[str]) -> dict[str, int]:
        await waiting.wait()
        return {"a": 1}

    async def ask(seconds: float) -> int | None:
        with wire_deadline(seconds):
            return await reads.get("a")

    reads = GatheredReads(read)
    patient = asyncio.ensure_future(ask(NEVER))
    await asyncio.sleep(0)
    ended = await asyncio.gather(ask(0.05), ask(0.1), return_exceptions=True)
    assert all(isinstance(error, Unavailable) and error.outcome == "none" for error in ended)
    waiting.set()
    assert await patient == 1
    await reads.queue.close()
