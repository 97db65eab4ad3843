"""A small cache in memory that cannot grow beyond its bounds."""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import Any

from aiocache import SimpleMemoryCache


class BoundedCache(SimpleMemoryCache):  # type: ignore[misc]  # aiocache has no types
    """aiocache's memory cache with at most `maxsize` entries; the one not used longest goes first.

    aiocache's own has no bound, and would let strangers' keys fill the memory. Where clients choose how large the
    values are, `capacity` bounds what these take together, in bytes as Python holds them.
    """

    def __init__(self, maxsize: int, capacity: int | None = None, **options: Any) -> None:
        super().__init__(timeout=None, **options)  # memory needs none, and each would be a task of its own
        self._maxsize = maxsize
        self._capacity = capacity
        self._bytes = 0  # what has come since they were counted, with what has gone meanwhile
        self._cache: OrderedDict[str, Any] = OrderedDict()
        self.hits = self.misses = 0

    @property
    def entries(self) -> int:
        """How many entries there are."""
        return len(self._cache)

    async def _get(self, key: str, encoding: str = "utf-8", _conn: object = None) -> Any:  # noqa: ARG002
        if key in self._cache:
            self.hits += 1
            self._cache.move_to_end(key)
        else:
            self.misses += 1
        return self._cache.get(key)

    async def _clear(self, namespace: str | None = None, _conn: object = None) -> Any:
        done = await super()._clear(namespace)
        self._cache = OrderedDict(self._cache)  # aiocache puts a plain dictionary there, which knows no order of use
        return done

    async def _set(
        self, key: str, value: Any, ttl: float | None = None, _cas_token: object = None, _conn: object = None
    ) -> Any:
        done = await super()._set(key, value, ttl=ttl, _cas_token=_cas_token, _conn=_conn)
        self._cache.move_to_end(key)
        while len(self._cache) > self._maxsize:
            self._drop_oldest()
        if self._capacity is not None:
            self._fit(value, self._capacity)
        return done

    def _fit(self, new: Any, capacity: int) -> None:
        """Drop the oldest until all values fit; they are counted only where they might not: most end by themselves."""
        self._bytes += sys.getsizeof(new)
        if self._bytes > capacity:
            self._bytes = sum(map(sys.getsizeof, self._cache.values()))
            while self._bytes > capacity:
                self._bytes -= sys.getsizeof(self._drop_oldest())

    def _drop_oldest(self) -> Any:
        oldest, value = self._cache.popitem(last=False)
        timer = self._handlers.pop(oldest, None)
        if timer is not None:
            timer.cancel()
        return value
