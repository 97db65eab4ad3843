"""Reads that are gathered: by id, and of equal questions."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, TypeVar

from storage.errors import StoreError
from storage.gather import ALONE, Gathered

ValueT = TypeVar("ValueT")
QuestionT = TypeVar("QuestionT", bound=Hashable)
Read = Callable[[list[str]], Awaitable[Mapping[str, ValueT]]]
"""Reads several ids at once; ids that are not there are absent in the answer."""

_READS_IN_FLIGHT: Final = 2
_MOST_READS: Final = 500
_WORTH_READS: Final = 8


@dataclass(slots=True)
class GatheredReads(Generic[ValueT]):
    """Reads by id that are gathered, or each on its own."""

    read: Read[ValueT]
    gather: bool = True
    queue: Gathered[str, ValueT | None] = field(init=False)

    def __post_init__(self) -> None:
        in_flight, most = (_READS_IN_FLIGHT, _MOST_READS) if self.gather else ALONE
        self.queue = Gathered(self._read, in_flight, most, worth=_WORTH_READS if self.gather else 1)

    async def get(self, key: str) -> ValueT | None:
        """Return what is stored under an id, or None; raises `Unavailable`."""
        return await self.queue.ask(key)

    async def _read(self, keys: list[str]) -> Sequence[ValueT | Exception | None]:
        ids = list(dict.fromkeys(keys))
        try:
            found = await self.read(ids)
        except StoreError:
            raise
        except Exception:
            if len(ids) == 1:
                raise
            return [await self._alone(key) for key in keys]  # what cannot be decoded is its own reader's trouble
        return [found.get(key) for key in keys]

    async def _alone(self, key: str) -> ValueT | Exception | None:
        try:
            return (await self.read([key])).get(key)
        except Exception as error:  # noqa: BLE001 - handed to those who asked for it
            return error


@dataclass(slots=True)
class SharedReads(Generic[QuestionT, ValueT]):
    """Reads of questions, of which equal ones that wait at the same moment are one; what is found is not to be changed.

    The first of its kind is read at once and by its own caller; those that come while it is out do not join
    it but share the next one.
    """

    read: Callable[[QuestionT], Awaitable[ValueT]]
    share: bool = True
    _out: dict[QuestionT, Gathered[QuestionT, ValueT] | None] = field(default_factory=dict, init=False)
    batches: int = field(default=0, init=False)
    items: int = field(default=0, init=False)

    async def get(self, question: QuestionT) -> ValueT:
        """Return the answer to a question; raises what the read raises."""
        self.items += 1
        if not self.share:
            self.batches += 1
            return await self.read(question)
        first = question not in self._out
        queue = self._out.setdefault(question, None)
        if not first and queue is None:
            queue = self._out[question] = Gathered(self._read, 1, sys.maxsize, rests=partial(self._forget, question))
        self.batches += queue is None
        try:
            return await (self.read(question) if queue is None else queue.ask(question))
        finally:
            self._forget(question)

    def _forget(self, question: QuestionT) -> None:
        """Let go of a question that nobody asks now; where all have left a read that is out, once that has ended."""
        queue = self._out.get(question)
        if queue is None or queue.idle:
            self._out.pop(question, None)

    async def close(self) -> None:
        """Return when no shared read is on its way any more."""
        for queue in list(self._out.values()):
            if queue is not None:
                await queue.close()

    async def _read(self, questions: list[QuestionT]) -> Sequence[ValueT]:
        self.batches += 1
        return [await self.read(questions[0])] * len(questions)
