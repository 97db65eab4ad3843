"""The pages of customers that one request reads: as many as an answer may hold, and no more."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

import orjson

from resolvers.problem import Problem
from resolvers.problems import ANSWER_TOO_LARGE
from storage.documents import Customer
from storage.errors import PageTooLarge
from storage.query import Question
from storage.store import Store

MAX_ANSWER: Final = 10_000_000
"""Bytes that an answer may have as JSON."""


@dataclass(slots=True)
class PageReads:
    """Reads pages one after the other, and none any more once those read have more than an answer may.

    The store bounds what a single page is; the pages before another one are weighed, so that who asks for
    one page, as nearly all do, pays nothing for it.
    """

    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _unweighed: list[Customer] = field(default_factory=list)
    _bytes: int = 0

    async def find(self, store: Store, question: Question) -> list[Customer]:
        """Return the customers of one page. Raises answer-too-large."""
        async with self._turn:
            self._weigh()
            try:
                self._unweighed = await store.customers.find(question)
            except PageTooLarge as error:
                self._bytes = MAX_ANSWER + 1
                raise too_large() from error
            return self._unweighed

    def forget(self) -> None:
        """Let go of what was read; call it when nothing is read any more."""
        self._unweighed = []

    def _weigh(self) -> None:
        if self._unweighed:
            self._bytes += len(orjson.dumps(self._unweighed, default=str))
            self._unweighed = []
        if self._bytes > MAX_ANSWER:
            raise too_large()


def too_large() -> Problem:
    """Return the problem of an answer that would be too large."""
    return Problem(
        ANSWER_TOO_LARGE,
        f"The answer would have more than {MAX_ANSWER} bytes; ask for smaller pages or fewer fields.",
        extra={"limit": MAX_ANSWER},
    )
