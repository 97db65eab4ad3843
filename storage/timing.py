"""How long a request has waited for the store, for Server-Timing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class StoreTime:
    """What one request has waited for the store: seconds, summed over its calls."""

    seconds: float = 0.0
    calls: int = 0


_CURRENT: ContextVar[StoreTime | None] = ContextVar("store_time", default=None)


@contextmanager
def measured() -> Iterator[StoreTime]:
    """Sum up what is waited for the store inside the block, tasks that it starts included."""
    spent = StoreTime()
    token = _CURRENT.set(spent)
    try:
        yield spent
    finally:
        _CURRENT.reset(token)


@contextmanager
def waiting() -> Iterator[None]:
    """Count the block as one call of the store."""
    spent = _CURRENT.get()
    if spent is None:
        yield
        return
    began = time.perf_counter()
    try:
        yield
    finally:
        spent.seconds += time.perf_counter() - began
        spent.calls += 1
