"""Counting in a real Redis, and without it while it is away."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
import structlog
from limits import RateLimitItemPerMinute
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import Redis

from app.limits.redis import RETRY_SECONDS, RedisOrTable, SharedRedis, connections, open_redis
from app.limits.storage import State
from app.limits.table import SharedTable
from app.observe.logs import configure
from tests.app.limits.conftest import HandClock
from tests.app.limits.hammer import accepted
from tests.redis_server import RedisServer

KEY = "LIMITER/caller/abc/3/1/minute"


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """What a test opens is closed at its end."""
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged."""
    stream = io.StringIO()
    configure("info", stream)
    yield stream
    structlog.reset_defaults()


async def worker(stack: AsyncExitStack, url: str, clock: HandClock) -> RedisOrTable:
    """Open what one gateway counts in; `clock` says when Redis is tried again."""
    opened = await stack.enter_async_context(open_redis(url, SharedTable()))
    opened._clock = clock
    return opened


async def spend(storage: RedisOrTable, times: int, key: str = KEY) -> list[bool]:
    return [(await storage.spend(key, 3, 60, 1))[0] for _ in range(times)]


async def test_two_gateways_share_one_limit(redis_server: RedisServer, stack: AsyncExitStack, clock: HandClock) -> None:
    one, other = [await worker(stack, redis_server.url, clock) for _ in range(2)]
    assert await spend(one, 2) + await spend(other, 2) == [True, True, True, False]
    assert await one.spend("more", 10, 60, 4) == (True, (0, 0.0, 4, 120.0))
    passed, state = await other.spend("more", 10, 60, 7)
    assert not passed
    for previous, _, current, ends in (state, await other.get_sliding_window("more", 60)):
        assert (previous, current) == (0, 4)
        assert 100 < ends <= 120
    assert await other.get_sliding_window("nothing", 60) == (0, 0.0, 0, 0.0)


async def test_one_round_trip_spends_as_the_scripts_of_limits_do(
    redis_server: RedisServer, stack: AsyncExitStack, clock: HandClock
) -> None:
    storage = await worker(stack, redis_server.url, clock)
    limiter, item = SlidingWindowCounterRateLimiter(storage._redis), RateLimitItemPerMinute(5)
    for units in (2, 2):
        assert (await storage.spend(item.key_for("a"), 5, 60, units))[0]
    assert (await limiter.get_window_stats(item, "a")).remaining == 1
    assert await limiter.hit(item, "a")
    assert (await storage.spend(item.key_for("a"), 5, 60, 1))[0] is False


async def test_every_key_in_redis_has_our_prefix_and_an_end(
    redis_server: RedisServer, stack: AsyncExitStack, clock: HandClock
) -> None:
    await spend(await worker(stack, redis_server.url, clock), 1)
    async with Redis.from_url(redis_server.url) as client:
        names = await client.keys("*")
        assert names
        assert all(name.startswith(b"customer-gateway:") for name in names)
        assert [name for name in names if await client.pttl(name) < 0] == []


@pytest.mark.parametrize("outage", ["kill", "pause"])
async def test_c053_while_redis_is_away_the_machine_counts_on_and_says_so_once(
    redis_server: RedisServer, stack: AsyncExitStack, clock: HandClock, log: io.StringIO, outage: str
) -> None:
    storage = await worker(stack, redis_server.url, clock)
    assert await spend(storage, 4) == [True, True, True, False]
    redis_server.kill() if outage == "kill" else redis_server.pause()
    assert await spend(storage, 4) == [True, True, True, False]
    assert log.getvalue().count("Redis does not answer") == 1
    clock.now += RETRY_SECONDS
    assert await spend(storage, 4, "another") == [True, True, True, False]
    assert log.getvalue().count("Redis does not answer") == 1
    redis_server.start() if outage == "kill" else redis_server.resume()
    assert await spend(storage, 1, "a third") == [True]
    assert "answers again" not in log.getvalue()
    clock.now += RETRY_SECONDS
    assert await spend(storage, 1) == [outage == "kill"]  # a Redis that was killed has forgotten
    assert log.getvalue().count("Redis answers again") == 1


async def test_nobody_waits_for_a_dead_redis_while_it_is_left_alone(
    redis_server: RedisServer, stack: AsyncExitStack, clock: HandClock
) -> None:
    storage = await worker(stack, redis_server.url, clock)
    redis_server.pause()
    await spend(storage, 1)
    begun = time.monotonic()
    for number in range(200):
        await spend(storage, 1, str(number))
    assert time.monotonic() - begun < 200 * 0.25  # had each of them waited for an answer


class CountedRedis(SharedRedis):
    """A Redis storage that notes how often it is tried."""

    tries = 0

    async def spend(self, key: str, limit: int, expiry: int, amount: int) -> tuple[bool, State]:
        """Try, and note it."""
        self.tries += 1
        return await super().spend(key, limit, expiry, amount)


async def test_one_request_tries_redis_again_for_all(clock: HandClock) -> None:
    redis = CountedRedis(connections("redis://127.0.0.1:1"))
    storage = RedisOrTable(redis, SharedTable(), clock)
    tries = []
    for _ in range(3):
        await asyncio.gather(*(spend(storage, 1, str(number)) for number in range(20)))
        tries.append(redis.tries)
        clock.now += RETRY_SECONDS
    assert [later - tries[0] for later in tries] == [0, 1, 2]


@pytest.mark.parametrize("url", ["redis://:secret@127.0.0.1:1/0", "redis://:secret@[::1]:1"])
async def test_it_starts_without_redis(url: str, stack: AsyncExitStack, clock: HandClock, log: io.StringIO) -> None:
    storage = await worker(stack, url, clock)
    assert await spend(storage, 4) == [True, True, True, False]
    assert log.getvalue().count("Redis does not answer") == 1
    assert "secret" not in log.getvalue()


async def test_an_address_needs_no_port() -> None:
    async with open_redis("redis://localhost", SharedTable()) as storage:
        assert isinstance(storage, RedisOrTable)


async def test_a_redis_that_refuses_is_away_too(
    redis_server: RedisServer, stack: AsyncExitStack, clock: HandClock, log: io.StringIO
) -> None:
    async with Redis.from_url(redis_server.url) as client:
        await client.config_set("requirepass", "another")
    assert await spend(await worker(stack, redis_server.url, clock), 4) == [True, True, True, False]
    assert log.getvalue().count("Redis does not answer") == 1


def test_c052_of_ten_times_the_limit_two_gateways_on_one_redis_let_the_limit_pass(redis_server: RedisServer) -> None:
    counts = accepted("2000/minute", attempts=10_000, redis=redis_server.url)
    assert sum(counts) == pytest.approx(2000, rel=0.01)
