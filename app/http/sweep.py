"""One look at every connection about twice a second, instead of timers on each request."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a client may keep a connection waiting, in seconds; each may be overrun by one `sweep`."""

    head: float = 10.0
    """From the first byte of a head to its last, and from the connection to its first byte."""
    reader: float = 20.0
    """Over which a client that has an answer waiting for it must read `SLOWEST` bytes a second."""
    linger: float = 5.0
    """How long an answer may be read that was given before the request's body had come."""
    drain: float = 1.0
    """How long a connection on which nothing comes is kept at the end: a request may be on its way to it."""
    sweep: float = 0.5


class Watched(ABC):
    """A connection that the sweeper looks at."""

    @abstractmethod
    def check(self, now: float) -> None:
        """End what has waited too long; `now` is the loop's time."""


class Sweeper:
    """Looks at the connections of one server; runs only while there are any."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connections: Collection[object], seconds: float) -> None:
        self._loop, self._connections, self._seconds = loop, connections, seconds
        self._running = False

    def start(self) -> None:
        """Begin to look, unless it does."""
        if not self._running:
            self._running = True
            self._loop.call_later(self._seconds, self._sweep)

    def _sweep(self) -> None:
        self._running = False
        if self._connections:
            self.start()
        now = self._loop.time()
        for connection in [one for one in self._connections if isinstance(one, Watched)]:
            connection.check(now)


@dataclass(slots=True)
class Wait:
    """What a connection waits for, since when, and how many bytes had left it then."""

    reason: object = None
    since: float = 0.0
    left: int = 0

    def begin(self, reason: object, now: float, left: int) -> None:
        """Wait for something from now on."""
        self.reason, self.since, self.left = reason, now, left
