"""The socket at which a gateway listens: how it comes to be, and how it ends without a connection that is reset."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from app.cli.session import fail
from app.settings import Settings

_BACKLOG: Final = 2048
_SO_ATTACH_FILTER: Final = 26
"""As Linux numbers it (socket(7)); Python has no name for it."""
_DROP_ALL: Final = struct.pack("HBBI", 0x06, 0, 0, 0)
"""The one instruction `ret #0` of the classic Berkeley Packet Filter: nothing is let through."""


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens at the settings' address; ends the command where that cannot be had.

    Clients that come before the server runs wait in its queue, so what is printed can be used at once.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        # asyncio and socket put their own words behind the system's.
        reason = (os.strerror(error.errno) if error.errno else "no such address").lower()
        cure = "choose another --port or GATEWAY_PORT, or another --host or GATEWAY_HOST"
        fail(f"cannot listen at {settings.host}:{settings.port} ({reason}): {cure}.")


def close_queue(listeners: Iterable[socket.socket]) -> None:
    """Let nobody connect any more; who has is still to be accepted. For the owner of the sockets, at its own end.

    Whoever connects between the last accept and the end of the socket would be reset by the system, with a request
    that may be on its way. So the socket hears nothing from here on: who tries meanwhile tries again a second later,
    and is refused, or served by the gateway that listens there then. It is deaf for good, in every process that has it.
    """
    for listener in listeners:
        with suppress(OSError):  # closed already, by the second signal say
            if sys.platform == "linux":
                _hear_nothing(listener)
            else:
                listener.listen(0)


def _hear_nothing(listener: socket.socket) -> None:
    program = ctypes.create_string_buffer(_DROP_ALL, len(_DROP_ALL))
    filtering = struct.pack("HP", 1, ctypes.addressof(program))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filtering)
