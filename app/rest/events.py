"""GET /customer-events: the change feed as server-sent events."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.http.event_source import EventSource, block
from app.http.heads import heads_of
from app.http.requests import base_url, path_of, request_id
from app.rest.call import Call
from app.rest.examples import ID
from app.rest.parameters import Parameter
from app.rest.shapes import UUID
from resolvers.commands import WatchCustomers
from resolvers.events import MOST_IDS, EventStream, watch_customers, watched_ids
from resolvers.problem import Problem
from resolvers.problems import INVALID_PARAMETER
from storage.changes import Change, ChangeType

TYPES: Final[dict[str, ChangeType]] = {
    "customer.created": "created",
    "customer.updated": "updated",
    "customer.deleted": "deleted",
}
EVENT_PARAMETERS: Final = (
    Parameter(
        "types",
        {"type": "string", "enum": list(TYPES)},
        "Only events of these types; several by repetition, or separated by commas.",
        repeatable=True,
        example=["customer.updated"],
    ),
    Parameter(
        "ids",
        UUID,
        f"Only events of these customers; several by repetition, or separated by commas. At most {MOST_IDS}, of which "
        "the length of a URI lets about 50 pass.",
        repeatable=True,
        example=[ID],
    ),
)


async def watch(call: Call) -> Response:
    """GET /customer-events."""
    command = WatchCustomers(
        ids=watched_ids(_texts(call, "ids")),
        types=tuple(_type(text) for text in _texts(call, "types")),
        after=heads_of(call.request.scope).text(b"last-event-id") or None,
    )
    stream = await watch_customers(call.ctx, command)
    return EventSource(call.request, call.ctx, _CustomerEvents(call.request, stream), "sse")


def _texts(call: Call, name: str) -> list[str]:
    return [text.strip() for value in call.parameters.every(name) for text in value.split(",")]


def _type(text: str) -> ChangeType:
    if text not in TYPES:
        raise Problem(INVALID_PARAMETER, f"types must be among {', '.join(TYPES)}.")
    return TYPES[text]


class _CustomerEvents:
    """Changes as events of REST."""

    def __init__(self, request: Request, stream: EventStream) -> None:
        self._request, self._stream = request, stream

    async def next(self, seconds: float) -> bytes:
        """Return what has changed, as much of it as is there."""
        return b"".join([_shown(change) for change in await self._stream.several(seconds)])

    @property
    def position(self) -> str:
        """The id after which the stream can go on."""
        return self._stream.position

    def ping(self, position: str) -> bytes:
        """Return a comment, and the id up to which the reader has missed nothing, though it was told of nothing."""
        return f": ping\nid: {position}\n\n".encode()

    def reconnect(self, position: str) -> bytes:
        """Return the event that tells the reader to come again."""
        return block(event="reconnect", data=b"{}", position=position)

    def last(self, problem: Problem) -> bytes:
        """Return the event that tells why it ends."""
        members = problem.members(base_url(self._request), request_id(self._request))
        return block(event="problem", data=orjson.dumps({**members, "instance": path_of(self._request)}))

    def renewed(self) -> None:
        """Learn that the context has another caller."""
        self._stream.renewed()

    async def aclose(self) -> None:
        """End the watch."""
        await self._stream.aclose()


def _shown(change: Change) -> bytes:
    return _block(change.id, change.type, change.timestamp, change.customer_id, change.version, change.changed)


@lru_cache(maxsize=1024)
def _block(key: str, kind: str, when: str, customer: str, version: int, changed: tuple[str, ...]) -> bytes:
    """Return the event of a change, written once for all who watch: no values of the customer."""
    told = {"customerId": customer, "version": version, "changed": changed}
    name = f"customer.{kind}"
    body = {"id": key, "type": name, "timestamp": when, "data": told}
    return block(event=name, data=orjson.dumps(body), position=key)
