"""Long work in the event loop, in slices between which everybody else has a turn."""

from __future__ import annotations

import asyncio
import time
from typing import Final

_SLICE: Final = 0.004
"""Seconds of work in one go."""


class Turns:
    """Counts how long the work at hand has had the event loop to itself."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def give(self) -> None:
        """Let others have their turn where this slice is over; call it between small pieces of work."""
        if time.perf_counter() - self._since > _SLICE:
            await asyncio.sleep(0)
            self._since = time.perf_counter()
