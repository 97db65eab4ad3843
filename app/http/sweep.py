"""One look at every connection about twice a second, instead of timers on each request."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a client may keep a connection waiting, in seconds; each may be overrun by one `sweep`."""

    head: float = 10.0
    """From the first byte of a head to its last, and from the connection to its first byte."""
    reader: float = 20.0
    """Over which a client that has an answer waiting for it must read `SLOWEST` bytes a second."""
    linger: float = 5.0
    """How long an answer may be read that was given before the request's body had come."""
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

    def lasts(self, reason: object, now: float, left: Callable[[], int] = int) -> float:
        """Return for how long the same reason has been given; a new one begins anew."""
        if reason is not self.reason:
            self.begin(reason, now, left())
        return now - self.since

    def begin(self, reason: object, now: float, left: int = 0) -> None:
        """Wait for something from now on."""
        self.reason, self.since, self.left = reason, now, left


def unacknowledged(transport: asyncio.Transport) -> int:
    """Return how many bytes the kernel still holds for the client; 0 where it does not tell.

    Without them a slow reader would look like one that reads nothing, and then a megabyte at once.
    """
    if sys.platform != "linux":
        return 0
    answer = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(answer, sys.byteorder)


_RESET: Final = struct.pack("ii", 1, 0)


def reset(transport: asyncio.Transport) -> None:
    """End a connection so that the kernel keeps nothing of it either: no megabytes for a client that never reads."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
