"""What REST's lists show of customers, kept while the gateway runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import orjson

from resolvers.renderings import TURN_SECONDS, Renderings, RenderMemory
from resolvers.selection import EVERYTHING_SHOWN
from storage.documents import Customer


@asynccontextmanager
async def open_renderings(most: int) -> AsyncIterator[RenderMemory | None]:
    """Give the memory for what lists show, of `most` bytes; None for 0."""
    if not most:
        yield None
        return
    memory = RenderMemory(most)
    turning = asyncio.create_task(_turn(memory), name="renderings")
    try:
        yield memory
    finally:
        turning.cancel()
        with suppress(asyncio.CancelledError):
            await turning


def renderings_of_rest(memory: RenderMemory | None) -> Renderings | None:
    """Return the renderings of REST's lists of whole customers."""
    return None if memory is None else memory.form(EVERYTHING_SHOWN, _rendered)


def _rendered(customer: Customer) -> tuple[bytes, int]:
    """Return a customer of a list as JSON: what was read for it, without the version."""
    return orjson.dumps({name: value for name, value in customer.items() if name != "version"}), 0


async def _turn(memory: RenderMemory) -> None:
    while True:
        await asyncio.sleep(TURN_SECONDS)
        memory.turn()
