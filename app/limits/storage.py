"""What every place that counts has in common: the interface of `limits` for sliding windows, and no more of it."""

from __future__ import annotations

from abc import abstractmethod
from typing import NoReturn

from limits.aio.storage import SlidingWindowCounterSupport, Storage

State = tuple[int, float, int, float]
"""Units and seconds to live of the previous and of the present window, as `limits` has them."""


class WindowStorage(Storage, SlidingWindowCounterSupport):
    """A storage of `limits` for `SlidingWindowCounterRateLimiter` alone; fixed windows are not kept."""

    STORAGE_SCHEME = None

    @abstractmethod
    async def spend(self, key: str, limit: int, expiry: int, amount: int) -> tuple[bool, State]:
        """Spend `amount` of `limit` units in `expiry` seconds in one step; tell whether, and how it then stands.

        Where it is too much nothing is spent.
        """

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Spend as `spend` does, and tell only whether it was possible."""
        return (await self.spend(key, limit, expiry, amount))[0]

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """The errors of its own that it raises: none."""
        return ()

    async def check(self) -> bool:
        """Tell whether it can count: always."""
        return True

    async def incr(self, key: str, expiry: int, amount: int = 1) -> NoReturn:
        """Fixed windows are not kept."""
        raise NotImplementedError

    async def get(self, key: str) -> NoReturn:
        """Fixed windows are not kept."""
        raise NotImplementedError

    async def get_expiry(self, key: str) -> NoReturn:
        """Fixed windows are not kept."""
        raise NotImplementedError

    async def clear(self, key: str) -> NoReturn:
        """Fixed windows are not kept."""
        raise NotImplementedError

    async def reset(self) -> NoReturn:
        """Counts end by themselves."""
        raise NotImplementedError
