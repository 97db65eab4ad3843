"""Reading streams of events as clients do: server-sent events, and GraphQL over WebSocket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
from pymongo import MongoClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from storage.keys import NewKey
from storage.store import StoreOptions, open_store
from tests.harness import Gateway

PROTOCOL = "graphql-transport-ws"
BRIEF = "subscription { customerChanged { id customerId type } }"


@dataclass
class Event:
    """One block of a stream: what its fields say, and its comments."""

    id: str = ""
    event: str = ""
    data: str = ""
    retry: str = ""
    comments: list[str] = field(default_factory=list)

    @property
    def json(self) -> Any:
        """What `data` holds."""
        return json.loads(self.data)


class Stream:
    """An open answer of server-sent events."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._blocks = self._read(response.iter_lines())
        self.first = next(self._blocks)

    def _read(self, lines: Iterator[str]) -> Iterator[Event]:
        block = Event()
        for text in lines:
            if not text:
                yield block
                block = Event()
                continue
            name, _, value = text.partition(":")
            if name:
                setattr(block, name, value.removeprefix(" "))
            else:
                block.comments.append(value)

    def next(self) -> Event:
        """Return the next event."""
        return next(block for block in self._blocks if block.event)

    def rest(self) -> list[Event]:
        """Return all events up to the stream's end, which must come within a minute: its heartbeats go on for ever."""
        latest, found = time.monotonic() + 60, []
        for block in self._blocks:
            assert time.monotonic() < latest, "the stream does not end"
            if block.event:
                found.append(block)
        return found


@contextmanager
def events(client: httpx2.Client, path: str = "/api/v1/customer-events", **options: Any) -> Iterator[Stream]:
    """Open a stream by GET, or by POST where there is a body; it has begun when it is given."""
    method = "POST" if "json" in options else "GET"
    headers = {"Accept": "text/event-stream", **options.pop("headers", {})}
    with client.stream(method, path, headers=headers, **options) as response:
        assert response.status_code == 200, response.read()
        yield Stream(response)


def revoke(gateway: Gateway, key: NewKey) -> None:
    """Revoke an API key."""

    async def run() -> None:
        async with open_store(StoreOptions(gateway.store_url, gateway.database)) as store:
            await store.keys.revoke(key.record.id, datetime.now(UTC))

    asyncio.run(run())


def narrow(gateway: Gateway, key: NewKey, *scopes: str) -> None:
    """Let an API key have other scopes."""
    with MongoClient[dict[str, Any]](gateway.store_url) as client:
        keys = client[gateway.database]["keys"]
        assert keys.update_one({"id": key.record.id}, {"$set": {"scopes": list(scopes)}}).modified_count == 1


class Socket:
    """One socket of GraphQL."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, **message: Any) -> None:
        """Send a message."""
        self.connection.send(json.dumps(message))

    def receive(self) -> Any:
        """Return the next message."""
        return json.loads(self.connection.recv(timeout=20))

    def greet(self, **payload: Any) -> None:
        """Say hello."""
        self.send(type="connection_init", payload=payload)
        assert self.receive() == {"type": "connection_ack"}

    def subscribe(self, name: str, query: str, **variables: Any) -> None:
        """Start an operation."""
        self.send(id=name, type="subscribe", payload={"query": query, "variables": variables})

    def settle(self) -> None:
        """Return when all that was sent has been heard."""
        self.send(type="ping", payload={"settle": True})
        assert self.receive() == {"type": "pong", "payload": {"settle": True}}

    def closed(self) -> int:
        """Return the code with which the gateway closes the socket; whatever it says before is read."""
        with suppress(ConnectionClosed):
            while True:
                self.connection.recv(timeout=20)
        return self.connection.close_code or 0


@contextmanager
def socket(gateway: Gateway, *protocols: str, **headers: str) -> Iterator[Socket]:
    """Open a socket at /graphql."""
    url = gateway.url.replace("http", "ws", 1) + "/graphql"
    names = [Subprotocol(name) for name in protocols or (PROTOCOL,)]
    with connect(url, subprotocols=names, additional_headers=headers, compression=None) as connection:
        yield Socket(connection)
