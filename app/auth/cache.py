"""A small cache in memory that cannot grow beyond its bound."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from aiocache import SimpleMemoryCache


class BoundedCache(SimpleMemoryCache):  # type: ignore[misc]  # aiocache has no types
    """aiocache's memory cache with at most `maxsize` entries; the one not used longest goes first.

    aiocache's own has no bound, and would let strangers' keys fill the memory.
    """

    def __init__(self, maxsize: int, **options: Any) -> None:
        super().__init__(timeout=None, **options)  # memory needs none, and each would be a task of its own
        self._maxsize = maxsize
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
            oldest, _ = self._cache.popitem(last=False)
            timer = self._handlers.pop(oldest, None)
            if timer is not None:
                timer.cancel()
        return done
