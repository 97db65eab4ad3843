"""The connection of a WebSocket: uvicorn's, which knows that an upgrade can be refused by an answer of HTTP."""

from __future__ import annotations

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, but for upgrades that were refused: the handshake of such a one has ended with its answer.

    uvicorn knows that only of those that were accepted or closed, and logs the others as errors of the application.
    """

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message of ASGI."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True
