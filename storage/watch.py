"""A reader of the change feed: first what it has missed, then what comes, without gap and without double."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Self

from storage.change_stream import Change
from storage.errors import HistoryLost, ReaderTooSlow, StoreError
from storage.history import History, PastChanges
from storage.live_changes import LiveChanges, pauses
from storage.positions import Place, PositionCipher

MAX_WAITING: Final = 1_000_000
"""How many bytes of changes wait for one reader at most; a single change may be larger."""

Wants = Callable[[Change], bool]


class Watch:
    """The changes after a position, one by one; made by `Changes.watch`, which says what it raises.

    Changes that come are kept until they are read. What does not fit is read from the history later, or, where
    the reader is to be `cut`, ends it. A reader that is still catching up is never cut.
    """

    def __init__(
        self, live: LiveChanges, history: History, after: str | None, wants: Wants | None, *, cut: bool
    ) -> None:
        self._live, self._history, self._after, self._cut = live, history, after, cut
        self._wants: Wants = wants or (lambda _change: True)
        self._cipher: PositionCipher | None = None
        self._place = self._read = Place(b"")
        """Up to where changes were given, and up to where they were read from the history."""
        self._until: Place | None = None
        """Up to where the history must be read before what has come may be given; None where it needs not."""
        self._past: PastChanges | None = None
        self._looking: asyncio.Task[None] | None = None
        """The reading of the history that is under way; nobody waits for it alone."""
        self._old: deque[Change] = deque()
        self._new: deque[Change] = deque()
        self._waiting = 0
        self._overrun = self._lost = self._too_slow = self._roused = False
        self._news = asyncio.Event()
        self._attempts = pauses()

    async def open(self) -> None:
        """Begin: from now on nothing is missed. Once is enough."""
        if self._cipher is not None:
            return
        cipher = await self._history.cipher()
        place = None if self._after is None else cipher.open(self._after)
        begun = self._live.place is not None
        joined = await self._live.join(self, cipher)
        try:
            if place is None:
                place = await self._history.now() if begun else joined
            elif place > joined and place > await self._history.now():
                raise HistoryLost  # of a time that the store has gone back behind
            self._place = self._read = place
            if place < joined:
                self._until = joined
                await self._look_back(joined)
        except BaseException:
            await self.aclose()
            raise
        self._cipher = cipher

    async def aclose(self) -> None:
        """End; nothing is kept for this reader any more."""
        self._live.leave(self)
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            await asyncio.wait((looking,))
            if not looking.cancelled():
                looking.exception()
        await self._leave_history()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        change = None
        while change is None:
            change = await self.next()
        return change

    async def next(self, seconds: float | None = None) -> Change | None:
        """Return the next change, or None where there is none for so many seconds."""
        await self.open()
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            self._check()
            if (change := self._pop()) is not None:
                return change
            if self._roused or (end is not None and time.monotonic() >= end):
                self._roused = False
                return None
            await self._wait(end)

    def waiting(self) -> Change | None:
        """Return the next change if it is there, without waiting; None too where the watch has ended."""
        if self._lost or self._too_slow or self._overrun or self._cipher is None:
            return None
        return self._pop()

    @property
    def position(self) -> str:
        """Where another reader could go on without missing or doubling anything; only once it is open."""
        if self._cipher is None:
            raise RuntimeError("a watch has no position before it is open")
        if not (self._old or self._new or self._lost or self._overrun or self._until) and self._live.place:
            self._place = max(self._place, self._live.place)
        return self._cipher.seal(self._place)

    def offer(self, change: Change) -> None:
        """Take a change that has come."""
        if self._overrun or self._lost or not self._wants(change):
            return
        if self._new and self._waiting + change.size > MAX_WAITING:
            self._overrun, self._too_slow = True, self._cut and self._until is None
            self._new.clear()
            self._waiting = 0
        else:
            self._new.append(change)
            self._waiting += change.size
        self._news.set()

    def rouse(self) -> None:
        """Let whoever waits for a change wait no longer: `next` returns None where there is none."""
        self._roused = True
        self._news.set()

    def lose(self) -> None:
        """Learn that changes may be missing from here on."""
        self._lost = True
        self._news.set()

    def _check(self) -> None:
        """End a reader that cannot go on; send one that has an overrun behind it back to the history.

        Only once what was being read there has come: it would read on to where it was sent before.
        """
        if self._lost:
            raise HistoryLost
        if self._too_slow:
            raise ReaderTooSlow(self.position)
        looking = self._looking
        if looking is not None and looking.done():
            self._looking = None
            looking.result()
        if self._overrun and self._looking is None:
            self._overrun, self._until = False, self._live.place
            self._read = max(self._read, self._place)

    def _pop(self) -> Change | None:
        if self._old:
            change = self._old.popleft()
            self._place = change.place
            return change
        self._place = max(self._place, self._read)
        while self._until is None and self._new:
            change = self._new.popleft()
            self._waiting -= change.size
            if change.place > self._place:  # what has come while it was being opened may be older
                self._place = change.place
                return change
        return None

    async def _wait(self, end: float | None) -> None:
        """Wait for news: a change, a batch of the history where it is behind, a call, an end."""
        self._news.clear()
        if self._until is not None and self._looking is None:
            self._looking = asyncio.create_task(self._catch_up(self._until), name="watch history")
            self._looking.add_done_callback(lambda _looking: self._news.set())
        try:
            async with asyncio.timeout(None if end is None else end - time.monotonic()):
                await self._news.wait()
        except TimeoutError:
            return

    async def _catch_up(self, until: Place) -> None:
        try:
            await self._look_back(until)
            self._attempts = pauses()
        except HistoryLost:
            raise
        except StoreError:
            await self._leave_history()
            await asyncio.sleep(next(self._attempts))

    async def _look_back(self, until: Place) -> None:
        """Read one batch of the history; what lies behind the goal comes by itself."""
        if self._past is None:
            self._past = await self._history.open(self._read)
        batch = await self._past.next()
        self._old.extend(change for change in batch.changes if change.place <= until and self._wants(change))
        self._read = min(batch.place, until)
        if self._read == until == self._until:  # unless the goal has moved meanwhile
            self._until = None
            await self._leave_history()

    async def _leave_history(self) -> None:
        past, self._past = self._past, None
        if past is not None:
            await past.close()
