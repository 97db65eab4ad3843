"""Gathered reads: reads by id that wait at the same moment go out as one.

Whoever asks, through whichever door, waits in one queue; a batch takes all that wait when it starts, so
every answer is as fresh as a read of its own: no request ever joins a read that has begun. While
`_IN_FLIGHT` batches are out, the next one gathers. One caller's end, by deadline or otherwise, ends only
its own waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, TypeVar

from storage.errors import Unavailable

ValueT = TypeVar("ValueT")
Read = Callable[[list[str]], Awaitable[Mapping[str, ValueT]]]
"""Reads several ids at once; ids that are not there are absent in the answer."""

_IN_FLIGHT: Final = 2
_LARGEST: Final = 500


@dataclass(slots=True)
class GatheredReads(Generic[ValueT]):
    """A queue of reads by id. Belongs to the event loop in which it is used."""

    read: Read[ValueT]
    _waiting: dict[str, list[asyncio.Future[ValueT | None]]] = field(default_factory=dict, init=False)
    _batches: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _scheduled: bool = field(default=False, init=False)

    async def get(self, key: str) -> ValueT | None:
        """Return what is stored under an id, or None; raises `Unavailable`."""
        future: asyncio.Future[ValueT | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        self._schedule()
        return await future

    def _schedule(self) -> None:
        if self._waiting and not self._scheduled and len(self._batches) < _IN_FLIGHT:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._start, context=Context())

    def _start(self) -> None:
        """Send all that wait now; in a context of its own, so that no one caller's deadline rules the others."""
        self._scheduled = False
        keys = list(self._waiting)[:_LARGEST]
        taken = {key: self._waiting.pop(key) for key in keys}
        batch = asyncio.get_running_loop().create_task(self._run(taken), name="gathered-read")
        self._batches.add(batch)
        batch.add_done_callback(self._finished)

    def _finished(self, batch: asyncio.Task[None]) -> None:
        self._batches.discard(batch)
        self._schedule()

    async def _run(self, taken: dict[str, list[asyncio.Future[ValueT | None]]]) -> None:
        try:
            found = await self.read(list(taken))
        except Unavailable:
            _raise(taken, _unavailable)
        except asyncio.CancelledError:
            _raise(taken, _unavailable)  # the loop is ending: nobody may wait for ever
            raise
        except Exception as error:  # noqa: BLE001 - handed to those who wait, else they would wait for ever
            _raise(taken, partial(_same, error))
        else:
            for key, futures in taken.items():
                for future in futures:
                    if not future.done():
                        future.set_result(found.get(key))


def _same(error: Exception) -> Exception:
    return error


def _unavailable() -> Exception:
    return Unavailable("none")


def _raise(taken: dict[str, list[asyncio.Future[ValueT | None]]], error: Callable[[], Exception]) -> None:
    """Give every caller an error."""
    for futures in taken.values():
        for future in futures:
            if not future.done():
                future.set_exception(error())
