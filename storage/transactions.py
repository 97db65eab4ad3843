"""Transactions that tell the truth about their outcome.

Until the commit is sent nothing is stored, whatever fails. A commit whose answer is lost is sent again, which is
safe, as long as there is time; only then its outcome is unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any, Final

from storage import driver
from storage.deadlines import seconds_left
from storage.driver import Client, Session
from storage.errors import StoreError, Unavailable, WriteConflict, aborting, uncommitted, writing

Change = Callable[[Session], Awaitable[bool]]
"""Writes in a session; False where nothing of it is to stand."""
_RANDOM: Final = Random()  # noqa: S311 - it only spreads
_PAUSE: Final = 0.02
"""About how many seconds are between two tries; each time a little more or less, so that two do not meet again."""
_COMMITS: Final = 5
"""How often a commit is sent whose answer does not come, where no deadline says how long."""


async def attempt(session: Session, change: Change) -> bool:
    """Run `change` in a transaction, and commit it where it returns True; else it is undone.

    Raises:
        WriteConflict: others wrote at the same moment; nothing was stored, trying again is safe.
        Unavailable: `unknown` where the answer to a commit did not come, `none` where none was sent.
        StoreError: what `change` raises; nothing was stored.
    """
    try:
        with uncommitted():
            await driver.begin(session)
            changed = await change(session)
    except BaseException:
        await _abort(session)
        raise
    await (_commit(session) if changed else _abort(session))
    return changed


async def transact(session: Session, change: Change) -> bool:
    """Do what `attempt` does, anew after a conflict, and after the loss of the primary, while there is time.

    Raises:
        Unavailable: `unknown` where the answer to a commit did not come, `none` where nothing was stored.
        StoreError: what `change` raises; nothing was stored.
    """
    while True:
        try:
            return await attempt(session, change)
        except (WriteConflict, Unavailable) as error:
            await _pause(error)


async def end_abandoned(client: Client, session_id: Any) -> None:
    """End the transaction that a dead run has left open: the store itself would let it stand for a minute.

    Should the run live after all, it cannot commit it. Users may end sessions of their own; where that is not so
    after all, the store's minute is waited for.
    """
    with suppress(StoreError), uncommitted():
        await client.admin.command("killSessions", [{"id": session_id}])


async def _abort(session: Session) -> None:
    with aborting():  # else what it has locked would be in the way of others, for up to a minute
        await session.abort_transaction()


async def _commit(session: Session) -> None:
    sent = False
    for number in count(1):
        try:
            with writing():
                await session.commit_transaction()
        except Unavailable as error:
            sent = sent or error.outcome == "unknown"
            if not sent or _is_over(number):
                raise Unavailable("unknown" if sent else "none") from error
            await asyncio.sleep(_PAUSE)
        else:
            return


def _is_over(commits: int = 0) -> bool:
    left = seconds_left()
    return commits >= _COMMITS if left is None else left <= _PAUSE


async def _pause(error: WriteConflict | Unavailable) -> None:
    """Wait a moment; raises `Unavailable` where the outcome is unknown, or another try has no time or no store."""
    gone = isinstance(error, Unavailable)
    if isinstance(error, Unavailable) and error.outcome == "unknown":
        raise error
    if _is_over() or (gone and seconds_left() is None):
        raise Unavailable("none") from error
    await asyncio.sleep(_PAUSE * (0.5 + _RANDOM.random()))
