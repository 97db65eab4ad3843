"""The two drivers behind one face: PyMongo's `AsyncMongoClient` and Motor.

Both give the same collections and cursors; the few things in which they differ are here and nowhere
else. Types are PyMongo's.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, Literal, cast

import pymongo
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.monitoring import CommandListener
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from storage import driver_locks
from storage.read_concern import SinceElection

Driver = Literal["pymongo", "motor"]
Document = dict[str, Any]
Client = AsyncMongoClient[Document]
Collection = AsyncCollection[Document]
Session = AsyncClientSession

_CLOSING = 1.0
"""How many seconds the end of a client may wait for the store."""


def connect(driver: Driver, url: str, *, event_listeners: Sequence[CommandListener] = (), **options: object) -> Client:
    """Return a client of the chosen driver; it connects at its first operation, and reads `SinceElection`."""
    options["event_listeners"] = [*event_listeners, SinceElection()]
    return _Client(url, **cast("Any", options)) if driver == "pymongo" else _motor(url, **options)


driver_locks.mend()


class _Client(AsyncMongoClient[Document]):
    @cached_property
    def read_concern(self) -> ReadConcern:
        return _since_election(self)


class _Delegate(MongoClient[Document]):
    @cached_property
    def read_concern(self) -> ReadConcern:
        return _since_election(self)


def _since_election(client: AsyncMongoClient[Document] | MongoClient[Document]) -> SinceElection:
    """Return the read concern that learns of a client's elections."""
    return next(one for one in client.options.event_listeners if isinstance(one, SinceElection))


def _motor(url: str, **options: object) -> Client:
    from motor.motor_asyncio import AsyncIOMotorClient  # only where it is wanted: it takes megabytes

    class Motor(AsyncIOMotorClient):  # type: ignore[type-arg]
        __delegate_class__ = _Delegate

    return cast("Client", Motor(url, **cast("Any", options)))


def is_motor(client: object) -> bool:
    """Tell whether a client is Motor's."""
    return not isinstance(client, AsyncMongoClient)


async def close(client: Client) -> None:
    """Close all connections; a store that is gone is not waited for to end the sessions."""
    with pymongo.timeout(_CLOSING):
        if is_motor(client):
            cast("Any", client).close()
        else:
            await client.close()


def first_attempt(error: BaseException) -> bool:
    """Tell whether an error is certainly that of a command's first attempt: none was sent before it.

    Both drivers count the attempts of a command where they repeat it, and tell nobody. The frames of that error know.
    Should they no longer know, this is False, which is safe, and `tests/storage/test_attempts.py` fails.
    """
    trace = error.__traceback__
    counts: list[object] = []
    while trace is not None:
        counts.append(getattr(trace.tb_frame.f_locals.get("self"), "_attempt_number", None))
        trace = trace.tb_next
    known = [count for count in counts if count is not None]
    return bool(known) and not any(known)


async def aggregate(
    collection: Collection, pipeline: Sequence[Mapping[str, Any]], **options: Any
) -> AsyncCommandCursor[Document]:
    """Run an aggregation and return its cursor."""
    cursor = cast("Any", collection).aggregate(pipeline, **options)
    return cast("AsyncCommandCursor[Document]", cursor if is_motor(collection.database.client) else await cursor)


async def one_batch(cursor: AsyncCursor[Document]) -> list[Document] | None:
    """Return all that a cursor finds where it comes in one batch, None where more would have to be read.

    The store ends a batch at 16 MiB, so no more than that is ever held here.
    """
    found = await cursor.to_list(1)
    if cursor.cursor_id:
        await cursor.close()
        return None
    if is_motor(cursor.collection.database.client):  # its to_list goes to a thread even for what is there already
        return found + [document async for document in cursor]
    return found + await cursor.to_list()


@asynccontextmanager
async def session(client: Client) -> AsyncIterator[Session]:
    """Open a session, and end it with whatever transaction is open in it."""
    started = cast("Any", client).start_session()
    async with await started if is_motor(client) else started as opened:
        yield opened


async def begin(opened: Session) -> None:
    """Begin a transaction in a session; nothing is sent before its first command.

    It reads what the primary has, and is committed to a majority whatever it has read.
    """
    concerns: Any = {"read_concern": ReadConcern("local"), "write_concern": WriteConcern(w="majority", j=True)}
    begun = opened.start_transaction(**concerns)
    if inspect.isawaitable(begun):  # PyMongo's; Motor's has begun by now
        await begun


async def start_session(client: Client) -> Session:
    """Return a session; its commands belong together, as those of one cursor must."""
    return await cast("Any", client).start_session() if is_motor(client) else client.start_session()


def leave(client: Client, command: asyncio.Task[Document]) -> None:
    """Let go of a command that nobody waits for: PyMongo's ends at once, Motor's, in a thread, with its answer."""
    if not is_motor(client):
        command.cancel()
