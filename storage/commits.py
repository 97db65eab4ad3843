"""Transactions that tell the truth about their outcome.

Until the commit is sent nothing is stored, whatever fails. A commit whose answer is lost is sent again, which is
safe, as long as there is time; only then its outcome is unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from storage import driver
from storage.deadlines import seconds_left
from storage.driver import Client, Session
from storage.errors import Unavailable, aborting, uncommitted, writing

Work = Callable[[Session], Awaitable[None]]
_PAUSE: Final = 0.05
"""Seconds between two attempts of a commit."""


async def transact(client: Client, work: Work) -> None:
    """Do some writes in a session, and commit them as one.

    Raises:
        WriteConflict: others wrote at the same moment; nothing was stored, trying again is safe.
        Unavailable: the store did not answer as it should; `none` where the commit was not sent.
        StoreError: what the work raises; nothing was stored.
    """
    async with driver.session(client) as session:
        try:
            with uncommitted():
                await driver.begin(session)
                await work(session)
        except BaseException:
            with aborting():  # else what it has locked would be in the way of others, for up to a minute
                await session.abort_transaction()
            raise
        await _commit(session)


async def _commit(session: Session) -> None:
    sent = False
    while True:
        try:
            with writing():
                await session.commit_transaction()
        except Unavailable as error:
            sent = sent or error.outcome == "unknown"
            left = seconds_left()
            if not sent or left is None or left <= _PAUSE:
                raise Unavailable("unknown" if sent else "none") from error
            await asyncio.sleep(_PAUSE)
        else:
            return
