"""The opening handshake of a WebSocket: what is wrong with one that is none, told like any other malformed request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from websockets.exceptions import InvalidHeader, SecurityError
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol

from resolvers.problem import Problem
from resolvers.problems import HEADERS_TOO_LARGE, MALFORMED_REQUEST

VERSION: Final = 13
"""The version of the protocol that there is (RFC 6455)."""
_NONE: Final = "This is no opening handshake of a WebSocket (RFC 6455 section 4.2.1)"
_SWITCHING: Final = 101


def handshake_problem(method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Problem | None:
    """Return why the library that speaks WebSocket would not take a request; None where it takes it.

    It is asked itself, before the connection is its own: it answers in plain text.
    """
    asked = ServerProtocol(extensions=[ServerPerMessageDeflateFactory()])
    lines = [b"%s %s HTTP/1.1" % (method, target), *(b"%s: %s" % header for header in headers)]
    asked.receive_data(b"\r\n".join([*lines, b"", b""]))
    request = next(iter(asked.events_received()), None)
    if not isinstance(request, Request):
        return _unread(asked.handshake_exc)
    return None if asked.accept(request).status_code == _SWITCHING else _refused(asked.handshake_exc)


def _unread(error: Exception | None) -> Problem:
    if isinstance(error, SecurityError):
        return Problem(HEADERS_TOO_LARGE, "A handshake has at most 128 headers, of at most 8,192 bytes each.")
    return Problem(MALFORMED_REQUEST, f"{_NONE}.")


def _refused(error: Exception | None) -> Problem:
    """Return what is wrong by the name of the header; a version is told which one there is (RFC 6455 section 4.4)."""
    if not isinstance(error, InvalidHeader):
        return Problem(MALFORMED_REQUEST, f"{_NONE}.")
    return Problem(
        MALFORMED_REQUEST,
        f"{_NONE}: the header {error.name} is missing, or not what it must be.",
        extra={"webSocketVersion": VERSION},
    )
