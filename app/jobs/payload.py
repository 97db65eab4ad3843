"""The file that an import was sent, as threads read it."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from storage.chunks import CHUNK, Chunks
from storage.deadlines import wire_deadline
from storage.jobs import JobId

if TYPE_CHECKING:
    from typing_extensions import Buffer

_FETCH_SECONDS: Final = 5.0
"""How long the store may take over one piece."""


class Payload(io.RawIOBase):
    """Reads on from an offset, one piece in memory at a time. To be read in a thread: the loop fetches the pieces.

    Reading raises `Unavailable` where the store does not answer. A piece that is not there is the end.
    """

    def __init__(self, chunks: Chunks, job_id: JobId, offset: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._chunks, self._job_id, self._loop = chunks, job_id, loop
        self._number, self._skip = divmod(offset, CHUNK)
        self._rest = memoryview(b"")
        self._lock = threading.Lock()
        self._fetching: Future[bytes | None] | None = None
        self._stopped = False

    def stop(self) -> None:
        """End a read that waits for a piece, and all later ones: nobody wants to know what they give.

        The loop must not close the file before: it would wait for the read, which waits for the loop.
        """
        with self._lock:
            self._stopped = True
            if self._fetching is not None:
                self._fetching.cancel()

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Read some bytes, none at the end."""
        if not self._rest:
            piece = self._next().result() or b""
            self._rest = memoryview(piece)[self._skip :]
            self._skip = 0
            self._number += 1
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _next(self) -> Future[bytes | None]:
        with self._lock:
            if self._stopped:
                raise ValueError("nothing is read any more")
            self._fetching = asyncio.run_coroutine_threadsafe(self._fetch(), self._loop)
            return self._fetching

    async def _fetch(self) -> bytes | None:
        with wire_deadline(_FETCH_SECONDS):
            return await self._chunks.get(self._job_id, "payload", self._number)


@contextmanager
def payload_at(chunks: Chunks, job_id: JobId, offset: int = 0) -> Iterator[BinaryIO]:
    """Give the file of an operation from an offset on, for a thread to read until the end of the block."""
    payload = Payload(chunks, job_id, offset, asyncio.get_running_loop())
    with io.BufferedReader(payload) as file:
        try:
            yield cast("BinaryIO", file)
        finally:
            payload.stop()
