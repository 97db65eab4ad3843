"""How a serving process uses memory: when Python looks for garbage, and where large buffers lie."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypeAlias

Lifespan: TypeAlias = Callable[[Any], AbstractAsyncContextManager[Any]]
_THRESHOLDS: Final = (50_000, 10, 5)
"""After how many new objects it looks at these, after how many such looks at what they left, and then at everything.

So it looks at everything after 2.5 million that did not go by themselves.
Classes of plans refer to themselves, and have lived long when their document is let go. Looked for once in 100 million
objects they, and the documents, made a worker grow by 3 MB with each 10,000 requests whose documents were new.
"""
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
"""Parameters of mallopt(3), as glibc numbers them."""
_LARGE: Final = 1024 * 1024


def place_large_buffers() -> None:
    """Keep large buffers out of the heap, where the C library is glibc: they grow without a copy, and end at once.

    By itself glibc takes them into the heap once one has been freed. A body of 16 MiB that grows there is held twice
    while it is copied, and leaves a hole.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE)


def settled(lifespan: Lifespan) -> Lifespan:
    """Return a lifespan after whose start the collector leaves alone what is there then, and looks less often.

    Modules, schema and compiled code stay for good, so to go through them again and again finds nothing; and
    requests leave next to nothing that refers to itself, but for documents that were not seen before.
    """

    @asynccontextmanager
    async def lived(app: object) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            gc.collect()
            gc.freeze()
            gc.set_threshold(*_THRESHOLDS)
            yield state

    return lived
