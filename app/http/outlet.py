"""The way out of a connection: what has left, and how it is closed."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
import termios
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

_RESET: Final = struct.pack("ii", 1, 0)


class Outlet(asyncio.Transport):
    """The transport as uvicorn sees it: counts what is written, and is closed in two steps where that is needed."""

    __slots__ = ("_is_read", "inner", "lingering", "written")

    def __init__(self, inner: asyncio.Transport, is_read: Callable[[], bool]) -> None:
        """Take a transport, and the protocol's method that tells whether all that the client sends was read."""
        self.inner = inner
        self.written = 0
        self.lingering = False
        self._is_read = weakref.WeakMethod(is_read)

    def write(self, data: Any) -> None:
        """Send bytes; nobody gets them where the connection has ended, of which uvloop would make an error."""
        self.written += len(data)
        if not self.inner.is_closing():
            self.inner.write(data)

    def is_closing(self) -> bool:
        """Tell whether nothing more can be answered."""
        return self.lingering or self.inner.is_closing()

    def close(self) -> None:
        """Close once everything was sent; where the client may still be sending, only this side of the connection.

        To close both would reset the connection, and the client might lose the answer (RFC 9112 section 9.6).
        """
        is_read = self._is_read()
        if self.is_closing() or is_read is None or is_read():
            self.inner.close()
            return
        self.lingering = True
        if self.inner.can_write_eof():
            self.inner.write_eof()

    def left(self) -> int:
        """Return how many bytes the client's side has taken.

        Without what the kernel still holds (where it tells), a slow reader would look like one that reads
        nothing for long, and then a megabyte at once.
        """
        held = self.inner.get_write_buffer_size()
        with suppress(OSError, ValueError):  # the other side may just have gone
            held += _held_by_kernel(self.inner.get_extra_info("socket").fileno())
        return self.written - held

    def reset(self) -> None:
        """End the connection so that the kernel keeps nothing of it either: no megabytes for who never reads."""
        with suppress(OSError):
            self.inner.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.inner.abort()


def _held_by_kernel(wire: int) -> int:
    if sys.platform != "linux":
        return 0
    return int.from_bytes(fcntl.ioctl(wire, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
