"""The one change stream of a process: open while anyone reads, and reopened where it was after any failure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextvars import Context
from dataclasses import dataclass, field
from random import Random
from typing import Final, Protocol

from storage.change_stream import PROMPT, Batch, Change, ChangeStream
from storage.deadlines import at_most
from storage.driver import Client
from storage.errors import HistoryLost, StoreError, Unavailable
from storage.positions import Place, PositionCipher

_RANDOM: Final = Random()  # noqa: S311 - it only spreads
_AWAIT: Final = 0.5
"""Seconds for which the store holds back its answer while nothing changes."""
_LONGEST_PATIENCE: Final = 30.0
_JOIN: Final = 5.0
"""Seconds in which the stream must stand where a reader brings no deadline of its own."""


def pauses() -> Iterator[float]:
    """Give the seconds to wait before each new attempt to reach the store: more each time, at most one, with jitter."""
    longest = 0.05
    while True:
        yield _RANDOM.uniform(longest / 2, longest)
        longest = min(longest * 2, 1.0)


class Reader(Protocol):
    """Takes what has changed; neither method waits."""

    def offer(self, change: Change) -> None:
        """Take a change."""

    def lose(self) -> None:
        """Learn that changes may be missing from here on."""


@dataclass(slots=True)
class LiveChanges:
    """Gives each change to all who read when it comes. Belongs to the event loop in which it is used."""

    client: Client
    database: str
    changes: int = 0
    lag: float = 0.0
    """How many changes have come, and the sum of the seconds from their writing to their coming."""
    _place: Place | None = None
    _readers: set[Reader] = field(default_factory=set)
    _running: asyncio.Task[None] | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _placed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def place(self) -> Place | None:
        """The place up to which every change has been given to all readers; None while the stream has not begun."""
        return self._place

    @property
    def readers(self) -> int:
        """How many read at the moment."""
        return len(self._readers)

    async def join(self, reader: Reader, cipher: PositionCipher) -> Place:
        """Give a reader all changes after the place that is returned; raises `Unavailable`."""
        self._readers.add(reader)
        if self._running is None:
            self._start(cipher)
        try:
            async with asyncio.timeout(at_most(_JOIN)):
                await self._placed.wait()
        except TimeoutError as error:
            self.leave(reader)
            raise Unavailable("none") from error
        except BaseException:
            self.leave(reader)
            raise
        if self._place is None:
            self.leave(reader)
            raise Unavailable("none")
        return self._place

    def leave(self, reader: Reader) -> None:
        """Give a reader nothing more; the stream ends with its last reader."""
        self._readers.discard(reader)
        if not self._readers and self._running is not None:
            self._running.cancel()
            self._running = None

    async def close(self) -> None:
        """Return when no stream is open; who still reads is given nothing more."""
        for reader in tuple(self._readers):
            self.leave(reader)
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _start(self, cipher: PositionCipher) -> None:
        self._place, self._placed = None, asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._run(cipher), name="changes", context=Context())
        self._running = task
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Tell those who read that the stream has failed, if it has: silence would look as if nothing changed."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        task.get_loop().call_exception_handler({"message": "The stream of changes has failed", "exception": error})
        if task is self._running:
            self._running = None
            self._lose()

    async def _run(self, cipher: PositionCipher) -> None:
        attempts, patience = pauses(), PROMPT
        while True:
            opened = told = False
            try:
                stream, place = await ChangeStream.open(self.client, self.database, cipher, self._place)
                opened = True
                try:
                    self._stand_at(place)
                    while True:
                        self._give(await stream.next(_AWAIT, patience))
                        attempts, patience, told = pauses(), PROMPT, True
                finally:
                    await stream.close()
            except HistoryLost:
                self._lose()
            except StoreError:
                # It is asked again, from where it was. A store that opens a cursor and cannot say yet what follows has
                # much to look through, and gets more time; any other is as prompt as ever, or is given up as soon.
                patience = min(patience * 2, _LONGEST_PATIENCE) if opened and not told else PROMPT
            await asyncio.sleep(next(attempts))

    def _stand_at(self, place: Place) -> None:
        if self._place is None:
            self._place = place
            self._placed.set()

    def _give(self, batch: Batch) -> None:
        for change in batch.changes:
            for reader in self._readers:
                reader.offer(change)
        self._place = batch.place
        self.changes += len(batch.changes)
        self.lag += batch.lag

    def _lose(self) -> None:
        """Begin anew from now on; those who read meanwhile cannot go on."""
        self._place, self._placed = None, asyncio.Event()
        for reader in self._readers:
            reader.lose()
