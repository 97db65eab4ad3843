"""One cursor on the changes of a database: MongoDB's change stream, read batch by batch.

It is driven by its commands, so that both drivers do the same and a batch tells up to which place it reaches.
Only customers' inserts and replacements and new tombstones are asked for, and the end of a collection. A change
made past the gateway, by an update in place or a deletion without a tombstone, is not told.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple, cast

import pymongo

from storage import driver
from storage.deadlines import at_most
from storage.documents import PARTS, Customer, CustomerId, Instant
from storage.driver import Client, Document, Session
from storage.errors import HistoryLost, StoreError, Unavailable, reading, writing
from storage.positions import Place, PositionCipher

ChangeType = Literal["created", "updated", "deleted"]

PROMPT: Final = 2.0
"""Seconds that a command may take beside what it is allowed to wait for a change."""
_BATCH: Final = 200
_CURSOR: Final = "$cmd.aggregate"
_ENDED: Final = ["drop", "rename"]
_PIPELINE: Final[tuple[Document, ...]] = (
    {
        "$match": {
            "$or": [
                {"ns.coll": "customers", "operationType": {"$in": ["insert", "replace", *_ENDED]}},
                {"ns.coll": "tombstones", "operationType": {"$in": ["insert", *_ENDED]}},
                {"operationType": {"$in": ["dropDatabase", "invalidate"]}},
            ]
        }
    },
    {"$set": {"changed": "$fullDocument.keys.changed"}},
    {"$unset": ["fullDocument._id", "fullDocument.keys", "fullDocument.expires", "documentKey"]},
    {"$set": {"size": {"$bsonSize": "$$ROOT"}}},
)


_closing: Final[set[asyncio.Task[None]]] = set()
"""Those that end; whoever closed them may be gone."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one customer. `id` is its position too: reading after it misses and doubles nothing.

    `timestamp` is the customer's `updatedAt`, or the moment of its deletion. `changed` names the parts that differ
    from before, all for a new customer, none for a deleted one. `customer` is the customer as it was made then, None
    where it was deleted, or has been erased meanwhile. `size` is in bytes, as MongoDB counts.
    """

    id: str
    type: ChangeType
    timestamp: Instant
    customer_id: CustomerId
    version: int
    changed: tuple[str, ...]
    customer: Customer | None = field(repr=False)
    place: Place = field(repr=False)
    size: int = field(repr=False)


class Batch(NamedTuple):
    """The next changes, and the place up to which there are no others.

    `lag` is the sum of the seconds from their writing to their coming.
    """

    changes: list[Change]
    place: Place
    lag: float


@dataclass(slots=True)
class ChangeStream:
    """An open cursor; belongs to whoever opened it, who closes it."""

    client: Client
    database: str
    cipher: PositionCipher
    _session: Session
    _cursor: int = 0
    _out: asyncio.Task[Document] | None = None

    @classmethod
    async def open(
        cls, client: Client, database: str, cipher: PositionCipher, after: Place | None
    ) -> tuple[ChangeStream, Place]:
        """Open a cursor after a place, or after everything that is acknowledged now; return it, and its place.

        Raises:
            HistoryLost: the store may tell it now, or with the first batch.
            Unavailable: the store does not answer.
        """
        with reading():
            session = await driver.start_session(client)
        stream = cls(client, database, cipher, session)
        start = {} if after is None else {"resumeAfter": {"_data": after.hex().upper()}}
        pipeline = [{"$changeStream": start}, *_PIPELINE]
        try:
            said = await stream._ask({"aggregate": 1, "pipeline": pipeline, "cursor": {"batchSize": 0}}, PROMPT)
        except BaseException:
            await stream.close()
            raise
        stream._cursor = said["cursor"]["id"]
        return stream, _place(said)

    async def next(self, wait: float, patience: float = PROMPT) -> Batch:
        """Return the next batch, empty where nothing has changed for `wait` seconds.

        The store may take `patience` seconds more, if the wire's deadline lets: it looks through all that was written.

        Raises:
            HistoryLost: the place is too old, or a collection was dropped.
            Unavailable: the store does not answer. The cursor is of no use then.
        """
        more = {"getMore": self._cursor, "collection": _CURSOR, "batchSize": _BATCH, "maxTimeMS": int(wait * 1000)}
        said = await self._ask(more, wait + patience)
        events = said["cursor"]["nextBatch"]
        if any(event["operationType"] not in ("insert", "replace") for event in events):
            raise HistoryLost
        now = time.time()
        lag = sum(now - _stored(event) for event in events)
        return Batch([self._change(event) for event in events if _is_whole(event)], _place(said), lag)

    async def close(self) -> None:
        """Give the cursor back to the store, as far as it answers in time; never raises.

        A driver that has lost its primary may wait for a lock that nobody gives back: that is not waited for.
        """
        closing = asyncio.get_running_loop().create_task(self._close(), name="changes", context=Context())
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)
        closing.add_done_callback(_noticed)
        await asyncio.wait((closing,), timeout=2 * PROMPT)
        closing.cancel()

    async def _close(self) -> None:
        if self._out is not None:
            driver.leave(self.client, self._out)
            await asyncio.wait((self._out,), timeout=PROMPT)
        with suppress(StoreError):
            await self._give_back()
        await self._session.end_session()

    async def _give_back(self) -> None:
        if self._cursor:
            with pymongo.timeout(PROMPT), writing():
                command = {"killCursors": _CURSOR, "cursors": [self._cursor]}
                await self.client[self.database].command(command)

    async def _ask(self, command: Document, seconds: float) -> Document:
        """Send one command of the cursor and wait so long for its answer."""
        loop = asyncio.get_running_loop()
        out = self._out = loop.create_task(self._send(command), name="changes", context=Context())
        out.add_done_callback(_noticed)
        done, _ = await asyncio.wait((out,), timeout=at_most(seconds))
        self._out = None
        if not done:
            driver.leave(self.client, out)
            self._cursor = 0  # the store ends it by itself
            raise Unavailable("none")
        return out.result()

    async def _send(self, command: Document) -> Document:
        # Without a timeout of the driver's, which would take the place of the command's own maxTimeMS.
        with pymongo.timeout(0), reading():
            return await self.client[self.database].command(command, session=self._session)

    def _change(self, event: Document) -> Change:
        place, document = _token(event["_id"]), event["fullDocument"]
        kind, when, changed = _told(event)
        return Change(
            id=self.cipher.seal(place),
            type=kind,
            timestamp=when,
            customer_id=document["id"],
            version=document["version"],
            changed=changed,
            customer=None if kind == "deleted" else cast("Customer", document),
            place=place,
            size=event["size"],
        )


def _is_whole(event: Document) -> bool:
    """Tell whether a new document is a customer or a tombstone: another hand may put anything into a collection."""
    needed = ("id", "version", "deletedAt" if event["ns"]["coll"] == "tombstones" else "updatedAt")
    return all(name in event["fullDocument"] for name in needed)


def _told(event: Document) -> tuple[ChangeType, Instant, tuple[str, ...]]:
    document = event["fullDocument"]
    if event["ns"]["coll"] == "tombstones":
        return "deleted", document["deletedAt"], ()
    kind: ChangeType = "created" if event["operationType"] == "insert" else "updated"
    return kind, document["updatedAt"], tuple(event.get("changed", PARTS))


def _token(token: Document) -> Place:
    return Place(bytes.fromhex(token["_data"]))


def _place(said: Document) -> Place:
    return _token(said["cursor"]["postBatchResumeToken"])


def _stored(event: Document) -> float:
    """Return when the store wrote what an event tells, in seconds since 1970; to the second before MongoDB 6."""
    when: datetime | None = event.get("wallTime")
    return float(event["clusterTime"].time) if when is None else when.replace(tzinfo=UTC).timestamp()


def _noticed(command: asyncio.Task[Any]) -> None:
    """Look at how a command ended: whoever wanted to know may be gone."""
    if not command.cancelled():
        command.exception()
