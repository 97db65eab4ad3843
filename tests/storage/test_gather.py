"""Reads that wait together go out as one, and each caller keeps what is its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from storage.errors import Unavailable
from storage.gather import GatheredReads


class Source:
    """A store that answers when it is let, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.values: dict[str, int] = {}
        self.open = asyncio.Event()
        self.open.set()

    async def read(self, ids: list[str]) -> Mapping[str, int]:
        """Answer as the values are when the read begins."""
        self.asked.append(ids)
        seen = {one: self.values[one] for one in ids if one in self.values}
        await self.open.wait()
        return seen


async def test_reads_of_one_moment_are_one_read_and_each_gets_its_own() -> None:
    source = Source()
    source.values = {"a": 1, "b": 2}
    reads = GatheredReads(source.read)
    assert await asyncio.gather(*(reads.get(key) for key in ("a", "b", "a", "c"))) == [1, 2, 1, None]
    assert source.asked == [["a", "b", "c"]]


async def test_a_read_never_joins_one_that_has_begun() -> None:
    source = Source()
    source.values = {"a": 1}
    source.open.clear()
    reads = GatheredReads(source.read)
    early = asyncio.ensure_future(reads.get("a"))
    await until(lambda: len(source.asked) == 1)
    source.values["a"] = 2
    late = asyncio.ensure_future(reads.get("a"))
    await until(lambda: len(source.asked) == 2)
    source.open.set()
    assert (await early, await late) == (1, 2)


async def test_at_most_two_batches_are_out_and_the_rest_gather() -> None:
    source = Source()
    source.open.clear()
    reads = GatheredReads(source.read)
    waiting = []
    for number in range(20):
        waiting.append(asyncio.ensure_future(reads.get(str(number))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert len(source.asked) == 2
    source.open.set()
    await asyncio.gather(*waiting)
    assert len(source.asked) == 3
    assert sorted(key for keys in source.asked for key in keys) == sorted(map(str, range(20)))


async def test_one_callers_end_leaves_the_others_waiting() -> None:
    source = Source()
    source.values = {"a": 1}
    source.open.clear()
    reads = GatheredReads(source.read)
    impatient = asyncio.ensure_future(reads.get("a"))
    patient = asyncio.ensure_future(reads.get("a"))
    await until(lambda: bool(source.asked))
    impatient.cancel()
    source.open.set()
    assert await patient == 1
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_a_failed_batch_fails_for_each_on_its_own_and_the_next_one_works() -> None:
    failing = True

    async def read(ids: list[str]) -> Mapping[str, int]:
        if failing:
            raise Unavailable("none")
        return dict.fromkeys(ids, 7)

    reads = GatheredReads(read)
    results = await asyncio.gather(reads.get("a"), reads.get("a"), reads.get("b"), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert len({id(result) for result in results}) == 3
    failing = False
    assert await reads.get("a") == 7


async def test_an_unexpected_error_reaches_those_who_wait() -> None:
    async def read(ids: list[str]) -> Mapping[str, int]:
        raise ZeroDivisionError(ids)

    with pytest.raises(ZeroDivisionError):
        await GatheredReads(read).get("a")


async def until(condition: object, turns: int = 1000) -> None:
    """Give way to other tasks until the condition holds."""
    assert callable(condition)
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not happen")
