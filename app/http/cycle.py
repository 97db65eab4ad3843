"""A request and its answer on a connection: uvicorn's, with a short way out for answers whose length is told."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_CONTROLS: Final = bytes({*range(32), 127} - {9})
_EMPTY: Final = {204, 304}
"""Statuses of answers that have neither body nor length."""
_TOGETHER: Final = 65_536
"""Up to how many bytes a body leaves in one piece with its head."""
TRAILERS: Final = cast("list[tuple[bytes, bytes]]", deque[tuple[bytes, bytes]](maxlen=0))
"""Where trailers go: nothing reads them, and they must not turn up as headers (RFC 9110 section 6.5.1)."""


class Cycle(RequestResponseCycle):
    """Answers as uvicorn does; where the length is told, head and body leave together.

    uvicorn looks at every header several times. Here all are joined as they are, in lower case, and looked at
    together. Whatever is unusual (no length, `Connection`, a control character, a slow reader) is left to uvicorn.
    """

    _head: bytes | None = None  # what waits for its body

    async def send(self, message: Any) -> None:
        """Send a message of ASGI."""
        head, self._head = self._head, None
        if self.disconnected:
            return
        if head is None:
            if self.response_started or self.flow.write_paused or not self._hold(message):
                await super().send(message)
        elif message.get("more_body") or message["type"] != "http.response.body" or self.flow.write_paused:
            self.transport.write(head)
            await super().send(message)
        else:
            self._finish(head, message.get("body", b""))

    def _hold(self, message: Any) -> bool:
        """Keep a head until its body comes, and tell whether it is one that can wait and leave as it is."""
        if message["type"] != "http.response.start":
            return False
        status, headers = message["status"], [*self.default_headers, *message["headers"]]
        named = dict(headers)
        length = named.get(b"content-length")
        if (length is None and status not in _EMPTY) or b"connection" in named or b"transfer-encoding" in named:
            return False
        lines = b"\r\n".join(map(b": ".join, headers))
        if len(lines) - len(lines.translate(None, _CONTROLS)) != 2 * len(headers) - 2:
            return False
        end = b"\r\n\r\n" if self.keep_alive else b"\r\nconnection: close\r\n\r\n"
        self._head = STATUS_LINE[status] + lines + end
        self.response_started, self.waiting_for_100_continue = True, False
        self.chunked_encoding, self.expected_content_length = False, int(length or 0)
        return True

    def _finish(self, head: bytes, body: bytes) -> None:
        """Send a whole answer; without its body where only the head was asked for."""
        if self.scope["method"] == "HEAD":
            self.transport.write(head)
        elif len(body) != self.expected_content_length:
            raise RuntimeError("The answer's body is not as long as its head says.")
        elif len(body) <= _TOGETHER:
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            self.transport.write(body)
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
