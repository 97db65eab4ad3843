"""Files of operations, in pieces: what an import was sent, and its report of refused lines.

A piece is at most one document, so a file of any size takes constant memory here and in the store's answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from storage.driver import Client, Collection, Document, Session
from storage.errors import reading, writing
from storage.jobs import JobId

FileName = Literal["payload", "refused"]

CHUNK: Final = 1024 * 1024
"""Bytes of each piece of a payload but the last; as many as a line may have."""
ORPHANED: Final = timedelta(days=1)
"""How long a piece stays that belongs to no operation: its sender, or the worker, was gone before the end."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """The pieces, each under a number of its own; every method raises `Unavailable` where the store does not answer."""

    client: Client
    database: str

    @property
    def _chunks(self) -> Collection:
        return self.client[self.database]["operation_chunks"]

    async def put(self, job_id: JobId, file: FileName, number: int, data: bytes, kept: timedelta = ORPHANED) -> None:
        """Keep a piece for so long, in the place of an earlier one of its number."""
        with writing():
            await self._put(None, _name(job_id, file, number), data, kept)

    async def put_within(
        self, session: Session | None, job_id: JobId, file: FileName, number: int, data: bytes
    ) -> None:
        """Keep a piece as part of the transaction at hand."""
        await self._put(session, _name(job_id, file, number), data, ORPHANED)

    async def _put(self, session: Session | None, name: str, data: bytes, kept: timedelta) -> None:
        piece: Document = {"_id": name, "data": data, "expires": datetime.now(UTC) + kept}
        await self._chunks.replace_one({"_id": {"$eq": name}}, piece, upsert=True, session=session)

    async def get(self, job_id: JobId, file: FileName, number: int) -> bytes | None:
        """Return a piece, or None."""
        with reading():
            found = await self._chunks.find_one({"_id": {"$eq": _name(job_id, file, number)}}, {"data": 1})
        return None if found is None else bytes(found["data"])

    async def all(self, job_id: JobId, file: FileName) -> AsyncIterator[bytes]:
        """Give the pieces of a file in the order of their numbers."""
        last = f"{job_id}/{file}/"
        while True:
            following = {"_id": {"$gt": last, "$lt": _end(job_id, file)}}
            with reading():
                found = await self._chunks.find_one(following, {"data": 1}, sort=[("_id", 1)])
            if found is None:
                return
            yield bytes(found["data"])
            last = found["_id"]

    async def keep(self, job_id: JobId, file: FileName, kept: timedelta) -> None:
        """Keep all pieces of a file for so long from now."""
        await self._set_expires(job_id, file, {"$set": {"expires": datetime.now(UTC) + kept}})

    async def hold(self, job_id: JobId, file: FileName) -> None:
        """Keep all pieces of a file until something else is said."""
        await self._set_expires(job_id, file, {"$unset": {"expires": ""}})

    async def _set_expires(self, job_id: JobId, file: FileName, update: Document) -> None:
        with writing():
            await self._chunks.update_many(_between(job_id, file, 0), update)

    async def drop(self, job_id: JobId, file: FileName, since: int = 0) -> None:
        """Delete the pieces of a file from a number on."""
        with writing():
            await self._chunks.delete_many(_between(job_id, file, since))


def _name(job_id: JobId, file: FileName, number: int) -> str:
    return f"{job_id}/{file}/{number:016d}"


def _end(job_id: JobId, file: FileName) -> str:
    return f"{job_id}/{file}/~"


def _between(job_id: JobId, file: FileName, since: int) -> Document:
    return {"_id": {"$gte": _name(job_id, file, since), "$lt": _end(job_id, file)}}
