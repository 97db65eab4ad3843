"""Transactions that are tried again for as long as that is safe and there is time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from pymongo.errors import PyMongoError

from storage import driver
from storage.deadlines import seconds_left
from storage.driver import Session
from storage.errors import Unavailable, WriteConflict, uncommitted, writing

_PAUSE: Final = 0.02
"""About how many seconds are between two tries; each time a little more or less, so that two do not meet again."""
_COMMITS: Final = 5
"""How often a commit is sent whose answer does not come; the driver sends each one again by itself."""


async def transact(session: Session, change: Callable[[], Awaitable[bool]]) -> bool:
    """Run `change` in a transaction, and commit it where it returns True; else it is undone.

    It is run anew after a conflict with another transaction, and after the loss of the primary.

    Raises:
        Unavailable: `unknown` where the answer to a commit did not come, `none` where none was sent.
        StoreError: what `change` raises; nothing was stored then.
    """
    while True:
        try:
            if not await _stage(session, change):
                return False
        except (WriteConflict, Unavailable) as error:
            await _pause(error)
            continue
        try:
            await _commit(session)
        except WriteConflict as error:
            await _pause(error)
            continue
        return True


async def _stage(session: Session, change: Callable[[], Awaitable[bool]]) -> bool:
    with uncommitted():
        await driver.begin(session)
        try:
            changed = await change()
        except BaseException:
            await session.abort_transaction()
            raise
        if not changed:
            await session.abort_transaction()
        return changed


async def _commit(session: Session) -> None:
    with writing():
        for left in reversed(range(_COMMITS)):
            try:
                await session.commit_transaction()
            except PyMongoError as error:
                if not error.has_error_label("UnknownTransactionCommitResult"):
                    raise
                if not left or _is_over():
                    raise Unavailable("unknown") from error
                await asyncio.sleep(_PAUSE)
            else:
                return


def _is_over() -> bool:
    left = seconds_left()
    return left is not None and left <= _PAUSE


async def _pause(error: WriteConflict | Unavailable) -> None:
    """Wait a moment; raises `Unavailable` where there is no time for another try, or no end to a store that is gone."""
    if _is_over() or (isinstance(error, Unavailable) and seconds_left() is None):
        raise Unavailable("none") from error
    await asyncio.sleep(_PAUSE * (0.5 + random.random()))  # noqa: S311 - nobody gains by a guess
