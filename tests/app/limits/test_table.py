"""The table counts as a sliding window counter does, for all workers together, in a memory of one size."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from app.limits.table import WAYS, SharedTable, table_file
from app.limits.windows import window_of
from tests.app.limits.conftest import HandClock
from tests.app.limits.hammer import ROOT, accepted
from tests.app.limits.model import Model

STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(1, 6)), max_size=60)


async def spent(table: SharedTable, key: str, limit: int, seconds: int, units: int = 1) -> bool:
    return (await table.spend(key, limit, seconds, units))[0]


@given(st.integers(1, 20), st.integers(1, 4), STEPS)
def test_it_counts_as_the_model_does(limit: int, seconds: int, steps: list[tuple[int, int, int]]) -> None:
    """Whoever spends, whenever (in eighths of a second, which floats hold exactly) and however much."""

    async def follow() -> None:
        clock = HandClock(0.0)
        table, models = SharedTable(slots=WAYS, clock=clock), [Model(limit, seconds) for _ in range(3)]
        for who, eighths, units in steps:
            clock.now += eighths / 8
            model, now = models[who], Fraction(clock.now)
            assert await spent(table, str(who), limit, seconds, units) is model.spend(now, units)
            previous, ends, current, _ = await table.get_sliding_window(str(who), seconds)
            assert previous * Fraction(ends) // seconds + current == model.weight(now)
        table.close()

    asyncio.run(follow())


async def test_it_counts_as_the_sliding_window_counter_of_limits_does(clock: HandClock) -> None:
    table, item = SharedTable(clock=clock), RateLimitItemPerMinute(3)
    model = SlidingWindowCounterRateLimiter(MemoryStorage())
    assert [await spent(table, "a", 3, 60) for _ in range(4)] == [await model.hit(item, "a") for _ in range(4)]
    assert not await spent(table, "b", 3, 60, 4)
    assert (await table.get_sliding_window("b", 60)) == (0, 0.0, 0, 0.0)
    clock.now += 90
    assert window_of(item, await table.get_sliding_window("a", 60)).left == 2


async def test_strangers_take_the_places_of_strangers_and_never_more_memory(clock: HandClock) -> None:
    table = SharedTable(slots=WAYS, clock=clock)
    assert await spent(table, "caller", 100, 60, 100)
    for number in range(1000):
        assert await spent(table, f"stranger {number}", 100, 60)
    assert not await spent(table, "caller", 100, 60)
    assert not await spent(table, "stranger 999", 100, 60, 100)
    assert await spent(table, "stranger 0", 100, 60, 100)


async def test_what_counts_no_more_makes_room_first(clock: HandClock) -> None:
    table = SharedTable(slots=WAYS, clock=clock)
    assert await spent(table, "old", 100, 10, 100)
    clock.now += 20
    for number in range(WAYS):
        assert await spent(table, f"new {number}", 100, 60)
    for number in range(WAYS):
        assert not await spent(table, f"new {number}", 100, 60, 100)


async def test_no_key_stands_in_the_table_and_no_two_tables_have_the_same_places() -> None:
    with table_file() as first, table_file() as second:
        for path in (first, second):
            table = SharedTable(path)
            await spent(table, "a-caller-with-a-name", 10, 60)
            table.close()
        found = [path.read_bytes() for path in (first, second)]
        assert b"a-caller" not in found[0]
        assert found[0] != found[1]


def test_the_file_is_its_owner_s_alone_and_nothing_is_left_of_it() -> None:
    with table_file() as path:
        assert path.stat().st_mode & 0o777 == 0o600
        size = path.stat().st_size
        table = SharedTable(path)
        table.close()
        assert path.stat().st_size == size
    assert not path.exists()


@pytest.mark.parametrize("half", [b"\xff" * 40, b"\x00" * 40, None], ids=["ones", "zeros", "noise"])
async def test_a_slot_written_by_half_is_no_harm(half: bytes | None) -> None:
    with table_file(WAYS) as path:
        table = SharedTable(path)
        held = (half or os.urandom(40)) * WAYS
        with path.open("r+b") as file:
            file.seek(64)
            file.write(held)
        assert [await spent(table, "a", 2, 60) for _ in range(3)] == [True, True, False]
        table.close()


async def test_a_worker_that_stands_still_with_the_lock_stops_nobody() -> None:
    with table_file() as path, path.open("r+b") as other:
        table = SharedTable(path)
        fcntl.flock(other, fcntl.LOCK_EX)
        assert [await spent(table, "a", 2, 60) for _ in range(3)] == [True, True, False]
        table.close()


_BUSY = """
import asyncio, sys
from pathlib import Path
from app.limits.table import SharedTable
async def spend():
    table = SharedTable(Path(sys.argv[1]))
    while True:
        await table.spend("busy", 10**9 - 1, 3600, 1)
asyncio.run(spend())
"""


async def busy_until(table: SharedTable, units: int, worker: subprocess.Popen[bytes]) -> None:
    while (await table.get_sliding_window("busy", 3600))[2] < units:
        assert worker.poll() is None


def test_workers_that_are_killed_at_any_point_leave_a_good_table() -> None:
    with table_file() as path:
        table = SharedTable(path)
        for number in range(8):
            with subprocess.Popen([sys.executable, "-c", _BUSY, str(path)], cwd=ROOT) as worker:
                before = asyncio.run(table.get_sliding_window("busy", 3600))[2]
                asyncio.run(busy_until(table, before + 500 * (number + 1), worker))
                worker.kill()
            for passes in (True, False):
                assert asyncio.run(spent(table, str(number), 1, 60)) is passes
        table.close()


def test_c052_of_ten_times_the_limit_two_workers_let_the_limit_pass() -> None:
    with table_file() as path:
        counts = accepted("20000/minute", attempts=100_000, table=path)
    assert sum(counts) == pytest.approx(20_000, rel=0.01)


def test_without_a_shared_table_each_worker_counts_alone(tmp_path: Path) -> None:
    counts = accepted("300/minute", attempts=1500, table=tmp_path / "not there")
    assert counts == [300, 300]
