"""The change feed: every change of a customer, in the order in which the store made them.

All who watch read from one stream of the process. What came before it, or while a patient reader was behind, is
read from the store's history (MongoDB's oplog) by a cursor of the reader's own, for as long as that takes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.change_stream import Change, ChangeType
from storage.driver import Client
from storage.history import History
from storage.live_changes import LiveChanges
from storage.watch import MAX_WAITING, Wants, Watch

__all__ = ["MAX_WAITING", "Change", "ChangeType", "Changes", "Watch"]


@dataclass(slots=True)
class Changes:
    """The changes of the customers of one database. Belongs to the event loop in which it is used.

    A position names a place between changes: the `id` of a change names the place after it. Positions are the same
    at every gateway on the store, and are good for as long as MongoDB's oplog reaches back.
    """

    client: Client
    database: str
    live: LiveChanges = field(init=False)
    history: History = field(init=False)

    def __post_init__(self) -> None:
        self.live = LiveChanges(self.client, self.database)
        self.history = History(self.client, self.database)

    def watch(self, after: str | None = None, *, wants: Wants | None = None, cut: bool = False) -> Watch:
        """Return the changes after a position, without end; after None those from its opening on.

        Use it with `async with`, or with `async for` and `aclose`. Only what `wants` takes is given. Where the
        reader is to be `cut`, it ends once more than `MAX_WAITING` bytes wait for it; else it reads them later.

        Raises:
            UnknownPosition: at the opening, `after` is not of this store.
            HistoryLost: at the opening or later, the changes after the position are not there any more.
            ReaderTooSlow: later, with the position where to go on.
            Unavailable: at the opening; later the store is asked until it answers.
        """
        return Watch(self.live, self.history, after, wants, cut=cut)

    async def position(self) -> str:
        """Return the position after every change that is acknowledged now; raises `Unavailable`."""
        cipher = await self.history.cipher()
        return cipher.seal(await self.history.now())

    async def close(self) -> None:
        """Return when the stream of the process has ended; to be called before the client is closed."""
        await self.live.close()
