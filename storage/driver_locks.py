"""PyMongo's asynchronous locks, made safe where Python's `asyncio.wait_for` is not.

PyMongo waits for a primary, and for a free connection, by `wait_for(condition.wait(), …)`. Before Python 3.12 that
waits in a task of its own, which takes the condition's lock again before it ends. Whoever is cancelled in that
moment goes on without waiting for it: the lock is given back by one who does not hold it, is then taken by the task
that nobody knows, and stays taken. From then on no operation of that client ends, although the store is well; it was
met when a primary was killed under load.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

import pymongo.lock

ResultT = TypeVar("ResultT")


async def wait_for(awaitable: Awaitable[ResultT], timeout: float | None) -> ResultT:  # noqa: ASYNC109 - as asyncio's
    """Wait as `asyncio.wait_for` does from Python 3.12 on: in the same task; raises `TimeoutError`."""
    async with asyncio.timeout(timeout):
        return await awaitable


def mend() -> None:
    """Let PyMongo's conditions be waited for in the task that holds their lock. More than once is as good as once."""
    if sys.version_info < (3, 12):
        pymongo.lock.wait_for = wait_for  # type: ignore[attr-defined,assignment]
