"""GraphQL over server-sent events, in distinct connections mode: one operation, one stream.

Source: GraphQL over Server-Sent Events Protocol, Distinct connections mode.
"""

from __future__ import annotations

import orjson
from starlette.requests import Request

from app.graphql.answer import COMPLETE, as_json, result_body, told
from app.http.event_source import block
from resolvers.problem import Problem
from schema.subscriptions import Watching


class SubscriptionFeed:
    """The events of a subscription, each as the operation has asked for it."""

    def __init__(self, request: Request, watching: Watching) -> None:
        self._request, self._watching = request, watching

    async def next(self, seconds: float) -> bytes:
        """Return the results that are there."""
        return b"".join(
            [
                block(event="next", data=as_json(result_body(self._request, one.result)), position=one.change.id)
                for one in await self._watching.several(seconds)
            ]
        )

    @property
    def position(self) -> str:
        """The id after which the stream can go on."""
        return self._watching.stream.position

    def ping(self, position: str) -> bytes:  # noqa: ARG002 - the protocol has events with data alone
        """Return a comment that keeps the connection."""
        return b":\n\n"

    def reconnect(self, position: str) -> bytes:  # noqa: ARG002 - as for `ping`
        """Return nothing: a stream that ends without `complete` is one that its client opens again."""
        return b""

    def last(self, problem: Problem) -> bytes:
        """Return the problem that ends the stream, as a result."""
        return block(event="next", data=orjson.dumps({"errors": [told(self._request, problem)]})) + COMPLETE

    def renewed(self) -> None:
        """Learn that the context has another caller."""
        self._watching.renewed()

    async def aclose(self) -> None:
        """End the watch."""
        await self._watching.aclose()
