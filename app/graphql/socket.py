"""GraphQL over WebSocket, by the protocol graphql-transport-ws.

Source: GraphQL over WebSocket Protocol (enisdenjo/graphql-ws, PROTOCOL.md).
"""

from __future__ import annotations

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from app.graphql.conversation import Conversation
from app.http.admission import CREDENTIALS, charge
from app.http.heads import heads_of
from app.http.origins import is_own
from app.http.problems import problem_response
from app.http.requests import base_url, state_of
from resolvers.problem import Problem
from resolvers.problems import ORIGIN_REFUSED


class GraphQLSocket:
    """The ASGI application for sockets at /graphql."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a socket, or refuse its upgrade with a problem."""
        scope["route_template"] = "/graphql"
        socket = WebSocket(scope, receive, send)
        try:
            await _admit(socket)
        except Problem as problem:
            await socket.send_denial_response(problem_response(socket, problem))
            return
        await Conversation(socket).run()


async def _admit(socket: WebSocket) -> None:
    """Let sockets pass that no other site's page has opened, within what an address may spend.

    Raises:
        Problem: origin-refused, rate-limited.
    """
    heads = heads_of(socket.scope)
    if not is_own(heads, state_of(socket).settings.cors_origins, lambda: base_url(socket)):
        raise Problem(ORIGIN_REFUSED, "A page of another site may not open this.", resource="origins")
    if not any(name in heads for name in CREDENTIALS):
        await charge(socket, None)
