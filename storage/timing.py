"""How long a request has waited for the store, for Server-Timing."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class StoreTime:
    """What one request has asked of the store.

    `seconds` are those in which it waited for at least one call, so they are never more than it took;
    `calls` are those that went out: of many that were gathered into one, that one.
    """

    seconds: float = 0.0
    calls: int = 0
    span: object = field(default=None, init=False)
    """Where a trace has the request, if there is a trace."""
    _open: int = field(default=0, init=False)
    _since: float = field(default=0.0, init=False)

    def begin(self) -> None:
        """Begin to wait."""
        if self._open == 0:
            self._since = time.perf_counter()
        self._open += 1

    def end(self) -> None:
        """End to wait, once for each beginning."""
        self._open -= 1
        if self._open == 0:
            self.seconds += time.perf_counter() - self._since


_CURRENT: ContextVar[StoreTime | None] = ContextVar("store_time", default=None)


_BATCH: ContextVar[Collection[StoreTime | None]] = ContextVar("batch", default=())


def asked_by(batch: Collection[StoreTime | None]) -> None:
    """Say for which requests the context at hand asks the store: for several where they were gathered."""
    _BATCH.set(batch)


def askers() -> Collection[StoreTime]:
    """Return the requests that wait for what the context at hand asks of the store."""
    own = _CURRENT.get()
    return [one for one in _BATCH.get() if one is not None] if own is None else (own,)


def current() -> StoreTime | None:
    """Return what the request at hand is measured by, if it is."""
    return _CURRENT.get()


def measure() -> StoreTime:
    """Sum up what is waited for the store from now on by the task at hand, and by tasks that it starts."""
    spent = StoreTime()
    _CURRENT.set(spent)
    return spent
