"""How a serving process lets Python look for garbage."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypeAlias

Lifespan: TypeAlias = Callable[[Any], AbstractAsyncContextManager[Any]]
_THRESHOLDS: Final = (50_000, 20, 100)


def settled(lifespan: Lifespan) -> Lifespan:
    """Return a lifespan after whose start the collector leaves alone what is there then, and looks less often.

    Modules, schema and compiled code stay for good, so to go through them again and again finds nothing; and
    requests leave next to nothing that refers to itself.
    """

    @asynccontextmanager
    async def lived(app: object) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            gc.collect()
            gc.freeze()
            gc.set_threshold(*_THRESHOLDS)
            yield state

    return lived
