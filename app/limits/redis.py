"""Counting in Redis, for gateways on several machines; while Redis is away each machine counts on its own.

So an outage neither refuses nor frees anybody: with n machines at most n times the limit passes.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import structlog
from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.bridge import RedisBridge
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.limits.storage import State
from app.limits.table import SharedTable

T = TypeVar("T")
RETRY_SECONDS: Final = 5.0
"""How long Redis is left alone after it did not answer."""
_CONNECT_SECONDS: Final = 0.5
_ANSWER_SECONDS: Final = 0.25
_CONNECTIONS: Final = 32
_PREFIX: Final = "customer-gateway"
_SPEND: Final = f"""
local function acquire(KEYS, ARGV)
{RedisBridge.SCRIPT_ACQUIRE_SLIDING_WINDOW.decode()}
end
local function look(KEYS, ARGV)
{RedisBridge.SCRIPT_SLIDING_WINDOW.decode()}
end
local passed = acquire(KEYS, ARGV)
local state = look(KEYS, {{ARGV[2]}})
return {{passed and 1 or 0, state[1] or 0, state[2], state[3] or 0, state[4]}}
"""
_AWAY: Final = "Redis does not answer: each machine counts its limits on its own until it does"
_BACK: Final = "Redis answers again: all machines count their limits together"


class SharedRedis(RedisStorage):
    """The Redis storage of `limits`, with spending and looking in one round trip instead of two."""

    def __init__(self, pool: BlockingConnectionPool) -> None:
        super().__init__("redis://", implementation="redispy", key_prefix=_PREFIX, connection_pool=pool)  # type: ignore[arg-type]
        self._spend = Redis(connection_pool=pool).register_script(_SPEND)

    async def spend(self, key: str, limit: int, expiry: int, amount: int) -> tuple[bool, State]:
        """Spend in one step of Redis, by the scripts of `limits`."""
        names = self._previous_window_key(key), self._current_window_key(key)
        keys = [self.bridge.prefixed_key(name) for name in names]
        passed, previous, previous_ms, current, current_ms = map(int, await self._spend(keys, [limit, expiry, amount]))
        return bool(passed), (previous, max(0, previous_ms) / 1000, current, max(0, current_ms) / 1000)


class RedisOrTable:
    """Counts in `redis` while it answers, else in `table`; said once in the log, and once when that is over.

    After a failure nobody waits for Redis for `RETRY_SECONDS`; then one request tries it for all.
    """

    def __init__(self, redis: SharedRedis, table: SharedTable, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._table = table
        self._clock = clock
        self._away = False
        self._again = 0.0

    async def spend(self, key: str, limit: int, expiry: int, amount: int) -> tuple[bool, State]:
        """Spend where the counts are now."""
        return await self._ask(lambda storage: storage.spend(key, limit, expiry, amount))

    async def get_sliding_window(self, key: str, expiry: int) -> State:
        """Return units and seconds to live of the previous and of the present window."""
        return await self._ask(lambda storage: storage.get_sliding_window(key, expiry))

    async def _ask(self, question: Callable[[SharedRedis | SharedTable], Awaitable[T]]) -> T:
        if self._away:
            if self._clock() < self._again:
                return await question(self._table)
            self._again = self._clock() + RETRY_SECONDS
        try:
            answer = await question(self._redis)
        except (RedisError, OSError, TimeoutError) as error:
            self._lost(error)
            return await question(self._table)
        if self._away:
            self._away = False
            structlog.get_logger().info(_BACK)
        return answer

    def _lost(self, error: Exception) -> None:
        self._again = self._clock() + RETRY_SECONDS
        if not self._away:
            self._away = True
            structlog.get_logger().warning(_AWAY, error=type(error).__qualname__)


def connections(url: str) -> BlockingConnectionPool:
    """Return connections to the Redis at `url`, none of them made yet, that give up soon."""
    return BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),  # a second try after a lost answer would spend twice
    )


@asynccontextmanager
async def open_redis(url: str, table: SharedTable) -> AsyncIterator[RedisOrTable]:
    """Give a storage over the Redis at `url`, and close its connections at the end; Redis may be away."""
    pool = connections(url)
    try:
        yield RedisOrTable(SharedRedis(pool), table)
    finally:
        await pool.aclose()
