"""Gathered requests: what waits for the store at the same moment goes out as one.

Whoever asks, through whichever door, waits in one queue; a batch starts when the event loop has nobody new to bring,
and takes all that wait then, so every answer is as fresh as one of its own: no request ever joins a batch that has
begun. While `in_flight` batches are out, the next one gathers. One caller's end, by deadline or otherwise, ends only
its own waiting, and takes what has not begun out of the queue.
"""

from __future__ import annotations

import asyncio
import copy
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from storage.deadlines import deadline
from storage.errors import Outcome, StoreError, Unavailable
from storage.timing import StoreTime, asked_by, current

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
Run = Callable[[list[ItemT]], Coroutine[Any, Any, Sequence[ResultT | Exception]]]
"""Asks the store for several at once: for each its result or its own error; what it raises is for all."""

ALONE: Final = (sys.maxsize, 1)
"""How many batches may be out, and how many items one may have, where nothing is to be gathered."""
_PATIENCE: Final = 0.005
"""Seconds; longer than a store near by takes for a batch."""
_QUIET: Final = 2
"""For how many turns of the event loop nobody new must have come: in one a request is received, in the next it asks."""
_TURNS: Final = 32
"""For how many turns a batch waits at most."""
_STUCK: Final = 0.5
"""Seconds after which a batch that is out holds up no other: its member of the store, or the way to it, may be gone."""
_MOST_STUCK: Final = 16


class Counted(Protocol):
    """What counts its commands to the store: `batches` have begun so far, for `items` that were asked."""

    batches: int
    items: int


class _Waiting(NamedTuple, Generic[ItemT]):
    """What waits in the queue: its size in bytes, and by what its request is measured."""

    item: ItemT
    size: int
    spent: StoreTime | None


