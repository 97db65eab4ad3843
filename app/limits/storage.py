"""What every place that counts in sliding windows can do."""

from __future__ import annotations

from typing import Protocol

State = tuple[int, float, int, float]
"""Units and seconds to live of the previous and of the present window, as `limits` has them."""


class WindowStorage(Protocol):
    """Counts units in windows; a key stands for one limit of one caller."""

    async def spend(self, key: str, limit: int, expiry: int, amount: int) -> tuple[bool, State]:
        """Spend `amount` of `limit` units in `expiry` seconds in one step; tell whether, and how it then stands.

        Where it is too much nothing is spent.
        """

    async def get_sliding_window(self, key: str, expiry: int) -> State:
        """Return units and seconds to live of the previous and of the present window, zeros where there is none."""