@dataclass(slots=True)
class Gathered(Generic[ItemT, ResultT]):
    """A queue before the store. Belongs to the event loop in which it is used.

    A batch has at most `most` items and, where it has more than one, at most `heaviest` bytes. One more goes out
    beside others only for `worth` items, or once they have waited for `_PATIENCE`: few and large cost least. One that
    is out for longer than `_STUCK` counts no longer as out.
    `lost` is the outcome for a caller whose time ends after its batch began; before, it is `none`. `rests` is called
    when a batch has ended and nothing waits for another.
    """

    run: Run[ItemT, ResultT]
    in_flight: int
    most: int
    heaviest: int = 0
    lost: Outcome = "none"
    worth: int = 1
    rests: Callable[[], None] = lambda: None
    _waiting: dict[asyncio.Future[ResultT], _Waiting[ItemT]] = field(default_factory=dict, init=False)
    _batches: set[asyncio.Task[Sequence[ResultT | Exception]]] = field(default_factory=set, init=False)
    _stuck: set[asyncio.Task[Sequence[ResultT | Exception]]] = field(default_factory=set, init=False)
    _watching: bool = field(default=False, init=False)
    _scheduled: bool = field(default=False, init=False)
    _patient: bool = field(default=False, init=False)
    _deadlines: dict[asyncio.Future[ResultT], float] = field(default_factory=dict, init=False)
    _alarm: asyncio.TimerHandle | None = field(default=None, init=False)
    _rings: float = field(default=0.0, init=False)
    batches: int = field(default=0, init=False)
    items: int = field(default=0, init=False)

    async def ask(self, item: ItemT, size: int = 0) -> ResultT:
        """Return the result for one item; raises its error, or `Unavailable` at the wire's deadline."""
        moment = deadline()
        if moment is not None and moment <= time.monotonic():
            raise Unavailable("none")
        future: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        spent = current()
        self._waiting[future] = _Waiting(item, size, spent)
        self._schedule()
        if moment is not None:
            self._watch(future, moment)
        if spent is not None:
            spent.begin()
        try:
            return await future
        finally:
            if spent is not None:
                spent.end()
            self._deadlines.pop(future, None)
            self._waiting.pop(future, None)

    def _watch(self, future: asyncio.Future[ResultT], moment: float) -> None:
        """End the waiting at a moment; one alarm is enough for all, as later requests seldom end earlier."""
        self._deadlines[future] = moment
        if self._alarm is None or moment < self._rings:
            if self._alarm is not None:
                self._alarm.cancel()
            self._rings = moment
            self._alarm = asyncio.get_running_loop().call_later(moment - time.monotonic(), self._ring)

    def _ring(self) -> None:
        self._alarm = None
        now = time.monotonic()
        for future, moment in list(self._deadlines.items()):
            if moment <= now:
                del self._deadlines[future]
                self._expire(future)
        if self._deadlines:
            self._watch(*min(self._deadlines.items(), key=itemgetter(1)))

    async def close(self) -> None:
        """Return when nothing is on its way any more: what was sent is let end, within the store's own timeout."""
        while out := self._batches | self._stuck:
            await asyncio.wait(out)
        if self._alarm is not None:
            self._alarm.cancel()

    @property
    def idle(self) -> bool:
        """Whether nobody waits and nothing is on its way."""
        return not self._waiting and not self._batches and not self._stuck

    def _expire(self, future: asyncio.Future[ResultT]) -> None:
        if not future.done():
            begun = self._waiting.pop(future, None) is None
            future.set_exception(Unavailable(self.lost if begun else "none"))

    def _schedule(self) -> None:
        if not self._waiting or self._scheduled:
            return
        loop = asyncio.get_running_loop()
        if len(self._batches) >= self.in_flight:
            if not self._watching:
                self._watching = True
                loop.call_later(_STUCK, self._look, frozenset(self._batches), context=Context())
            return
        if not self._batches or len(self._waiting) >= self.worth:
            self._scheduled = True
            loop.call_soon(self._settle, len(self._waiting), _QUIET, _TURNS, context=Context())
        elif not self._patient:
            self._patient = True
            loop.call_later(_PATIENCE, self._hurry, context=Context())

    def _settle(self, before: int, quiet: int, turns: int) -> None:
        """Start once `quiet` turns of the loop have brought nobody new, and after so many turns at the latest."""
        waiting = len(self._waiting)
        quiet = quiet - 1 if waiting == before else _QUIET
        if quiet and turns and waiting < self.most:
            asyncio.get_running_loop().call_soon(self._settle, waiting, quiet, turns - 1)
        else:
            self._start()

    def _look(self, before: frozenset[asyncio.Task[Sequence[ResultT | Exception]]]) -> None:
        """Count no longer those batches that were out before and still are."""
        self._watching = False
        if len(self._stuck) < _MOST_STUCK:
            stuck = self._batches & before
            self._batches -= stuck
            self._stuck |= stuck
        self._schedule()

    def _hurry(self) -> None:
        self._patient = False
        if self._waiting and not self._scheduled and len(self._batches) < self.in_flight:
            self._start()

    def _start(self) -> None:
        """Send what waits now; in a context of its own, so that no one caller's deadline rules the others."""
        self._scheduled = False
        taken = self._take()
        if not taken:
            return
        waiting = {one.spent for one in taken.values()}
        asked_by(waiting)
        for spent in waiting:
            if spent is not None:
                spent.calls += 1
        self.batches += 1
        self.items += len(taken)
        asked = self.run([one.item for one in taken.values()])
        batch = asyncio.get_running_loop().create_task(asked, name="gathered")
        self._batches.add(batch)
        batch.add_done_callback(partial(self._finished, list(taken)))
        self._schedule()

    def _take(self) -> dict[asyncio.Future[ResultT], _Waiting[ItemT]]:
        taken: dict[asyncio.Future[ResultT], _Waiting[ItemT]] = {}
        size = 0
        for future, one in self._waiting.items():
            if future.done():  # its caller has left and only not yet said so
                continue
            size += one.size
            if len(taken) == self.most or (taken and size > self.heaviest):
                break
            taken[future] = one
        for future in taken:
            del self._waiting[future]
        return taken

    def _finished(
        self, futures: list[asyncio.Future[ResultT]], batch: asyncio.Task[Sequence[ResultT | Exception]]
    ) -> None:
        """Give everyone who still waits what is theirs, however the batch has ended, and start the next."""
        self._batches.discard(batch)
        self._stuck.discard(batch)
        for future, result in zip(futures, self._results(batch, len(futures)), strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
        self._schedule()
        if self.idle:
            self.rests()

    def _results(self, batch: asyncio.Task[Sequence[ResultT | Exception]], count: int) -> Sequence[ResultT | Exception]:
        if batch.cancelled():
            return [Unavailable(self.lost) for _ in range(count)]
        error = batch.exception()
        if error is None:
            return batch.result()
        if isinstance(error, StoreError):
            return [copy.copy(error) for _ in range(count)]
        return [error if isinstance(error, Exception) else Unavailable(self.lost)] * count
